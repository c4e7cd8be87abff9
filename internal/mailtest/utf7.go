package mailtest

import (
	"encoding/base64"
	"errors"
	"strings"
	"unicode/utf16"
)

// mailboxBase64 is the alphabet of modified UTF-7: "," in place of "/", and no padding.
var mailboxBase64 = base64.NewEncoding("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+,").WithPadding(base64.NoPadding)

// EncodeMailbox writes a mailbox name in modified UTF-7 (RFC 3501, section 5.1.3).
func EncodeMailbox(name string) string {
	var b strings.Builder
	var wide []rune
	flush := func() {
		if len(wide) == 0 {
			return
		}
		var octets []byte
		for _, unit := range utf16.Encode(wide) {
			octets = append(octets, byte(unit>>8), byte(unit&0xff))
		}
		b.WriteString("&" + mailboxBase64.EncodeToString(octets) + "-")
		wide = nil
	}
	for _, r := range name {
		if r < ' ' || r > '~' {
			wide = append(wide, r)
			continue
		}
		flush()
		if r == '&' {
			b.WriteString("&-")
			continue
		}
		b.WriteRune(r)
	}
	flush()
	return b.String()
}

// DecodeMailbox reads a mailbox name in modified UTF-7.
func DecodeMailbox(encoded string) (string, error) {
	var b strings.Builder
	for encoded != "" {
		plain, rest, found := strings.Cut(encoded, "&")
		b.WriteString(plain)
		if !found {
			break
		}
		shifted, after, found := strings.Cut(rest, "-")
		if !found {
			return "", errors.New("modified UTF-7: & without its -")
		}
		encoded = after
		if shifted == "" {
			b.WriteByte('&')
			continue
		}
		octets, err := mailboxBase64.DecodeString(shifted)
		if err != nil || len(octets)%2 != 0 {
			return "", errors.New("modified UTF-7: what stands between & and - is not UTF-16 in base64")
		}
		units := make([]uint16, len(octets)/2)
		for i := range units {
			units[i] = uint16(octets[2*i])<<8 | uint16(octets[2*i+1])
		}
		b.WriteString(string(utf16.Decode(units)))
	}
	return b.String(), nil
}
