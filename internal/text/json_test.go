package text

import (
	"encoding/json"
	"strings"
	"testing"
	"unicode"
)

func TestEscapeJSON(t *testing.T) {
	for _, s := range []string{"", "ok", "Entwürfe 📫", "\x00\x1b[31m\x7f", "\u009b31m", "\u202egnp.exe\u2066", "\ue000\U000e0001", "\u2028"} {
		plain, err := json.Marshal(map[string]string{"key": s})
		if err != nil {
			t.Fatal(err)
		}
		escaped := EscapeJSON(plain)
		if i := strings.IndexFunc(string(escaped), func(r rune) bool { return !unicode.IsPrint(r) }); i >= 0 {
			t.Errorf("%q leaves %q at %d", s, escaped, i)
		}
		var got map[string]string
		if err := json.Unmarshal(escaped, &got); err != nil || got["key"] != s {
			t.Errorf("%q is read as %q: %v", s, got["key"], err)
		}
	}
	if got := string(EscapeJSON([]byte("{\n  \"a\": \"ü\u0085\"\n}\n"))); got != "{\n  \"a\": \"ü\\u0085\"\n}\n" {
		t.Errorf("%q", got)
	}
}
