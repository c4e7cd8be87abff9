package mailtest

import "testing"

func TestMailboxNames(t *testing.T) {
	for name, encoded := range map[string]string{
		"":                   "",
		"INBOX":              "INBOX",
		"Entwürfe":           "Entw&APw-rfe",
		"R&D":                "R&-D",
		"台北日本語":              "&U,BTF2XlZyyKng-",
		"~peter/mail/台北/日本語": "~peter/mail/&U,BTFw-/&ZeVnLIqe-",
		"😀":                  "&2D3eAA-",
	} {
		if got := EncodeMailbox(name); got != encoded {
			t.Errorf("EncodeMailbox(%q) = %q, want %q", name, got, encoded)
		}
		if got, err := DecodeMailbox(encoded); got != name || err != nil {
			t.Errorf("DecodeMailbox(%q) = %q, %v, want %q", encoded, got, err, name)
		}
	}
	for _, encoded := range []string{"&", "&AP", "&AP-", "&!!!-"} {
		if got, err := DecodeMailbox(encoded); err == nil {
			t.Errorf("DecodeMailbox(%q) = %q without an error", encoded, got)
		}
	}
}
