package config_test

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"imap-exporter/internal/config"
)

// fuzzCanary is the sentinel secret that replaces each CANARY in the input.
const fuzzCanary = "canary-fuzz-8d1c-secret"

// asPassword finds where CANARY stands where a password belongs.
var asPassword = regexp.MustCompile(`(?m)^[ \t{,-]*(?:[^#\n]*[,{][ \t]*)?["']?password["']?[ \t]*:[^\n]*CANARY[^\n]*$`)

// FuzzLoad reads configurations that may be anything: it neither panics nor quotes what was given as a password, neither in
// what is wrong nor in what is doubtful nor in what it returns.
func FuzzLoad(f *testing.F) {
	files, err := filepath.Glob("testdata/*.yaml")
	if err != nil || len(files) == 0 {
		f.Fatalf("%d files, %v", len(files), err)
	}
	inline := regexp.MustCompile(`(?m)(password: *)("?)[^\n"}{&*!]+("?)`)
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
		f.Add(inline.ReplaceAll(data, []byte("${1}${2}CANARY${3}")))
	}
	const account = "accounts:\n  - name: a\n    server: localhost\n    username: u\n    password: %s\n"
	for _, value := range []string{
		"CANARY", "*CANARY", "&CANARY", "!CANARY x", "!!int CANARY", "[CANARY]", "{CANARY: 1}", "\"CANARY", "'CANARY", "|\n      CANARY", "CANARY: CANARY",
		"CANARY # CANARY", "@CANARY", "`CANARY", "%CANARY", "? CANARY", "\"\\xCANARY\"", "\"CANARY\\n\"", "CANARY\n    CANARY: x", "\tCANARY", "2024-01-01 CANARY", "",
	} {
		f.Add(fmt.Appendf(nil, account, value))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		text := string(data)
		elsewhere := strings.Contains(asPassword.ReplaceAllString(text, ""), "CANARY")
		if strings.Contains(text, "/dev/") || strings.Contains(text, "/proc/") {
			t.Skip("it would read what never ends")
		}
		file := filepath.Join(t.TempDir(), "config.yaml")
		if err := os.WriteFile(file, []byte(strings.ReplaceAll(text, "CANARY", fuzzCanary)), 0o600); err != nil {
			t.Fatal(err)
		}
		cfg, err := config.Load(config.Options{File: file, Demo: newDemo()})
		if (cfg == nil) == (err == nil) {
			t.Errorf("got %v and %v", cfg, err)
		}
		said := fmt.Sprintf("%v %+v", err, cfg)
		if cfg != nil {
			for _, a := range cfg.Accounts {
				said += fmt.Sprintf(" %+v %+v", a, *a.Target)
			}
			said += strings.Join(cfg.Warnings, " ")
		}
		if !elsewhere && strings.Contains(strings.ToLower(said), fuzzCanary) {
			t.Errorf("it says %s", said)
		}
		if err != nil {
			for line := range strings.Lines(err.Error()) {
				if strings.ContainsAny(strings.TrimSuffix(line, "\n"), "\x00\x1b\r\u202e") {
					t.Errorf("the error has the line %q", line)
				}
			}
		}
	})
}
