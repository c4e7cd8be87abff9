package config

import (
	"bytes"
	"errors"
	"io"
	"regexp"
	"strings"

	"go.yaml.in/yaml/v3"
)

// parseYAML returns the documents of a file; of more than two, only the first two.
func parseYAML(r io.Reader) (documents []*yaml.Node, err error) {
	decoder := yaml.NewDecoder(r)
	for len(documents) < 2 {
		var document yaml.Node
		if err := decoder.Decode(&document); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			return nil, err
		}
		documents = append(documents, &document)
	}
	return documents, nil
}

// A lineReader gives one line at each Read, and counts them.
type lineReader struct {
	rest  []byte
	lines int
}

// Read reads the rest of a line.
func (r *lineReader) Read(p []byte) (int, error) {
	if len(r.rest) == 0 {
		return 0, io.EOF
	}
	end := bytes.IndexByte(r.rest, '\n') + 1
	if end == 0 {
		end = len(r.rest)
	}
	n := copy(p, r.rest[:end])
	if n == end {
		r.lines++
	}
	r.rest = r.rest[n:]
	return n, nil
}

// syntaxError returns the number of the line at which data stops being valid YAML, counted from 1, and the error of the YAML
// library for the lines up to it. The line in that error can't be used: for many errors it is where the enclosing list or
// mapping begins. line returns the text of a line.
func syntaxError(data []byte) (number int, line func(number int) string, err error) {
	ends := []int{0} // ends[n] is where line n ends.
	for i, c := range data {
		if c == '\n' || i == len(data)-1 {
			ends = append(ends, i+1)
		}
	}
	errorUpTo := func(n int) error {
		_, err := parseYAML(bytes.NewReader(data[:ends[n]]))
		return err
	}
	// The error is in the lines that the library has read when it stops, and mostly in the last one or two. Of a long line it may
	// have read a part.
	reader := &lineReader{rest: data}
	_, _ = parseYAML(reader)
	invalid := min(reader.lines+1, len(ends)-1)
	for invalid < len(ends)-1 && errorUpTo(invalid) == nil {
		invalid++
	}
	valid, step := invalid-1, 1
	for valid > 0 && errorUpTo(valid) != nil {
		invalid, valid, step = valid, max(0, valid-step), 2*step
	}
	for invalid-valid > 1 {
		if middle := (valid + invalid) / 2; errorUpTo(middle) != nil {
			invalid = middle
		} else {
			valid = middle
		}
	}
	line = func(number int) string {
		if number < 1 || number >= len(ends) {
			return ""
		}
		return strings.TrimRight(string(data[ends[number-1]:ends[number]]), "\r\n")
	}
	return invalid, line, errorUpTo(invalid)
}

// badIndentation matches the library's errors for keys that are where none can be.
var badIndentation = regexp.MustCompile(`mapping values|indicator|expected key`)

// A syntaxHint says what to write in a line with a syntax error.
type syntaxHint struct {
	// line matches the line, and message the library's error; nil matches all.
	line, message *regexp.Regexp
	text          string
}

// oddSpace matches characters that look like a space or like nothing, as they come from web pages.
const oddSpace = `[\x{a0}\x{2000}-\x{200d}\x{202f}\x{3000}\x{feff}]`

// before matches what comes before a value.
const before = `(?:^[ \t]*|[-:,]\s+|[\[{]\s*)`

func syntaxHints() []syntaxHint {
	re := regexp.MustCompile
	return []syntaxHint{
		{re(`\x00`), nil, "is it UTF-16? Save it as UTF-8"},
		{nil, re(`UTF-8`), "is not UTF-8: save it as UTF-8"},
		{nil, re(`control characters`), "has a control character: delete it, or write it as an escape in double quotes"},
		{re(`^\s*` + oddSpace), nil, "the indentation has a character that only looks like a space: write spaces"},
		{re(`^\s*[–—]\s`), nil, "a dash that isn't the - of lists: write -"},
		{re(`^\s*(?:- +)?\w+：`), nil, "a colon that isn't the : of YAML: write : and a space"},
		{re(`^ *\t`), nil, "a tab in the indentation: YAML allows only spaces"},
		{nil, re(`anchor|alphabetic or numeric`), "a value starts with * or &, which are special in YAML: quote it"},
		{re(before + "[@%`]"), nil, "a value starts with @, % or `, which are special in YAML: quote it"},
		{nil, re(`whitespace or line break|tag`), "a value starts with !, which is special in YAML: quote it"},
		{nil, re(`comment or line break`), "a value starts with | or >, which are special in YAML: quote it"},
		{nil, re(`escape character|hexdecimal|Unicode character code`), `a \ in double quotes begins an escape: write \\, or use single quotes`},
		{nil, re(`unexpected end of stream|document indicator`), "a quote is opened here and not closed: in single quotes write ' as '', in double quotes \" as \\\""},
		{re(before + `(?:'(?:[^']|'')*'|"(?:[^"\\]|\\.)*")[^\s,\]}:]`), nil, "text follows a closing quote: in single quotes write ' as '', in double quotes \" as \\\""},
		{re(`:\s+[-?]\s`), re(`not allowed in this context`), "a value starts with - or ?, which are special in YAML: quote it, or begin a list in its own line"},
		{re(`:\s.*:(?:\s|$)`), re(`mapping values`), "a value has a colon before a space: quote it"},
		{nil, re(`',' or`), "a [ or { is opened here and not closed: close it, or quote the value if it is text"},
		{nil, re(`node content`), "a value starts with [, ], {, } or a comma, which are special in YAML: quote it, or close what is open"},
		{nil, re(`expected ':'`), "a key without a value: write a colon, a space and the value"},
		{re(`^\s*(?:- +)?\w+ [^:#]*$`), badIndentation, "a key without a colon: write a colon after it"},
		{nil, badIndentation, "the indentation doesn't fit the lines above"},
	}
}

// culpritAbove matches a line that is valid YAML, and yet makes the next one invalid: a key without a colon, or one that is
// indented by what isn't a space.
var culpritAbove = regexp.MustCompile(`^\s*(?:- +)?\w+ [^:#]*$|^\s*` + oddSpace)

// libraryLine matches how the YAML library's messages begin.
var libraryLine = regexp.MustCompile(`^yaml: (?:line \d+: )?`)

// reportSyntaxError reports where and why data isn't valid YAML. It repeats nothing of the line. The library's messages are
// fixed texts but one, which repeats the name of an unknown anchor, and for that there is a hint.
func (p position) reportSyntaxError(data []byte) {
	number, lineAt, err := syntaxError(data)
	text := libraryLine.ReplaceAllString(err.Error(), "")
	if badIndentation.MatchString(text) && culpritAbove.MatchString(lineAt(number-1)) {
		number--
	}
	line := lineAt(number)
	for _, h := range syntaxHints() {
		if (h.line == nil || h.line.MatchString(line)) && (h.message == nil || h.message.MatchString(text)) {
			text = h.text
			break
		}
	}
	p.errorAt(number, "not valid YAML: "+text)
}
