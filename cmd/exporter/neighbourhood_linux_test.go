package main

import (
	"encoding/base64"
	"encoding/pem"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"imap-exporter/internal/mailtest"
	"imap-exporter/internal/mailtest/hostile"
)

const (
	healthyAccounts = 6
	// A busy machine may make a probe take seconds. The first one begins within the interval.
	probeTimeout    = "8s"
	healthyInterval = "8s"
	hostileInterval = "25s"
)

// A neighbourhood is healthy accounts, and every hostile server of the table.
type neighbourhood struct {
	t       *testing.T
	world   *hostile.World
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

func newNeighbourhood(t *testing.T) *neighbourhood {
	t.Helper()
	world, err := hostile.NewWorld()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { world.Close() })
	n := &neighbourhood{t: t, world: world, folder: t.TempDir()}
	authority := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: world.Authority().Raw})
	for file, content := range map[string]string{"ca.pem": string(authority), "token": hostile.Token} {
		if err := os.WriteFile(filepath.Join(n.folder, file), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for i := range healthyAccounts {
		user := mailtest.NewUser(time.Now())
		user.Password = hostile.Password
		user.Mailboxes[0].Messages = mailtest.NewMessages(10+i, time.Now(), time.Hour)
		c := &hostile.Case{Mode: mailtest.ModeImplicit, Server: mailtest.Options{NoRecord: true, Data: mailtest.Data{Users: []*mailtest.User{user}}}}
		server, err := world.Start(c)
		if err != nil {
			t.Fatal(err)
		}
		n.healthy = append(n.healthy, healthyAccount{fmt.Sprintf("healthy-%d", i), server.Addr(), 10 + i})
	}
	for i, c := range world.Cases() {
		server, err := world.Start(&c)
		if err != nil {
			t.Fatal(err)
		}
		n.hostile = append(n.hostile, hostileAccount{fmt.Sprintf("hostile-%d", i), &c, server})
	}
	return n
}

// writeConfig writes the configuration of the healthy accounts and, if so, of the hostile ones.
func (n *neighbourhood) writeConfig(all bool) {
	n.t.Helper()
	var modules, accounts strings.Builder
	module := func(name, interval, more string) {
		fmt.Fprintf(&modules, "  - {name: %s, interval: %s, timeout: %s, tls_config: {ca_file: ca.pem, server_name: localhost}%s}\n", name, interval, probeTimeout, more)
	}
	account := func(name, address, credential, module string) {
		fmt.Fprintf(&accounts, "  - {name: %s, server: %q, username: %s, %s, module: %s}\n", name, address, mailtest.DemoUser, credential, module)
	}
	module("healthy", healthyInterval, ", auth: login")
	for _, a := range n.healthy {
		account(a.name, a.address, "password: "+hostile.Password, "healthy")
	}
	if all {
		for _, a := range n.hostile {
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
	if err := os.WriteFile(filepath.Join(n.folder, "config.yaml"), []byte(text), 0o600); err != nil {
		n.t.Fatal(err)
	}
}

// probed reports whether each healthy account was probed so often.
func (n *neighbourhood) probed(p page, times int) bool {
	for _, a := range n.healthy {
		if p.value("imap_probes_total", a.name) < float64(times) {
			return false
		}
	}
	return true
}

// settled reports whether each hostile account was probed often enough to show what it comes to.
func (n *neighbourhood) settled(p page) bool {
	for _, a := range n.hostile {
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

// secrets are what must show nowhere.
func (n *neighbourhood) secrets() []string {
	forms := []string{hostile.Password, hostile.Token, hostile.Unquotable}
	for _, secret := range forms[:2] {
		for offset := range 3 {
			encoded := base64.RawStdEncoding.EncodeToString([]byte(strings.Repeat("x", offset) + secret))
			forms = append(forms, encoded[(offset*8+5)/6:len(encoded)-1])
		}
	}
	return forms
}
