package text

import (
	"fmt"
	"unicode"
	"unicode/utf16"
	"unicode/utf8"
)

// EscapeJSON escapes the characters of a JSON text on which a terminal would act: control characters beyond those that
// JSON has to escape (DEL, C1), bidirectional marks and whatever else isn't printable. A program that reads the JSON
// gets them back. White space between values stays.
func EscapeJSON(json []byte) []byte {
	clean := true
	for i := 0; i < len(json) && clean; i++ {
		clean = json[i] < 0x7f
	}
	if clean {
		return json
	}
	escaped := make([]byte, 0, len(json)+len(json)/8)
	for len(json) > 0 {
		r, size := utf8.DecodeRune(json)
		switch {
		case r < ' ' || unicode.IsPrint(r):
			escaped = append(escaped, json[:size]...)
		case r > 0xffff:
			high, low := utf16.EncodeRune(r)
			escaped = fmt.Appendf(escaped, `\u%04x\u%04x`, high, low)
		default:
			escaped = fmt.Appendf(escaped, `\u%04x`, r)
		}
		json = json[size:]
	}
	return escaped
}
