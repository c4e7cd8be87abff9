package imap

import (
	"encoding/base64"
	"encoding/binary"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// utf7 is base64 as used in mailbox names: ',' for '/', no padding (RFC 3501, section 5.1.3).
var utf7 = base64.NewEncoding("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+,").WithPadding(base64.NoPadding)

// Inbox is the name of the mailbox that every account has.
const Inbox = "INBOX"

// FoldInbox returns name, but INBOX in capitals: its case alone does not matter (RFC 9051, section 5.1).
func FoldInbox(name string) string {
	if strings.EqualFold(name, Inbox) {
		return Inbox
	}
	return name
}

// EncodeMailbox is name as it is sent: in modified UTF-7, quoted; INBOX as it is.
func EncodeMailbox(name string) string {
	if name = FoldInbox(name); name == Inbox {
		return name
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

// DecodeMailbox is the name that a server sent as encoded. ok is false for what is neither modified UTF-7 nor UTF-8.
func DecodeMailbox(encoded string) (name string, ok bool) {
	var b strings.Builder
	for encoded != "" {
		plain, rest, found := strings.Cut(encoded, "&")
		b.WriteString(plain)
		if !found {
			break
		}
		wide, after, closed := strings.Cut(rest, "-")
		if !closed {
			return "", false
		}
		encoded = after
		if wide == "" {
			b.WriteByte('&')
			continue
		}
		bytes, err := utf7.DecodeString(wide)
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
