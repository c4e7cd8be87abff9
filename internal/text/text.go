// Package text makes values readable, and text from outside safe to show.
package text

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Printable makes s safe for terminals, logs and pages: control, bidirectional and invalid characters are escaped, and
// the result is cut to maxBytes bytes, of which "…" takes the last.
func Printable(s string, maxBytes int) string {
	if len(s) <= maxBytes && !strings.ContainsFunc(s, func(r rune) bool { return r < ' ' || r > '~' }) {
		return s
	}
	const mark = "…"
	var b strings.Builder
	fits := 0 // bytes that leave room for the mark
	for _, r := range s {
		piece := string(r)
		if r == utf8.RuneError || !unicode.IsPrint(r) {
			piece = fmt.Sprintf(`\u{%x}`, r)
		}
		if b.Len()+len(piece) > maxBytes {
			return b.String()[:fits] + mark
		}
		b.WriteString(piece)
		if b.Len()+len(mark) <= maxBytes {
			fits = b.Len()
		}
	}
	return b.String()
}

// LabelValue makes s fit to be the value of a label: characters that aren't printable, and bytes that aren't UTF-8, become
// U+FFFD, and only the first maxRunes characters are kept.
func LabelValue(s string, maxRunes int) string {
	if len(s) <= maxRunes && !strings.ContainsFunc(s, func(r rune) bool { return r < ' ' || r > '~' }) {
		return s
	}
	var b strings.Builder
	for _, r := range s {
		if maxRunes--; maxRunes < 0 {
			break
		}
		if !unicode.IsPrint(r) {
			r = utf8.RuneError
		}
		b.WriteRune(r)
	}
	return b.String()
}
