package config

import (
	"bytes"
	"errors"
	"io/fs"
	"reflect"

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
	// source has the file's lines, while it is decoded. Later it is nil: the file may have passwords.
	source []string
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
		text := causeOf(err).Error()
		if file == l.main && errors.Is(err, fs.ErrNotExist) {
			text += ": name another file with --config.file, or write one with imap-exporter init"
		}
		l.diagnostics.add(&diagnostic{source: file, text: text})
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
	parsed.source = lineBreak.Split(string(data), -1)
	root.decode(node, reflect.ValueOf(raw).Elem())
	parsed.source = nil
	parsed.usable = node.Kind == yaml.MappingNode
	return root
}

// parse returns the only document of a file. It reports an error, and returns nil, where there is none or more than one.
func (p position) parse(data []byte) *yaml.Node {
	documents, err := parseYAML(bytes.NewReader(data))
	switch {
	case err != nil:
		p.reportSyntaxError(data)
		return nil
	case len(documents) == 0 || isNull(documents[0].Content[0]):
		p.errorf("is empty: it needs at least one account, with a name, a server, a username and a password_file")
		return nil
	case len(documents) > 1:
		p.errorAt(documents[1].Line, "has a second YAML document: write everything into one, without ---")
		return nil
	}
	return documents[0].Content[0]
}

func hasByteOrderMark(data []byte) bool {
	for _, mark := range []string{"\xef\xbb\xbf", "\xfe\xff", "\xff\xfe"} {
		if bytes.HasPrefix(data, []byte(mark)) {
			return true
		}
	}
	return false
}
