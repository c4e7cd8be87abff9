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

// A document is a YAML file, and where in it each key stands.
type document struct {
	file string
	// lines has the line of each key and list item, by path.
	lines  map[string]int
	report *report
	// usable says that the file is YAML of the right outline: there is something to check the meaning of.
	usable bool
}

// read reads a YAML file into tree, a pointer to one of the tree types, and refuses what does not fit.
func (l *loader) read(file string, tree any) place {
	doc := &document{file: file, lines: map[string]int{}, report: l.report}
	root := place{doc: doc}
	data, err := l.sources.read(file)
	if err != nil {
		l.report.add(&problem{source: file, text: causeOf(err).Error()})
		return root
	}
	if hasByteOrderMark(data) {
		root.refuse("starts with a byte order mark: save it as UTF-8 without one")
		return root
	}
	node := root.parse(data)
	if node == nil {
		return root
	}
	root.decode(node, reflect.ValueOf(tree).Elem())
	doc.usable = node.Kind == yaml.MappingNode
	return root
}

// parse returns the only document of a file, or nil when there is no such thing.
func (p place) parse(data []byte) *yaml.Node {
	var first, second yaml.Node
	decoder := yaml.NewDecoder(bytes.NewReader(data))
	err := decoder.Decode(&first)
	if errors.Is(err, io.EOF) || err == nil && isNull(first.Content[0]) {
		p.refuse("is empty: it needs at least one account, with a name, a server, a username and a password_file")
		return nil
	}
	if err == nil {
		err = decoder.Decode(&second)
	}
	switch {
	case err == nil:
		p.refuseAt(second.Line, "a second YAML document: write everything into one, without ---")
		return nil
	case !errors.Is(err, io.EOF):
		p.refuseSyntax(err)
		return nil
	}
	return first.Content[0]
}

// Messages of the YAML library begin with a line, which those of its parser, unlike those of its scanner, count from 0.
var (
	yamlLine   = regexp.MustCompile(`^yaml: (?:line (\d+): )?`)
	yamlParser = regexp.MustCompile(`^did not find expected (node content|key|'-' indicator|',' or)`)
)

// refuseSyntax reports an error of the YAML parser. All its messages are fixed texts but one, which repeats the name
// of an unknown anchor: a password that starts with * looks like one.
func (p place) refuseSyntax(err error) {
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
	p.refuseAt(line, "not valid YAML: "+text)
}

func hasByteOrderMark(data []byte) bool {
	for _, mark := range []string{"\xef\xbb\xbf", "\xfe\xff", "\xff\xfe"} {
		if bytes.HasPrefix(data, []byte(mark)) {
			return true
		}
	}
	return false
}
