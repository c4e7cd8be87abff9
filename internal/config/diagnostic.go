package config

import (
	"cmp"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"imap-exporter/internal/text"
)

// maxDiagnosticBytes bounds an error or warning. It has room for two of the longest paths.
const maxDiagnosticBytes = 9 << 10

// A diagnostic is an error or a warning: where it is, and what to write instead.
type diagnostic struct {
	// source is a file, a flag or an environment variable; "" where an AdHoc is checked, whose keys are flags.
	source string
	// line is 0 where source is no file.
	line int
	// key is "" where the file as a whole is meant.
	key  string
	text string
}

// Error returns one line, whatever the name of a file holds.
func (d *diagnostic) Error() string {
	where := d.source
	switch {
	case d.source == "":
		where = flagOf(d.key)
	case d.key != "":
		where = fmt.Sprintf("%s:%d: %s", d.source, d.line, d.key)
	case d.line > 0:
		where = fmt.Sprintf("%s:%d", d.source, d.line)
	}
	return text.Printable(where+": "+d.text, maxDiagnosticBytes)
}

// lastKey matches the last key of a path, without the number of a list item.
var lastKey = regexp.MustCompile(`\.([a-z_]+)(?:\[\d+\])?$`)

// flagOf returns the flag that gives the key of an AdHoc: --ca-file for modules[0].tls_config.ca_file.
func flagOf(path string) string {
	if match := lastKey.FindStringSubmatch(path); match != nil {
		return "--" + strings.ReplaceAll(match[1], "_", "-")
	}
	return "the account"
}

// diagnostics are the errors and warnings of one Load.
type diagnostics struct {
	errors   []*diagnostic
	warnings []string
}

func (ds *diagnostics) add(d *diagnostic) { ds.errors = append(ds.errors, d) }

// have reports whether there is an error of that text.
func (ds *diagnostics) have(text string) bool {
	return slices.ContainsFunc(ds.errors, func(d *diagnostic) bool { return d.text == text })
}

// err joins the errors, sorted by file and line; nil without any.
func (ds *diagnostics) err() error {
	var sources []string
	for _, d := range ds.errors {
		if !slices.Contains(sources, d.source) {
			sources = append(sources, d.source)
		}
	}
	slices.SortStableFunc(ds.errors, func(a, b *diagnostic) int {
		return cmp.Or(
			cmp.Compare(slices.Index(sources, a.source), slices.Index(sources, b.source)),
			cmp.Compare(a.line, b.line),
			cmp.Compare(a.key, b.key),
		)
	})
	errs := make([]error, len(ds.errors))
	for i, d := range ds.errors {
		errs[i] = d
	}
	return errors.Join(errs...)
}

// A position is that of a key in a configuration file, whether the key is there or not.
type position struct {
	file *parsedFile
	// path is like accounts[0].labels.team.
	path string
}

// key returns the position of a key in the mapping at p.
func (p position) key(name string) position {
	if p.path == "" {
		return position{p.file, name}
	}
	return position{p.file, p.path + "." + name}
}

// item returns the position of an item in the list at p.
func (p position) item(i int) position {
	return position{p.file, fmt.Sprintf("%s[%d]", p.path, i)}
}

// line returns the line of the key, or that of the nearest key above it in the path.
func (p position) line() int {
	for path := p.path; path != ""; path = path[:max(strings.LastIndexAny(path, ".["), 0)] {
		if line, ok := p.file.lines[path]; ok {
			return line
		}
	}
	return 1
}

func (p position) diagnosticf(format string, args ...any) *diagnostic {
	return &diagnostic{p.file.name, p.line(), p.path, fmt.Sprintf(format, args...)}
}

// errorf reports an error in what is written at p.
func (p position) errorf(format string, args ...any) {
	p.file.diagnostics.add(p.diagnosticf(format, args...))
}

// errorAt reports an error in a line that has no key of its own.
func (p position) errorAt(line int, text string) {
	p.file.diagnostics.add(&diagnostic{p.file.name, line, p.path, text})
}

// warnf warns of what is allowed and probably not meant.
func (p position) warnf(format string, args ...any) {
	p.file.diagnostics.warnings = append(p.file.diagnostics.warnings, p.diagnosticf(format, args...).Error())
}

// String returns file:line, for messages about another position.
func (p position) String() string { return fmt.Sprintf("%s:%d", p.file.name, p.line()) }

// hasErrors reports whether there is an error at p or below it, so that further checks would mislead.
func (p position) hasErrors() bool {
	return slices.ContainsFunc(p.file.diagnostics.errors, func(d *diagnostic) bool {
		rest, below := strings.CutPrefix(d.key, p.path)
		return d.source == p.file.name && below && (p.path == "" || rest == "" || rest[0] == '.' || rest[0] == '[')
	})
}
