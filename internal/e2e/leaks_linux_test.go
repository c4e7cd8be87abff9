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
	"imap-exporter/internal/realtest/program"
)

// A usage is what a process holds.
type usage struct {
	goroutines, files, sockets int
	heap                       float64 // bytes
}

// use waits until no probe runs, and returns what the process holds then.
func (e *exporter) use(t *testing.T) (u usage) {
	t.Helper()
	if !await(func() bool { return sum(e.metrics(t), "imap_exporter_probes_in_flight", ".*") == 0 }) {
		t.Fatal("probes never end")
	}
	for range 50 { // Garbage is collected now and then, so the least is the truest.
		page := e.metrics(t)
		now := usage{goroutines: int(sum(page, "go_goroutines", ".*")), heap: sum(page, "go_memstats_heap_alloc_bytes", ".*")}
		now.files, now.sockets = e.OpenFiles(t)
		if u.files == 0 {
			u = now
		}
		u = usage{min(u.goroutines, now.goroutines), min(u.files, now.files), min(u.sockets, now.sockets), min(u.heap, now.heap)}
	}
	return u
}

// startHostileServers starts a healthy server and all hostile ones. It returns the configuration of the healthy one alone, which
// is never probed, and the one of all.
func startHostileServers(t *testing.T, folder string) (quiet, all string) {
	t.Helper()
	servers, err := hostile.NewServers()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { servers.Close() })
	servers.NoRecord = true
	authority := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: servers.Authority().Raw})
	for file, content := range map[string]string{"ca.pem": string(authority), "token": hostile.Token} {
		if err := os.WriteFile(filepath.Join(folder, file), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	healthy := hostile.Case{Mode: mailtest.ModeImplicit, Want: hostile.Success, Account: hostile.Account{
		Auth: "login", Mailboxes: []string{"INBOX"}, Password: hostile.Password,
	}}
	var modules, accounts strings.Builder
	for i, c := range append([]hostile.Case{healthy}, servers.Cases()...) {
		if i%leakStep != 0 {
			continue
		}
		server, err := servers.Start(&c)
		if err != nil {
			t.Fatal(err)
		}
		security := map[mailtest.Mode]string{
			mailtest.ModeImplicit: "tls_config: {ca_file: ca.pem, server_name: localhost}",
			mailtest.ModeStartTLS: "tls: starttls, tls_config: {ca_file: ca.pem, server_name: localhost}",
			mailtest.ModePlain:    "tls: none, allow_plaintext_auth: true",
		}[c.Mode]
		credential := fmt.Sprintf("password: %q", c.Account.Password)
		if c.Account.Bearer() {
			credential = "token_file: token"
		}
		fmt.Fprintf(&modules, "  - {name: m%d, interval: INTERVAL, timeout: 4s, auth: %s, send_id: %t, mailboxes: [%q], %s}\n",
			i, c.Account.Auth, c.Account.SendID, c.Account.Mailboxes[0], security)
		fmt.Fprintf(&accounts, "  - {name: account-%d, server: %q, username: %s, %s, module: m%d}\n",
			i, server.Addr(), mailtest.DemoUser, credential, i)
		if i == 0 {
			quiet = "histograms: native\nmodules:\n" + strings.ReplaceAll(modules.String(), "INTERVAL", "0s") + "accounts:\n" + accounts.String()
		}
	}
	all = "histograms: native\nmodules:\n" + strings.ReplaceAll(modules.String(), "INTERVAL", "10s") + "accounts:\n" + accounts.String()
	return quiet, all
}

// Probes of hostile servers leave nothing behind: no goroutine, no file, no socket, and no memory.
func TestHostileServersForLong(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	quiet, all := startHostileServers(t, folder)
	file := filepath.Join(folder, "config.yaml")
	write(t, file, all)
	cmd := program.Command(t, file, "--log.level=debug")
	cmd.Env = append(os.Environ(), "GOGC=10")
	e := start(t, cmd)
	round := func() bool {
		page := e.metrics(t)
		return sum(page, "imap_probes_total", ".*") >= sum(page, "imap_exporter_accounts", ".*")
	}
	if !await(round) {
		t.Fatal("not all accounts are probed")
	}
	e.reload(t, file, quiet)
	healthy := func() float64 { // how many probes of it have succeeded
		page := e.metrics(t)
		return sum(page, "imap_probes_total", `account="account-0",.*`) - sum(page, "imap_probe_failures_total", `account="account-0",.*`)
	}
	start, before := e.use(t), healthy()
	for begin := time.Now(); time.Since(begin) < leakTime; {
		e.reload(t, file, all)
		<-time.After(min(leakTime, time.Minute) / 2)
		now := healthy()
		if now <= before {
			t.Error("the healthy account never succeeds")
		}
		before = now
	}
	probes := sum(e.metrics(t), "imap_exporter_probes_started_total", ".*")
	e.reload(t, file, quiet)
	after := e.use(t)
	t.Logf("%v probes; at first %+v, at last %+v", probes, start, after)
	const runtimes = 2 // goroutines of the Go runtime come and go
	if after.goroutines > start.goroutines+runtimes || after.files > start.files || after.sockets > start.sockets {
		t.Errorf("at first %+v, at last %+v", start, after)
	}
	if grown := after.heap - start.heap; grown > 1<<20 {
		t.Errorf("the heap grew by %.0f bytes", grown)
	}
}
