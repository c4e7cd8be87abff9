package wire

import (
	"encoding/base64"
	"encoding/binary"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// utf7 is base64 as mailbox names have it: ',' for '/', no padding (RFC 3501, section 5.1.3).
var utf7 = base64.NewEncoding("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+,").WithPadding(base64.NoPadding)

// Mailbox is name as it is sent: in modified UTF-7, quoted. INBOX is written in capitals in any case.
func Mailbox(name string) string {
	if strings.EqualFold(name, "INBOX") {
		return "INBOX"
	}
	var b strings.Builder
	var wide []rune
	flush := func() {
		if len(wide) > 0 {
			b.WriteString("&" + utf7.EncodeToString(utf16Bytes(wide)) + "-")
			wide = nil
		}
	}
	for _, r := range name {
		switch {
		case r < ' ' || r > '~':
			wide = append(wide, r)
			continue
		case r == '&':
			flush()
			b.WriteString("&-")
		default:
			flush()
			b.WriteRune(r)
		}
	}
	flush()
	return Quote(b.String())
}

func utf16Bytes(runes []rune) []byte {
	var b []byte
	for _, u := range utf16.Encode(runes) {
		b = binary.BigEndian.AppendUint16(b, u)
	}
	return b
}

var escaper = strings.NewReplacer(`\`, `\\`, `"`, `\"`)

// Quote makes a quoted string of s, which must be free of CR, LF and NUL.
func Quote(s string) string { return `"` + escaper.Replace(s) + `"` }

// DecodeMailbox is the name that a server sent as wire. ok is false for what is neither modified UTF-7 nor UTF-8.
func DecodeMailbox(wire string) (name string, ok bool) {
	var b strings.Builder
	for wire != "" {
		plain, rest, found := strings.Cut(wire, "&")
		b.WriteString(plain)
		if !found {
			break
		}
		encoded, after, closed := strings.Cut(rest, "-")
		if !closed {
			return "", false
		}
		wire = after
		if encoded == "" {
			b.WriteByte('&')
			continue
		}
		bytes, err := utf7.DecodeString(encoded)
		if err != nil || len(bytes)%2 != 0 {
			return "", false
		}
		units := make([]uint16, len(bytes)/2)
		for i := range units {
			units[i] = binary.BigEndian.Uint16(bytes[2*i:])
		}
		b.WriteString(string(utf16.Decode(units)))
	}
	return b.String(), utf8.ValidString(b.String())
}
