package e2e

import (
	"encoding/pem"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"imap-exporter/internal/mailtest"
	"imap-exporter/internal/mailtest/hostile"
	"imap-exporter/internal/realtest/leak"
)

const (
	healthyAccounts = 6
	// A busy machine may make a probe take seconds. The first one begins within the interval.
	probeTimeout    = "8s"
	healthyInterval = "8s"
	hostileInterval = "25s"
)

// A fixture has healthy accounts, and one for every hostile server of the table.
type fixture struct {
	t       *testing.T
	servers *hostile.Servers
	folder  string
	healthy []healthyAccount
	hostile []hostileAccount
}

type healthyAccount struct {
	name, address string
	messages      int
}

type hostileAccount struct {
	name   string
	c      *hostile.Case
	server *mailtest.Server
}

func newFixture(t *testing.T) *fixture {
	t.Helper()
	servers, err := hostile.NewServers()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { servers.Close() })
	f := &fixture{t: t, servers: servers, folder: t.TempDir()}
	authority := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: servers.Authority().Raw})
	for file, content := range map[string]string{"ca.pem": string(authority), "token": hostile.Token} {
		if err := os.WriteFile(filepath.Join(f.folder, file), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for i := range healthyAccounts {
		user := mailtest.NewUser(time.Now())
		user.Password = hostile.Password
		user.Mailboxes[0].Messages = mailtest.NewMessages(10+i, time.Now(), time.Hour)
		c := &hostile.Case{Mode: mailtest.ModeImplicit, Server: mailtest.Options{NoRecord: true, Data: mailtest.Data{Users: []*mailtest.User{user}}}}
		server, err := servers.Start(c)
		if err != nil {
			t.Fatal(err)
		}
		f.healthy = append(f.healthy, healthyAccount{fmt.Sprintf("healthy-%d", i), server.Addr(), 10 + i})
	}
	for i, c := range servers.Cases() {
		server, err := servers.Start(&c)
		if err != nil {
			t.Fatal(err)
		}
		f.hostile = append(f.hostile, hostileAccount{fmt.Sprintf("hostile-%d", i), &c, server})
	}
	return f
}

func (f *fixture) configFile() string { return filepath.Join(f.folder, "config.yaml") }

// writeConfig writes the configuration of the healthy accounts or, if all is true, of the hostile ones as well.
func (f *fixture) writeConfig(all bool) {
	f.t.Helper()
	var modules, accounts strings.Builder
	module := func(name, interval, more string) {
		fmt.Fprintf(&modules, "  - {name: %s, interval: %s, timeout: %s, tls_config: {ca_file: ca.pem, server_name: localhost}%s}\n", name, interval, probeTimeout, more)
	}
	account := func(name, address, credential, module string) {
		fmt.Fprintf(&accounts, "  - {name: %s, server: %q, username: %s, %s, module: %s}\n", name, address, mailtest.DemoUser, credential, module)
	}
	module("healthy", healthyInterval, ", auth: login")
	for _, a := range f.healthy {
		account(a.name, a.address, "password: "+hostile.Password, "healthy")
	}
	if all {
		for _, a := range f.hostile {
			more := fmt.Sprintf(", auth: %s, send_id: %t, mailboxes: [%q]", a.c.Account.Auth, a.c.Account.SendID, a.c.Account.Mailboxes[0])
			switch a.c.Mode {
			case mailtest.ModeStartTLS:
				more += ", tls: starttls"
			case mailtest.ModePlain:
				more = strings.Replace(more, ", auth", ", tls: none, allow_plaintext_auth: true, auth", 1)
			case mailtest.ModeImplicit:
			}
			credential := fmt.Sprintf("password: %q", a.c.Account.Password)
			if a.c.Account.Bearer() {
				credential = "token_file: token"
			}
			interval := hostileInterval
			if a.c.Then != a.c.Want {
				interval = healthyInterval // It is to be probed twice.
			}
			module(a.name, interval, more)
			account(a.name, a.server.Addr(), credential, a.name)
		}
	}
	// The classic histograms of so many servers would be a page of 20 MB, which takes this test long to read.
	text := "max_concurrent: 400\nhistograms: native\nmodules:\n" + strings.ReplaceAll(modules.String(), "tls_config: {ca_file: ca.pem, server_name: localhost}, tls: none", "tls: none") +
		"accounts:\n" + accounts.String()
	write(f.t, f.configFile(), text)
}

// probed reports whether each healthy account was probed at least so many times.
func (f *fixture) probed(p page, times int) bool {
	for _, a := range f.healthy {
		if p.value("imap_probes_total", a.name) < float64(times) {
			return false
		}
	}
	return true
}

// settled reports whether each hostile account was probed often enough to have reached its final outcome.
func (f *fixture) settled(p page) bool {
	for _, a := range f.hostile {
		times := 1.0
		if a.c.Then != a.c.Want {
			times = 2
		}
		if p.value("imap_probes_total", a.name) < times {
			return false
		}
	}
	return true
}

// secrets are the passwords and tokens, as they are and in base64. None of them may show anywhere.
func (f *fixture) secrets() []string {
	forms := []string{hostile.Password, hostile.Token, hostile.Unquotable}
	for _, secret := range forms[:2] {
		forms = append(forms, leak.InBase64(secret)...)
	}
	return forms
}
