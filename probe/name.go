package probe

import (
	"strings"
	"unicode"
)

// printableName makes a name that a server sent fit to be a label value: valid, printable UTF-8 of at most MaxNameRunes.
func printableName(name string) string {
	runes := []rune(strings.Map(func(r rune) rune {
		if unicode.IsPrint(r) {
			return r
		}
		return unicode.ReplacementChar
	}, name))
	return string(runes[:min(len(runes), MaxNameRunes)])
}
