package wire

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// MaxText bounds what is kept of a server's text, in bytes.
const MaxText = 200

// Printable makes s fit for logs: control, bidirectional and invalid characters are escaped, and what is
// longer than limit bytes is cut.
func Printable(s string, limit int) string {
	if len(s) <= limit && !strings.ContainsFunc(s, func(r rune) bool { return r < ' ' || r > '~' }) {
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
		if b.Len()+len(piece) > limit {
			return b.String()[:fits] + mark
		}
		b.WriteString(piece)
		if b.Len()+len(mark) <= limit {
			fits = b.Len()
		}
	}
	return b.String()
}
