package imap

import (
	"strings"
	"testing"
	"unicode/utf8"
)

// names and their form on the wire; the third and fourth are of RFC 3501, section 5.1.3.
var names = map[string]string{
	"INBOX":                      `INBOX`,
	"Entwürfe":                   `"Entw&APw-rfe"`,
	"~peter/mail/台北/日本語":         `"~peter/mail/&U,BTFw-/&ZeVnLIqe-"`,
	"台北日本語":                      `"&U,BTF2XlZyyKng-"`,
	"":                           `""`,
	"Hi Mom -☺-!":                `"Hi Mom -&Jjo--!"`,
	"Tom & Jerry":                `"Tom &- Jerry"`,
	"ä&ö":                        `"&AOQ-&-&APY-"`,
	`back\slash "and" quotes`:    `"back\\slash \"and\" quotes"`,
	"emoji 😀 beyond the plane":   `"emoji &2D3eAA- beyond the plane"`,
	"tab\tand del\x7f":           `"tab&AAk-and del&AH8-"`,
	"Team Notes/2026 (archived)": `"Team Notes/2026 (archived)"`,
}

func TestEncodeMailbox(t *testing.T) {
	unquote := strings.NewReplacer(`\\`, `\`, `\"`, `"`)
	for name, want := range names {
		got := EncodeMailbox(name)
		if got != want {
			t.Errorf("%q: got %s, want %s", name, got, want)
		}
		wire := unquote.Replace(strings.TrimSuffix(strings.TrimPrefix(got, `"`), `"`))
		if back, ok := DecodeMailbox(wire); !ok || back != name {
			t.Errorf("%s: got back %q, %t", got, back, ok)
		}
	}
	if got := EncodeMailbox("inbox"); got != "INBOX" {
		t.Errorf("got %s", got)
	}
}

func TestDecodeMailbox(t *testing.T) {
	if got, ok := DecodeMailbox("Entwürfe"); !ok || got != "Entwürfe" {
		t.Errorf("a server that sends UTF-8: got %q, %t", got, ok)
	}
	for _, in := range []string{"&", "a&b", "&AAA", "&$$$-", "&AA-", "\xff", "&AOQ-\xfe"} {
		if got, ok := DecodeMailbox(in); ok {
			t.Errorf("%q: got %q", in, got)
		}
	}
}

func FuzzDecodeMailbox(f *testing.F) {
	for name, wire := range names {
		f.Add(name)
		f.Add(strings.Trim(wire, `"`))
	}
	f.Fuzz(func(t *testing.T, wire string) {
		name, ok := DecodeMailbox(wire)
		if ok && !utf8.ValidString(name) {
			t.Errorf("%q is no UTF-8", name)
		}
		if ok && strings.ContainsAny(EncodeMailbox(name), "\r\n\x00") {
			t.Errorf("%q would break a line", name)
		}
	})
}
