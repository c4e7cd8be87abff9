package config_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"imap-exporter/internal/config"
	"imap-exporter/probe"
)

const demandFile = `
demo: {enabled: true}
modules:
  - {name: starttls, tls: starttls}
  - {name: clear, tls: none, allow_plaintext_auth: true}
  - {name: clear-refused, tls: none}
  - {name: unverified, tls_config: {insecure_skip_verify: true}}
  - {name: misnamed, tls_config: {server_name: other.example.org}}
  - {name: bearer, auth: xoauth2}
  - {name: banner, auth: none, tls: starttls}
  - {name: anywhere, auth: none, allow_any_target: true}
  - {name: scram, auth: scram-sha-256}
  - {name: plain, auth: plain}
  - {name: login, auth: login}
  - {name: old, tls_config: {min_version: TLS11}}
  - {name: new, tls_config: {min_version: TLS13}}
  - {name: private, tls_config: {ca_file: tls/ca.pem}}
  - {name: certified, tls_config: {cert_file: tls/client.pem, key_file: tls/client.key}}
  - {name: certified-new, tls_config: {cert_file: tls/client.pem, key_file: tls/client.key, min_version: TLS13}}
  - {name: certified-banner, auth: none, tls_config: {cert_file: tls/client.pem, key_file: tls/client.key}}
accounts:
  - {name: canary, server: imap.example.org, username: u, password: canary-demand-secret}
  - {name: ported, server: "imap.example.org:1993", username: u, password: canary-demand-secret}
  - {name: insecure, server: imap.example.org, username: u, password: canary-demand-secret, module: unverified}
  - {name: naked, server: imap.example.org, username: u, password: canary-demand-secret, module: clear}
  - {name: hopeless, server: imap.example.org, username: u, password: canary-demand-secret, module: clear-refused}
  - {name: public, server: imap.example.org, module: banner}
  - {name: six, server: "2001:db8::1", username: u, password: canary-demand-secret}
  - {name: practice, server: demo, username: u, password: canary-demand-secret}
  - {name: careful, server: imap.example.org, username: u, password: canary-demand-secret, module: scram}
  - {name: simple, server: imap.example.org, username: u, password: canary-demand-secret, module: plain}
  - {name: named, server: imap.example.org, username: u, password: canary-demand-secret, module: misnamed}
  - {name: modern, server: imap.example.org, username: u, password: canary-demand-secret, module: new}
  - {name: trusting, server: imap.example.org, username: u, password: canary-demand-secret, module: private}
  - {name: known, server: imap.example.org, username: u, password: canary-demand-secret, module: certified}
`

// loadDemand loads demandFile, with the probe_modules of one account.
func loadDemand(t *testing.T, account string, modules ...string) (*config.Config, error) {
	t.Helper()
	dir := copyTestdata(t)
	file := filepath.Join(dir, "config.yaml")
	head := "{name: " + account + ","
	replace(t, file, strings.Replace(demandFile, head, head+" probe_modules: ["+strings.Join(modules, ", ")+"],", 1))
	return load(t, file)
}

// A module from the caller changes how an account is probed, but neither where the secret goes nor how well it is protected.
func TestAccountWith(t *testing.T) {
	for _, test := range []struct{ account, module, server, refused string }{
		{"canary", "starttls", "imap.example.org:143", ""},
		{"ported", "starttls", "imap.example.org:1993", ""},
		{"six", "starttls", "[2001:db8::1]:143", ""},
		{"practice", "starttls", "demo:143", ""},
		{"canary", "banner", "imap.example.org:143", ""},
		{"canary", "anywhere", "imap.example.org:993", ""},
		{"public", "anywhere", "imap.example.org:993", ""},
		{"naked", "default", "imap.example.org:993", ""},
		{"insecure", "misnamed", "imap.example.org:993", ""},
		{"canary", "scram", "imap.example.org:993", ""},
		{"canary", "new", "imap.example.org:993", ""},
		{"simple", "login", "imap.example.org:993", ""},
		{"simple", "default", "imap.example.org:993", ""},
		{"known", "certified-new", "imap.example.org:993", ""},
		{"known", "certified-banner", "imap.example.org:993", ""},
		{"known", "banner", "imap.example.org:143", ""},
		{"canary", "clear", "", "would log in without TLS"},
		{"hopeless", "clear", "", "would log in without TLS"},
		{"canary", "unverified", "", "doesn't verify the server's certificate"},
		{"canary", "misnamed", "", "accepts another server's certificate"},
		{"named", "default", "", "accepts another server's certificate"},
		{"canary", "bearer", "", "logs in with a token, and the account with a password"},
		{"public", "default", "", "logs in with a password, and the account with nothing"},
		{"careful", "default", "", "has auth: auto, and the account's module scram-sha-256, which protects the password better"},
		{"careful", "login", "", "has auth: login, and the account's module scram-sha-256, which protects the password better"},
		{"canary", "plain", "", "has auth: plain, and the account's module auto, which protects the password better"},
		{"canary", "old", "", "accepts older versions of TLS"},
		{"modern", "default", "", "accepts older versions of TLS"},
		{"insecure", "old", "", "accepts older versions of TLS"},
		{"canary", "private", "", "trusts other authorities"},
		{"trusting", "default", "", "trusts other authorities"},
		{"known", "default", "", "has no client certificate"},
		{"canary", "certified", "", "has another client certificate"},
		{"naked", "certified", "", "has another client certificate"},
		{"canary", "certified-banner", "", "has another client certificate"},
	} {
		c, err := loadDemand(t, test.account, test.module)
		if test.refused != "" {
			if err == nil || !strings.Contains(err.Error(), ".probe_modules[0]: module "+test.module+" "+test.refused+": callers of /probe must not make a login weaker") {
				t.Errorf("%s with %s: %v, want %q", test.account, test.module, err, test.refused)
			}
			if c, err = loadDemand(t, test.account); err != nil {
				t.Fatal(err)
			}
			if _, err := c.TargetWith(c.Account(test.account), test.module); !errors.Is(err, config.ErrRefused) || !strings.Contains(err.Error(), test.refused) {
				t.Errorf("%s with %s on the command line: %v, want %q", test.account, test.module, err, test.refused)
			}
			continue
		}
		if err != nil {
			t.Errorf("%s with %s: %v", test.account, test.module, err)
			continue
		}
		a := c.Account(test.account)
		got, err := c.AccountWith(a, test.module)
		if err != nil {
			t.Errorf("%s with %s: %v", test.account, test.module, err)
			continue
		}
		if got.Server != test.server || got.Account != test.account {
			t.Errorf("%s with %s goes to %s as %q, want %s", test.account, test.module, got.Server, got.Account, test.server)
		}
		if withSecret := got.Secret != nil || got.Username != ""; withSecret != (got.Auth != probe.AuthNone) {
			t.Errorf("%s with %s has a credential: %v", test.account, test.module, withSecret)
		}
		if own := a.Target.TLSConfig; got.TLSConfig != nil && own != nil && !own.InsecureSkipVerify && got.TLSConfig.ServerName != own.ServerName {
			t.Errorf("%s with %s expects the certificate of %s", test.account, test.module, got.TLSConfig.ServerName)
		}
		if test.account == "practice" && (got.Address != a.Target.Address || got.TLSConfig.RootCAs != a.Target.TLSConfig.RootCAs) {
			t.Errorf("the demo server is at %s", got.Address)
		}
	}
}

// A caller may use only the account's own module and those of probe_modules.
func TestProbeModulesAreNamed(t *testing.T) {
	c, err := loadDemand(t, "canary", "starttls")
	if err != nil {
		t.Fatal(err)
	}
	for module, want := range map[string]error{
		"default": nil, "starttls": nil, "banner": config.ErrRefused, "scram": config.ErrRefused, "nosuch": config.ErrUnknownModule,
	} {
		if _, err := c.AccountWith(c.Account("canary"), module); !errors.Is(err, want) || want == nil && err != nil {
			t.Errorf("%s: %v, want %v", module, err, want)
		}
	}
	if _, err := c.AccountWith(c.Account("ported"), "starttls"); !errors.Is(err, config.ErrRefused) {
		t.Errorf("another account's probe_modules: %v", err)
	}
	for module, want := range map[string]error{"banner": nil, "nosuch": config.ErrUnknownModule} {
		if _, err := c.TargetWith(c.Account("canary"), module); !errors.Is(err, want) || want == nil && err != nil {
			t.Errorf("%s on the command line: %v, want %v", module, err, want)
		}
	}
	if c.Account("Canary") != nil || c.Account("") != nil {
		t.Error("an account answers to another name")
	}
}

func TestAnyTarget(t *testing.T) {
	c, err := loadDemand(t, "canary")
	if err != nil {
		t.Fatal(err)
	}
	for text, want := range map[string]string{
		"mail.example.com":       "mail.example.com:993",
		"MAIL.example.COM.:0993": "mail.example.com:993",
		"mail.example.com:143":   "mail.example.com:143",
		"192.0.2.1":              "192.0.2.1:993",
		"2001:db8::1":            "[2001:db8::1]:993",
	} {
		got, err := c.AnyTarget(text, "anywhere")
		if err != nil || got.Server != want || got.Address != want || got.Account != "" || got.Secret != nil || got.Auth != probe.AuthNone {
			t.Errorf("%s: %+v, %v; want %s", text, got, err, want)
			continue
		}
		if name := got.TLSConfig.ServerName; strings.HasSuffix(name, ".") || strings.ToLower(name) != name {
			t.Errorf("%s: the certificate must be for %q", text, name)
		}
	}
	for _, text := range []string{
		"", " ", "a b", "user@host", "imaps://host", "host:0", "host:65536", "host:99:9", "2130706433", "0x7f000001", "127.1", "0177.0.0.1.",
		"host/path", "host\r\nX: y", "host%2e", "demo", "demo-slow", "[::1", "[127.0.0.1]:993", "bücher.example", strings.Repeat("a", 300),
	} {
		if got, err := c.AnyTarget(text, "anywhere"); !errors.Is(err, config.ErrUnknownAccount) {
			t.Errorf("%q: %+v, %v", text, got, err)
		}
	}
	for module, want := range map[string]error{"": config.ErrUnknownAccount, "default": config.ErrUnknownAccount, "banner": config.ErrUnknownAccount, "nosuch": config.ErrUnknownModule} {
		if _, err := c.AnyTarget("mail.example.com", module); !errors.Is(err, want) {
			t.Errorf("module %q: %v, want %v", module, err, want)
		}
	}
}

// Flags are checked as the file is, and named as flags.
func TestAdHoc(t *testing.T) {
	file := writeFile(t, "password", "canary-adhoc-secret\n")
	a, warnings, err := (&config.AdHoc{
		Server: "imap.example.org", Username: "u", PasswordFile: file, TLS: "starttls", InsecureSkipVerify: true, Mailboxes: []string{"*"},
	}).Account()
	if err != nil {
		t.Fatal(err)
	}
	if secret, err := a.Target.Secret(t.Context()); err != nil || secret != "canary-adhoc-secret" {
		t.Errorf("secret %q, %v", secret, err)
	}
	if a.Target.Account != "imap.example.org" || a.Target.Server != "imap.example.org:143" || a.Target.Mailboxes[0] != "*" {
		t.Errorf("target %+v", a.Target)
	}
	if len(warnings) != 1 || !strings.HasPrefix(warnings[0], "--insecure-skip-verify: the server's certificate is not verified") {
		t.Errorf("warnings %q", warnings)
	}
	for want, h := range map[string]config.AdHoc{
		"--server: is missing: write host or host:port":                  {Username: "u", PasswordFile: file},
		"--username: is missing: auth auto needs it":                     {Server: "h", PasswordFile: file},
		"the account: needs password_file, or password_env, or password": {Server: "h", Username: "u"},
		"--tls: must be one of implicit, starttls, none":                 {Server: "h", Username: "u", PasswordFile: file, TLS: "ssl"},
		"--password-file: " + file + "x: no such file or directory":      {Server: "h", Username: "u", PasswordFile: file + "x"},
		"--ca-file: " + file + ": has no certificate in PEM format (-----BEGIN CERTIFICATE-----)": {
			Server: "h", Username: "u", PasswordFile: file, CAFile: file,
		},
	} {
		if _, _, err := h.Account(); err == nil || err.Error() != want {
			t.Errorf("%v, want %s", err, want)
		}
	}
	_ = os.Remove(file)
	if _, err := a.Target.Secret(t.Context()); err == nil || strings.Contains(err.Error(), "canary-adhoc") {
		t.Errorf("the file is gone: %v", err)
	}
}
