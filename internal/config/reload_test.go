package config_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"imap-exporter/internal/config"
)

// edited loads a copy of testdata's every-key.good.yaml and what it names, in which one text is replaced by another.
func edited(t *testing.T, dir, from, to string) *config.Config {
	t.Helper()
	text, err := os.ReadFile("testdata/every-key.good.yaml")
	if err != nil {
		t.Fatal(err)
	}
	if from != "" && !strings.Contains(string(text), from) {
		t.Fatalf("no %q", from)
	}
	file := filepath.Join(dir, "config.yaml")
	if err := os.WriteFile(file, []byte(strings.Replace(string(text), from, to, 1)), 0o600); err != nil {
		t.Fatal(err)
	}
	c, err := load(t, file)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// copyTestdata copies testdata to a directory of its own.
func copyTestdata(t *testing.T) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "testdata")
	if err := os.CopyFS(dir, os.DirFS("testdata")); err != nil {
		t.Fatal(err)
	}
	return dir
}

// Two loads of one file are alike, and any key of an account or its module makes it another account.
func TestDiff(t *testing.T) {
	dir := copyTestdata(t)
	before := edited(t, dir, "", "")
	for _, c := range []struct {
		from, to string
		want     config.Changes
	}{
		{"", "", config.Changes{}},
		{"level: debug", "level: info", config.Changes{}},
		{"name: canary", "name: canaries", config.Changes{Added: []string{"canaries"}, Removed: []string{"canary"}}},
	} {
		if diff := cmp.Diff(c.want, edited(t, dir, c.from, c.to).Diff(before)); diff != "" {
			t.Errorf("%q for %q (-want +got):\n%s", c.to, c.from, diff)
		}
	}
	changed := config.Changes{Changed: []string{"canary"}}
	for _, c := range [][2]string{
		{"interval: 5m", "interval: 6m"},
		{"timeout: 1m30s", "timeout: 1m20s"},
		{"retry_interval: 2m", "retry_interval: 3m"},
		{"ip_family: 6", "ip_family: auto"},
		{"server_name: mail.example.org", "server_name: imap.example.org"},
		{"min_version: TLS13", "min_version: TLS12"},
		{"auth: scram-sha-256", "auth: plain"},
		{"read_only: false", "read_only: true"},
		{"section: full", "section: text"},
		{"Archive/*", "Archive/%"},
		{"quota: false", "quota: true"},
		{"send_id: true", "send_id: false"},
		{"server: imap.example.org:1143", "server: imap.example.org:1144"},
		{"username: canary@example.org", "username: canary2@example.org"},
		{"team: mail", "team: web"},
	} {
		if diff := cmp.Diff(changed, edited(t, dir, c[0], c[1]).Diff(before)); diff != "" {
			t.Errorf("%q for %q (-want +got):\n%s", c[1], c[0], diff)
		}
	}
}

// Certificates count by their content, secrets by where they come from: a file by its path, what is read once by itself.
func TestDiffFiles(t *testing.T) {
	dir := copyTestdata(t)
	before := edited(t, dir, "", "")
	changed := config.Changes{Changed: []string{"canary"}}
	if err := os.WriteFile(filepath.Join(dir, "secrets", "password"), []byte("canary-other-secret"), 0o600); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(config.Changes{}, edited(t, dir, "", "").Diff(before)); diff != "" {
		t.Errorf("another secret in the file: %s", diff)
	}
	pem, err := os.ReadFile(filepath.Join(dir, "tls", "client.pem"))
	if err != nil {
		t.Fatal(err)
	}
	ca := filepath.Join(dir, "tls", "ca.pem")
	if err := os.WriteFile(ca, pem, 0o600); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(changed, edited(t, dir, "", "").Diff(before)); diff != "" {
		t.Errorf("another authority: %s", diff)
	}

	t.Setenv("CANARY_TEST_PASSWORD", "canary-one-secret")
	environment := edited(t, dir, "password_file: secrets/password", "password_env: CANARY_TEST_PASSWORD")
	inline := edited(t, dir, "password_file: secrets/password", "password: canary-one-secret")
	same := edited(t, dir, "password_file: secrets/password", "password: canary-one-secret")
	t.Setenv("CANARY_TEST_PASSWORD", "canary-two-secret")
	environment2 := edited(t, dir, "password_file: secrets/password", "password_env: CANARY_TEST_PASSWORD")
	for name, c := range map[string]struct {
		a, b *config.Config
		want config.Changes
	}{
		"the same password":       {inline, same, config.Changes{}},
		"another password":        {inline, environment2, changed},
		"another in the variable": {environment, environment2, changed},
	} {
		if diff := cmp.Diff(c.want, c.b.Diff(c.a)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

func TestNeedRestart(t *testing.T) {
	dir := copyTestdata(t)
	before := edited(t, dir, "", "")
	for _, c := range []struct{ from, to, want string }{
		{"", "", "[]"},
		{"level: debug", "level: info", "[]"},
		{"enabled: true", "enabled: false", "[]"},
		{"127.0.0.1:10993", "127.0.0.1:10994", "[web.listen_address]"},
		{"config_file: web.yaml", "", "[web.config_file]"},
		{"192.0.2.1", "192.0.2.2", "[web.allowed_hosts]"},
		{"localhost:10994", "localhost:10995", "[web.debug_listen_address]"},
		{"format: json", "format: logfmt", "[log.format]"},
		{"max_concurrent: 8", "max_concurrent: 9", "[max_concurrent]"},
		{"max_concurrent_per_server: 4", "max_concurrent_per_server: 5", "[max_concurrent_per_server]"},
		{"histograms: native", "histograms: both", "[histograms]"},
	} {
		if got := fmt.Sprint(edited(t, dir, c.from, c.to).NeedRestart(before)); got != c.want {
			t.Errorf("%q for %q: %s, want %s", c.to, c.from, got, c.want)
		}
	}
}

// Whatever of a configuration changes is noticed, and when it is being written, too; but not what is read at each login.
func TestSourcesChanged(t *testing.T) {
	past := time.Now().Add(-time.Hour)
	for name, c := range map[string]struct {
		change  func(dir string) error
		touched string // the file that looks as if it was written long ago
		want    bool
	}{
		"nothing":              {func(string) error { return nil }, "", false},
		"same content":         {appendTo("config.yaml", ""), "config.yaml", false},
		"the file":             {appendTo("config.yaml", "# x"), "config.yaml", true},
		"the file, just now":   {appendTo("config.yaml", "# x"), "", true},
		"the file, gone":       {remove("config.yaml"), "", true},
		"an account file":      {appendTo("accounts.d/second.yaml", "# x"), "accounts.d/second.yaml", true},
		"a new account file":   {appendTo("accounts.d/some.yaml", "accounts: []"), "accounts.d/some.yaml", true},
		"one, just now":        {appendTo("accounts.d/some.yaml", "accounts: []"), "", true},
		"one less":             {remove("accounts.d/second.yaml"), "", true},
		"an authority":         {appendTo("tls/ca.pem", "x"), "tls/ca.pem", true},
		"a client certificate": {appendTo("tls/client.pem", "x"), "tls/client.pem", true},
		"a key":                {appendTo("tls/client.key", "x"), "tls/client.key", true},
		"a secret":             {appendTo("secrets/password", "x"), "secrets/password", false},
	} {
		dir := copyTestdata(t)
		c0 := edited(t, dir, "accounts.d/second.yaml", "accounts.d/s*.yaml")
		err := filepath.WalkDir(dir, func(path string, _ os.DirEntry, _ error) error { return os.Chtimes(path, past, past) })
		if err == nil {
			err = c.change(dir)
		}
		if err == nil && c.touched != "" {
			err = os.Chtimes(filepath.Join(dir, c.touched), past, past)
		}
		if err != nil {
			t.Fatal(err)
		}
		if got := c0.Sources.Changed(); got != c.want {
			t.Errorf("%s: changed: %v", name, got)
		}
		if got := c0.Sources.Settled(); got == strings.HasSuffix(name, "just now") {
			t.Errorf("%s: settled: %v", name, got)
		}
	}
}

func appendTo(name, text string) func(string) error {
	return func(dir string) error {
		path := filepath.Join(dir, name)
		data, err := os.ReadFile(path)
		if err != nil && !os.IsNotExist(err) {
			return err
		}
		return os.WriteFile(path, append(data, text...), 0o600)
	}
}

func remove(name string) func(string) error {
	return func(dir string) error { return os.Remove(filepath.Join(dir, name)) }
}

// What is read of a file that is rewritten all the time is what once was in it, or an error.
func TestLoadDuringRewrites(t *testing.T) {
	texts := make([]string, 2)
	for i, server := range []string{"one.example.org", "two.example.org"} {
		var b strings.Builder
		b.WriteString("accounts:\n")
		for n := range 300 {
			fmt.Fprintf(&b, "  - {name: account-%d, server: %s, username: u, password: canary-rewritten-secret}\n", n, server)
		}
		texts[i] = b.String()
	}
	file := writeFile(t, "config.yaml", texts[0])
	turns, written := make(chan int), make(chan error, 1)
	go func() {
		var err error
		for i := range turns {
			err = errors.Join(err, os.WriteFile(file, []byte(texts[i%2]), 0o600))
		}
		written <- err
	}()
	whole := 0
	for i := range 60 {
		turns <- i
		c, err := load(t, file)
		if err != nil {
			continue
		}
		whole++
		for _, a := range c.Accounts {
			if a.Target.Server != c.Accounts[0].Target.Server {
				t.Fatalf("half of one file, half of another: %s, %s", c.Accounts[0].Target.Server, a.Target.Server)
			}
		}
	}
	close(turns)
	if err := <-written; err != nil {
		t.Error(err)
	}
	if t.Logf("%d of 60 loads succeeded", whole); whole == 0 {
		t.Error("no load succeeded")
	}
}

// A fingerprint changes with the secret's content, and doesn't reveal it.
func TestFingerprint(t *testing.T) {
	file := writeFile(t, "canary.password", "canary-first-secret")
	text := fmt.Sprintf(`
modules: [{name: open, auth: none}]
accounts:
  - {name: file, server: a.example.org, username: u, password_file: %q}
  - {name: inline, server: a.example.org, username: u, password: canary-first-secret}
  - {name: open, server: a.example.org, module: open}
`, file)
	configuration := writeFile(t, "config.yaml", text)
	fingerprints := func() (all [3]string) {
		c, err := load(t, configuration)
		if err != nil {
			t.Fatal(err)
		}
		for i, a := range c.Accounts {
			all[i] = a.Fingerprint()
		}
		return all
	}
	first := fingerprints()
	if first[0] != first[1] || first[0] == "" || first[2] != "" || strings.Contains(first[0], "canary") {
		t.Errorf("fingerprints %q", first)
	}
	c, err := load(t, configuration)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte("canary-second-secret"), 0o600); err != nil {
		t.Fatal(err)
	}
	if got := c.Accounts[0].Fingerprint(); got == first[0] || got == "" || got != fingerprints()[0] {
		t.Errorf("after the change: %q, then %q", first[0], got)
	}
	if err := os.Remove(file); err != nil {
		t.Fatal(err)
	}
	if got := c.Accounts[0].Fingerprint(); got != "" {
		t.Errorf("without the file: %q", got)
	}
}
