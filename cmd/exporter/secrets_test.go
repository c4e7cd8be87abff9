package main

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"imap-exporter/internal/mailtest"
)

// No flag takes a secret: everybody on a machine may read the arguments of every process.
func TestNoFlagTakesASecret(t *testing.T) {
	secret := regexp.MustCompile(`(?i)passw|secret|token|credential|auth`)
	harmless := map[string]string{
		"password-file":        "the name of a file",
		"token-file":           "the name of a file",
		"auth":                 "how to log in",
		"allow-plaintext-auth": "yes or no",
	}
	arguments := map[string]string{"imap-exporter probe": "names of accounts", "imap-exporter man": "the name of a folder"}
	var visit func(*cobra.Command)
	flags := 0
	visit = func(c *cobra.Command) {
		c.InheritedFlags() // Adds those of the commands above.
		c.Flags().VisitAll(func(f *pflag.Flag) {
			flags++
			if secret.MatchString(f.Name) && harmless[f.Name] == "" {
				t.Errorf("%s: --%s", c.CommandPath(), f.Name)
			}
		})
		if takes := c.ValidateArgs([]string{"canary-argument-secret"}) == nil; takes != (arguments[c.CommandPath()] != "") {
			t.Errorf("%s takes arguments: %v", c.CommandPath(), takes)
		}
		for _, sub := range c.Commands() {
			visit(sub)
		}
	}
	visit(newRootCommand())
	if flags < 10 {
		t.Errorf("only %d flags were looked at", flags)
	}
}

// A rotation is an account whose password is changed twice: on the server, or in the file.
type rotation struct {
	name    string
	changes [2]passwordChange
	server  *mailtest.Server
	file    string
}

type passwordChange struct{ where, password string }

func (r *rotation) apply(t *testing.T, c passwordChange) {
	t.Helper()
	if c.where == "server" {
		r.server.Update(func(d *mailtest.Data) { d.User(mailtest.DemoUser).Password = c.password })
		return
	}
	if err := os.WriteFile(r.file+".new", []byte(c.password+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(r.file+".new", r.file); err != nil {
		t.Fatal(err)
	}
}

// refused counts the logins that were refused.
func (r *rotation) refused() (n int) {
	for _, conversation := range r.server.Conversations() {
		verbs := conversation.Verbs()
		if slices.Contains(verbs, "LOGIN") && !slices.Contains(verbs, "EXAMINE") && !conversation.Open {
			n++
		}
	}
	return n
}

// A password is changed on the server, then in the file; or a wrong one is put into the file, then the right one. Without a
// restart or a reload, the next login uses what is in the file, even while logins are suspended. One login is refused before
// that, and no more.
func TestRotation(t *testing.T) {
	const first, second = "canary-rotation-1-secret", "canary-rotation-2-secret"
	folder := t.TempDir()
	rotations := []*rotation{
		{name: "renewed", changes: [2]passwordChange{{"server", second}, {"file", second}}},
		{name: "misspelt", changes: [2]passwordChange{{"file", second}, {"file", first}}},
	}
	text := "modules:\n  - {name: quick, interval: 1s, timeout: 1s, tls: none, auth: login, allow_plaintext_auth: true}\naccounts:\n"
	for _, r := range rotations {
		user := mailtest.NewUser(time.Now())
		user.Password = first
		r.server = startServer(t, mailtest.Options{Data: mailtest.Data{Users: []*mailtest.User{user}}})
		r.file = filepath.Join(folder, r.name)
		r.apply(t, passwordChange{"file", first})
		text += fmt.Sprintf("  - {name: %s, server: %q, username: %q, password_file: %q, module: quick}\n", r.name, r.server.Addr(), user.Name, r.file)
	}
	file := filepath.Join(folder, "config.yaml")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	url := serve(t, file).URL
	for i, success := range []string{"1", "0", "1"} {
		for _, r := range rotations {
			if i > 0 {
				r.apply(t, r.changes[i-1])
			}
		}
		for _, r := range rotations {
			want := fmt.Sprintf("imap_probe_success{account=%q,server=%q} %s\n", r.name, r.server.Addr(), success)
			if !await(func() bool {
				_, page, _ := fetch(url+"/metrics", "")
				return strings.Contains(page, want)
			}) {
				t.Fatalf("%s: after %d changes, there is no %s", r.name, i, want)
			}
		}
	}
	for _, r := range rotations {
		if n := r.refused(); n != 1 {
			t.Errorf("%s: %d refused logins, want 1", r.name, n)
		}
	}
}
