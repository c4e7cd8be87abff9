package config

import (
	"bytes"
	"errors"
	"io"
	"reflect"
	"regexp"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
)

// maxFileBytes bounds every file but those of secrets. Ten thousand accounts take about 2 MiB.
const maxFileBytes = 16 << 20

// A parsedFile is a YAML file, and the line of each key in it.
type parsedFile struct {
	// name is the file's path; "" for the flags of an AdHoc.
	name string
	// lines has the line of each key and list item, by path.
	lines map[string]int
	// diagnostics are those of the whole Load.
	diagnostics *diagnostics
	// usable says that the file is YAML with a mapping at its top, so that its values can be checked.
	usable bool
}

// read reads a YAML file into raw, a pointer to rawConfig or rawAccountFile, and reports what doesn't fit. It returns the
// position of the whole file.
func (l *loader) read(file string, raw any) position {
	parsed := &parsedFile{name: file, lines: map[string]int{}, diagnostics: l.diagnostics}
	root := position{file: parsed}
	data, err := l.sources.read(file)
	if err != nil {
		l.diagnostics.add(&diagnostic{source: file, text: causeOf(err).Error()})
		return root
	}
	if hasByteOrderMark(data) {
		root.errorf("starts with a byte order mark: save it as UTF-8 without one")
		return root
	}
	node := root.parse(data)
	if node == nil {
		return root
	}
	root.decode(node, reflect.ValueOf(raw).Elem())
	parsed.usable = node.Kind == yaml.MappingNode
	return root
}

// parse returns the only document of a file. It reports an error, and returns nil, where there is none or more than one.
func (p position) parse(data []byte) *yaml.Node {
	var first, second yaml.Node
	decoder := yaml.NewDecoder(bytes.NewReader(data))
	err := decoder.Decode(&first)
	if errors.Is(err, io.EOF) || err == nil && isNull(first.Content[0]) {
		p.errorf("is empty: it needs at least one account, with a name, a server, a username and a password_file")
		return nil
	}
	if err == nil {
		err = decoder.Decode(&second)
	}
	switch {
	case err == nil:
		p.errorAt(second.Line, "has a second YAML document: write everything into one, without ---")
		return nil
	case !errors.Is(err, io.EOF):
		p.reportSyntaxError(err)
		return nil
	}
	return first.Content[0]
}

// Messages of the YAML library begin with a line number. Its parser counts lines from 0, its scanner from 1.
var (
	yamlLine   = regexp.MustCompile(`^yaml: (?:line (\d+): )?`)
	yamlParser = regexp.MustCompile(`^did not find expected (node content|key|'-' indicator|',' or)`)
)

// reportSyntaxError reports an error of the YAML parser. All its messages are fixed texts but one, which repeats the name of an
// unknown anchor, and a password that starts with * looks like one.
func (p position) reportSyntaxError(err error) {
	line, text := 1, err.Error()
	if match := yamlLine.FindStringSubmatch(text); match != nil {
		text = strings.TrimPrefix(text, match[0])
		if n, err := strconv.Atoi(match[1]); err == nil {
			line = n
		}
	}
	if yamlParser.MatchString(text) {
		line++
	}
	if strings.Contains(text, "anchor") {
		text = "a value starts with * or &, which is special in YAML: quote it"
	}
	p.errorAt(line, "not valid YAML: "+text)
}

func hasByteOrderMark(data []byte) bool {
	for _, mark := range []string{"\xef\xbb\xbf", "\xfe\xff", "\xff\xfe"} {
		if bytes.HasPrefix(data, []byte(mark)) {
			return true
		}
	}
	return false
}
