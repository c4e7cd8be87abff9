package config_test

import (
	"crypto/x509"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"

	"imap-exporter/internal/config"
)

// fakeDemo has the embedded servers' names but starts nothing.
type fakeDemo struct{ roots *x509.CertPool }

func (fakeDemo) Names() []string {
	return []string{
		"demo", "demo-slow", "demo-quota", "demo-growing", "demo-starttls", "demo-certificate", "demo-rejected", "demo-hanging", "demo-busy",
	}
}

func (d fakeDemo) Lookup(name string) (string, *x509.CertPool, error) {
	return fmt.Sprintf("localhost:%d", 40000+slices.Index(d.Names(), name)), d.roots, nil
}

func newDemo() fakeDemo { return fakeDemo{x509.NewCertPool()} }

// load reads a configuration with nothing but the file.
func load(t *testing.T, file string) (*config.Config, error) {
	t.Helper()
	return config.Load(config.Options{File: file, Demo: newDemo()})
}

// comments returns what a file's comments `# word: …` say.
func comments(t *testing.T, file, word string) []string {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var texts []string
	for line := range strings.Lines(strings.TrimPrefix(string(data), "\ufeff")) {
		if text, ok := strings.CutPrefix(line, "# "+word+": "); ok {
			texts = append(texts, strings.TrimSuffix(text, "\n"))
		}
	}
	return texts
}

// inTestdata makes the working directory the files' own, so that messages are those of the comments: a copy, which nobody
// else may read, whatever a checkout made of their modes.
func inTestdata(t *testing.T) {
	t.Helper()
	t.Chdir(copyTestdata(t))
}

func TestBadFiles(t *testing.T) {
	inTestdata(t)
	files, err := filepath.Glob("*.bad.yaml")
	if err != nil || len(files) < 40 {
		t.Fatalf("%d files, %v", len(files), err)
	}
	for _, file := range files {
		t.Run(file, func(t *testing.T) {
			want := comments(t, file, "want")
			_, err := load(t, file)
			if err == nil {
				t.Fatal("accepted")
			}
			if diff := cmp.Diff(want, strings.Split(err.Error(), "\n")); diff != "" {
				t.Errorf("errors (-want +got):\n%s", diff)
			}
			if strings.Contains(err.Error(), "hunter") {
				t.Error("the error shows a secret")
			}
		})
	}
}

func TestGoodFiles(t *testing.T) {
	inTestdata(t)
	files, err := filepath.Glob("*.good.yaml")
	if err != nil || len(files) < 12 {
		t.Fatalf("%d files, %v", len(files), err)
	}
	for _, file := range files {
		t.Run(file, func(t *testing.T) {
			for _, env := range comments(t, file, "env") {
				name, value, _ := strings.Cut(env, "=")
				t.Setenv(name, value)
			}
			c, err := load(t, file)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(comments(t, file, "warn"), c.Warnings); diff != "" {
				t.Errorf("warnings (-want +got):\n%s", diff)
			}
			for _, a := range c.Accounts {
				needsSecret := a.Target.Auth != "none" && a.Target.Auth != "external"
				if needsSecret != (a.Target.Secret != nil) {
					t.Errorf("account %s: auth %s, secret %v", a.Target.Account, a.Target.Auth, a.Target.Secret != nil)
				}
				if (a.Target.TLSMode == "none") != (a.Target.TLSConfig == nil) {
					t.Errorf("account %s: tls %s with TLSConfig %v", a.Target.Account, a.Target.TLSMode, a.Target.TLSConfig)
				}
			}
		})
	}
}

// loadAccount returns the only account of a file, or the one of that name.
func loadAccount(t *testing.T, file, name string) config.Account {
	t.Helper()
	c, err := load(t, file)
	if err != nil {
		t.Fatal(err)
	}
	i := slices.IndexFunc(c.Accounts, func(a config.Account) bool { return a.Target.Account == name })
	if i < 0 {
		t.Fatalf("%s: no account %s", file, name)
	}
	return c.Accounts[i]
}

func TestAccountFiles(t *testing.T) {
	inTestdata(t)
	c, err := load(t, "account-files.good.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, a := range c.Accounts {
		names = append(names, a.Target.Account)
	}
	if !slices.Equal(names, []string{"canary", "second"}) {
		t.Errorf("accounts %v", names)
	}
}

// TestOddFiles has what no file in testdata can be.
func TestOddFiles(t *testing.T) {
	dir := t.TempDir()
	pipe := filepath.Join(dir, "pipe")
	if err := unix.Mkfifo(pipe, 0o600); err != nil {
		t.Fatal(err)
	}
	huge := filepath.Join(dir, "huge")
	if err := os.WriteFile(huge, []byte("a: b"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(huge, 16<<20+1); err != nil {
		t.Fatal(err)
	}
	for file, want := range map[string]string{
		dir:                                 "is a directory, not a file",
		pipe:                                "is not a regular file",
		huge:                                "is larger than 16 MiB",
		filepath.Join(dir, "none"):          "no such file or directory: name another file with --config.file, or write one with imap-exporter init",
		writeFile(t, "utf-16", "\xff\xfea"): "1: starts with a byte order mark: save it as UTF-8 without one",
	} {
		if _, err := load(t, file); err == nil || !strings.HasSuffix(err.Error(), want) || !strings.HasPrefix(err.Error(), file+":") {
			t.Errorf("%v, want %s: %s", err, file, want)
		}
	}
}

func TestNoDemoServers(t *testing.T) {
	inTestdata(t)
	if _, err := config.Load(config.Options{File: "demo.good.yaml"}); err == nil || !strings.Contains(err.Error(), "no such demo server") {
		t.Errorf("%v", err)
	}
}

// writeFile writes a file into a directory of its own.
func writeFile(t *testing.T, name, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func readLines(t *testing.T, file string) []string {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return strings.Split(string(data), "\n")
}
