package config

import (
	"bytes"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.yaml.in/yaml/v3"
)

// TestDecodeAgreesWithTheLibrary compares our decoder with the library's strict one: what ours accepts, the library decodes to the same values,
// and what the library rejects, ours rejects too.
func TestDecodeAgreesWithTheLibrary(t *testing.T) {
	files, err := filepath.Glob("testdata/*.*.yaml")
	if err != nil {
		t.Fatal(err)
	}
	agreed, refused := 0, 0
	for _, file := range append(files, "../../config.yaml") {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		var ours, theirs rawConfig
		l := newLoader(Options{})
		l.read(file, &ours)
		decoder := yaml.NewDecoder(bytes.NewReader(data))
		decoder.KnownFields(true)
		theirErr := decoder.Decode(&theirs)
		ourErr := l.diagnostics.err()
		if theirErr != nil {
			refused++
			if ourErr == nil {
				t.Errorf("%s: accepted, but the library says %v", file, theirErr)
			}
		}
		if ourErr != nil || theirErr != nil {
			continue
		}
		agreed++
		revealed := cmp.Transformer("Reveal", func(s Secret) string { return s.Reveal() })
		if diff := cmp.Diff(theirs, ours, revealed); diff != "" {
			t.Errorf("%s: (-library +ours):\n%s", file, diff)
		}
	}
	if agreed < 60 || refused < 20 {
		t.Errorf("only %d accepted by both, %d refused", agreed, refused)
	}
}

// TestKeptNumbers shows why the library's decoder is not used: an item that does not fit must not change the numbers of the others.
func TestKeptNumbers(t *testing.T) {
	file := filepath.Join(t.TempDir(), "config.yaml")
	if err := os.WriteFile(file, []byte("accounts:\n  - text\n  - {name: second}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	var raw rawConfig
	l := newLoader(Options{})
	l.read(file, &raw)
	if len(raw.Accounts) != 2 || raw.Accounts[1].Name != "second" {
		t.Errorf("accounts %+v", raw.Accounts)
	}
}

func TestHint(t *testing.T) {
	account := reflect.TypeFor[rawAccount]()
	for key, want := range map[string]string{
		"pasword_file": "did you mean password_file?",
		"user":         "did you mean username?",
		"HOST":         "did you mean server?",
		"password-env": "did you mean password_env?",
		"port":         "write it after the server: host:port",
		"folders":      "write mailboxes, which belongs to a module",
		"zebra":        "the keys here are ",
		"usrname":      "did you mean username?",
		"mailboxes":    "it belongs to a module",
		"ca_file":      "it belongs to tls_config, in a module",
		"web":          "it belongs to the top level",
		"level":        "it belongs to log, at the top level",
		"client_auth":  "the keys here are ",
	} {
		if got := hint(key, account); !strings.HasPrefix(got, want) {
			t.Errorf("%s: %s, want %s", key, got, want)
		}
	}
}

func TestDistance(t *testing.T) {
	for _, c := range []struct {
		a, b string
		want int
	}{{"", "", 0}, {"", "abc", 3}, {"abc", "", 3}, {"kitten", "sitting", 3}, {"server", "sever", 1}, {"name", "name", 0}} {
		if got := distance(c.a, c.b); got != c.want {
			t.Errorf("%s to %s: %d, want %d", c.a, c.b, got, c.want)
		}
	}
}
