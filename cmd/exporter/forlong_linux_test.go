package main

import (
	"encoding/pem"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"imap-exporter/internal/mailtest"
	"imap-exporter/internal/mailtest/hostile"
)

// A usage is what a process uses.
type usage struct {
	goroutines, files, sockets int
	heap                       float64 // bytes
}

// use waits until no probe runs, and tells what the process uses then.
func (a *apart) use(t *testing.T) (u usage) {
	t.Helper()
	if !await(func() bool { return sum(a.metrics(t), "imap_exporter_probes_in_flight", ".*") == 0 }) {
		t.Fatal("probes never end")
	}
	for range 50 { // Garbage is collected now and then, so the least is the truest.
		page := a.metrics(t)
		now := usage{goroutines: int(sum(page, "go_goroutines", ".*")), heap: sum(page, "go_memstats_heap_alloc_bytes", ".*")}
		links, _ := filepath.Glob(fmt.Sprintf("/proc/%d/fd/*", a.cmd.Process.Pid))
		for _, link := range links {
			if target, err := os.Readlink(link); err == nil {
				now.files++
				if strings.HasPrefix(target, "socket:") {
					now.sockets++
				}
			}
		}
		if u.files == 0 {
			u = now
		}
		u = usage{min(u.goroutines, now.goroutines), min(u.files, now.files), min(u.sockets, now.sockets), min(u.heap, now.heap)}
	}
	return u
}

// reload has the configuration replaced, and waits until it has so many accounts.
func (a *apart) reload(t *testing.T, file, text string) {
	t.Helper()
	if err := os.WriteFile(file+".new", []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(file+".new", file); err != nil {
		t.Fatal(err)
	}
	_ = a.cmd.Process.Signal(syscall.SIGHUP)
	want := float64(strings.Count(text, "{name: account-"))
	if !await(func() bool { return sum(a.metrics(t), "imap_exporter_accounts", ".*") == want }) {
		t.Fatal("the configuration isn't reloaded")
	}
}

// everybody starts a healthy server and all hostile ones, and returns the configuration that probes the first alone, never, and
// the one that probes all.
func everybody(t *testing.T, folder string) (quiet, all string) {
	t.Helper()
	world, err := hostile.NewWorld()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { world.Close() })
	world.NoRecord = true
	authority := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: world.Authority().Raw})
	for file, content := range map[string]string{"ca.pem": string(authority), "token": hostile.Token} {
		if err := os.WriteFile(filepath.Join(folder, file), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	healthy := hostile.Case{Mode: mailtest.ModeImplicit, Want: hostile.Success, Account: hostile.Account{
		Auth: "login", Mailboxes: []string{"INBOX"}, Password: hostile.Password,
	}}
	var modules, accounts strings.Builder
	for i, c := range append([]hostile.Case{healthy}, world.Cases()...) {
		if i%hostileStep != 0 {
			continue
		}
		server, err := world.Start(&c)
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

// However long hostile servers are probed, nothing of it stays: no goroutine, no file, no socket, and no memory.
func TestHostileServersForLong(t *testing.T) {
	folder := t.TempDir()
	quiet, all := everybody(t, folder)
	file := filepath.Join(folder, "config.yaml")
	if err := os.WriteFile(file, []byte(all), 0o600); err != nil {
		t.Fatal(err)
	}
	program := filepath.Join(folder, "imap-exporter") // Without the race detector, which would take most of the machine.
	if out, err := exec.CommandContext(t.Context(), "go", "build", "-o", program, ".").CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	a := startApart(t, file, func(cmd *exec.Cmd) {
		cmd.Path, cmd.Err = program, nil
		cmd.Env = append(os.Environ(), "GOGC=10")
	})
	round := func() bool {
		page := a.metrics(t)
		return sum(page, "imap_probes_total", ".*") >= sum(page, "imap_exporter_accounts", ".*")
	}
	if !await(round) {
		t.Fatal("not all accounts are probed")
	}
	a.reload(t, file, quiet)
	healthy := func() float64 { // how many probes of it have succeeded
		page := a.metrics(t)
		return sum(page, "imap_probes_total", `account="account-0",.*`) - sum(page, "imap_probe_failures_total", `account="account-0",.*`)
	}
	start, before := a.use(t), healthy()
	for begin := time.Now(); time.Since(begin) < hostileSoak; {
		a.reload(t, file, all)
		<-time.After(min(hostileSoak, time.Minute) / 2)
		now := healthy()
		if now <= before {
			t.Error("the healthy account never succeeds")
		}
		before = now
	}
	probes := sum(a.metrics(t), "imap_exporter_probes_started_total", ".*")
	a.reload(t, file, quiet)
	after := a.use(t)
	t.Logf("%v probes; at first %+v, at last %+v", probes, start, after)
	const runtimes = 2 // goroutines of the Go runtime come and go
	if after.goroutines > start.goroutines+runtimes || after.files > start.files || after.sockets > start.sockets {
		t.Errorf("at first %+v, at last %+v", start, after)
	}
	if grown := after.heap - start.heap; grown > 1<<20 {
		t.Errorf("the heap grew by %.0f bytes", grown)
	}
}
