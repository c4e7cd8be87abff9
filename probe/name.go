package probe

import (
	"strings"
	"unicode"
)

// label makes a name that a server sent fit to be a label value: valid, printable UTF-8 of at most MaxNameRunes, free of
// what is secret.
func (s *session) label(name string) string {
	runes := []rune(strings.Map(func(r rune) rune {
		if unicode.IsPrint(r) {
			return r
		}
		return unicode.ReplacementChar
	}, s.gate.Redact(name)))
	return string(runes[:min(len(runes), MaxNameRunes)])
}
