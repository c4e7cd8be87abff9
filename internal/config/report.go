package config

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode"
)

// A problem is one thing wrong with the configuration, or doubtful: where it stands, and what to write instead.
type problem struct {
	// source is a file, a flag or an environment variable.
	source string
	// line is 0 where source is no file.
	line int
	// key is "" where the file as a whole is meant.
	key  string
	text string
}

// Error gives the problem in one line, whatever the name of a file holds.
func (p *problem) Error() string {
	where := p.source
	if p.line > 0 {
		where = fmt.Sprintf("%s:%d", where, p.line)
	}
	if p.key != "" {
		where += ": " + p.key
	}
	return strings.Map(func(r rune) rune {
		if unicode.IsPrint(r) {
			return r
		}
		return unicode.ReplacementChar
	}, where+": "+p.text)
}

// A report collects what Load finds.
type report struct {
	problems []*problem
	warnings []string
}

func (r *report) add(p *problem) { r.problems = append(r.problems, p) }

// err joins the problems, file by file and line by line; nil without any.
func (r *report) err() error {
	var sources []string
	for _, p := range r.problems {
		if !slices.Contains(sources, p.source) {
			sources = append(sources, p.source)
		}
	}
	slices.SortStableFunc(r.problems, func(a, b *problem) int {
		return cmp.Or(
			cmp.Compare(slices.Index(sources, a.source), slices.Index(sources, b.source)),
			cmp.Compare(a.line, b.line),
			cmp.Compare(a.key, b.key),
		)
	})
	errs := make([]error, len(r.problems))
	for i, p := range r.problems {
		errs[i] = p
	}
	return errors.Join(errs...)
}

// A place is a key in a document, present or not: the address of problems.
type place struct {
	doc  *document
	path string
}

func (p place) key(name string) place {
	if p.path == "" {
		return place{p.doc, name}
	}
	return place{p.doc, p.path + "." + name}
}

func (p place) item(i int) place {
	return place{p.doc, fmt.Sprintf("%s[%d]", p.path, i)}
}

// line returns where the key stands, or else the nearest key above it.
func (p place) line() int {
	for path := p.path; path != ""; path = path[:max(strings.LastIndexAny(path, ".["), 0)] {
		if line, ok := p.doc.lines[path]; ok {
			return line
		}
	}
	return 1
}

func (p place) problem(format string, args ...any) *problem {
	return &problem{p.doc.file, p.line(), p.path, fmt.Sprintf(format, args...)}
}

func (p place) refuse(format string, args ...any) {
	p.doc.report.add(p.problem(format, args...))
}

// refuseAt is for what has no key of its own.
func (p place) refuseAt(line int, text string) {
	p.doc.report.add(&problem{p.doc.file, line, p.path, text})
}

func (p place) warn(format string, args ...any) {
	p.doc.report.warnings = append(p.doc.report.warnings, p.problem(format, args...).Error())
}

// String gives the place as file:line, for messages about another place.
func (p place) String() string { return fmt.Sprintf("%s:%d", p.doc.file, p.line()) }

// broken reports whether something at this place or below it was refused, so that checks of its meaning would mislead.
func (p place) broken() bool {
	return slices.ContainsFunc(p.doc.report.problems, func(q *problem) bool {
		rest, below := strings.CutPrefix(q.key, p.path)
		return q.source == p.doc.file && below && (p.path == "" || rest == "" || rest[0] == '.' || rest[0] == '[')
	})
}
