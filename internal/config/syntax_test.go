package config_test

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"imap-exporter/internal/config"
)

// The lines of syntax errors are right however far the error is from what encloses it, in files of any size.
func TestLineOfSyntaxErrors(t *testing.T) {
	const before, after = 800, 800
	item := "  - {name: account-%, server: imap.example.org, username: u, password: p}\n"
	many := func(n int) string { return strings.Repeat(item, n) }
	for _, c := range []struct {
		name, wrong string
		line        int // after the first before+1
	}{
		{"a quote", "  - name: 'it's'\n", 1},
		{"an open quote", "  - name: 'open\n", 1},
		{"an alias", "  - name: *alias\n", 1},
		{"a tab", "  - name: canary\n\tserver: x\n", 2},
		{"an open list", "  - [\n", 1},
		{"a long list, and then a tab", "  - [\n" + strings.Repeat("    x,\n", 100) + "    y]\n\tz: 1\n", 103},
	} {
		file := filepath.Join(t.TempDir(), "config.yaml")
		replace(t, file, "accounts:\n"+many(before)+c.wrong+many(after))
		_, err := config.Load(config.Options{File: file})
		if want := fmt.Sprintf("%s:%d: not valid YAML: ", file, before+1+c.line); err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%s: %v, want %s", c.name, err, want)
		}
	}
}
