package text

import (
	"strings"
	"testing"
	"unicode/utf8"
)

func TestPrintable(t *testing.T) {
	for in, want := range map[string]string{
		"plain text, ünïcode ☺":     "plain text, ünïcode ☺",
		"a\x00b\x1b[31m\r\n\tc":     `a\u{0}b\u{1b}[31m\u{d}\u{a}…`,
		"right\u202eleft":           `right\u{202e}left`,
		"bad \xff byte":             `bad \u{fffd} byte`,
		strings.Repeat("x", 30):     strings.Repeat("x", 30),
		strings.Repeat("x", 31):     strings.Repeat("x", 27) + "…",
		strings.Repeat("ü", 16):     strings.Repeat("ü", 13) + "…",
		strings.Repeat("\x01", 100): strings.Repeat(`\u{1}`, 5) + "…",
	} {
		got := Printable(in, 30)
		if got != want || len(got) > 30 || !utf8.ValidString(got) {
			t.Errorf("%q: got %q, want %q", in, got, want)
		}
	}
}

func TestLabelValue(t *testing.T) {
	for in, want := range map[string]string{
		"INBOX":                  "INBOX",
		"Entwürfe":               "Entwürfe",
		"a\x1b[31mb":             "a\ufffd[31mb",
		"bad\xff":                "bad\ufffd",
		"a\u202eb":               "a\ufffdb",
		strings.Repeat("ü", 100): strings.Repeat("ü", 10),
	} {
		if got := LabelValue(in, 10); got != want {
			t.Errorf("%q: got %q, want %q", in, got, want)
		}
	}
}

func FuzzLabelValue(f *testing.F) {
	f.Add("INBOX")
	f.Add("\xff\x00\u202e")
	f.Fuzz(func(t *testing.T, s string) {
		const most = 128
		v := LabelValue(s, most)
		if !utf8.ValidString(v) || utf8.RuneCountInString(v) > most {
			t.Errorf("LabelValue(%q) = %q", s, v)
		}
		if LabelValue(v, most) != v {
			t.Errorf("LabelValue changes its own %q", v)
		}
	})
}
