package main

import (
	"encoding/base64"
	"encoding/pem"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
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

// A process is the program as it is shipped, with nothing of the tests in it.
type process struct {
	t      *testing.T
	cmd    *exec.Cmd
	url    string
	stderr *log
	exited chan error
}

// run builds and starts the program, with the healthy accounts alone.
func (n *neighbourhood) run() *process {
	n.t.Helper()
	n.writeConfig(false)
	binary := filepath.Join(n.folder, "exporter")
	if out, err := exec.CommandContext(n.t.Context(), "go", "build", "-trimpath", "-o", binary, ".").CombinedOutput(); err != nil {
		n.t.Fatalf("%v: %s", err, out)
	}
	x := &process{t: n.t, stderr: newLog(), exited: make(chan error, 1)}
	x.cmd = exec.CommandContext(n.t.Context(), binary, "--config.file=config.yaml", "--web.listen-address=127.0.0.1:0", "--log.level=debug")
	x.cmd.Dir, x.cmd.Stderr = n.folder, x.stderr
	if err := x.cmd.Start(); err != nil {
		n.t.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		x.exited <- x.cmd.Wait()
	}()
	n.t.Cleanup(func() {
		_ = x.cmd.Process.Kill()
		<-done
	})
	select {
	case address := <-x.stderr.address:
		x.url = "http://" + address
	case err := <-x.exited:
		n.t.Fatalf("it ended: %v\n%s", err, x.stderr)
	case <-time.After(patience):
		n.t.Fatalf("it doesn't listen:\n%s", x.stderr)
	}
	return x
}

// page reads /metrics, which must be valid whatever servers say.
func (x *process) page() page {
	x.t.Helper()
	select {
	case err := <-x.exited:
		x.t.Fatalf("the program ended: %v", err)
	default:
	}
	status, text, err := fetch(x.url+"/metrics", "")
	if err != nil || status != 200 {
		x.t.Fatalf("/metrics: %v, status %d:\n%s", err, status, text)
	}
	p, err := parsePage(text)
	if err != nil {
		x.t.Fatalf("/metrics is not valid: %v", err)
	}
	return p
}

// await reads /metrics until it is as is wanted.
func (x *process) await(what string, ok func(page) bool) (p page) {
	x.t.Helper()
	deadline := time.After(2 * patience)
	tick := time.NewTicker(500 * time.Millisecond)
	defer tick.Stop()
	for {
		if p = x.page(); ok(p) {
			return p
		}
		select {
		case <-tick.C:
		case <-deadline:
			x.t.Fatalf("%s: not in time", what)
		}
	}
}

// reload has the configuration read again, and waits until it has so many accounts.
func (x *process) reload(accounts int) {
	x.t.Helper()
	if err := x.cmd.Process.Signal(syscall.SIGHUP); err != nil {
		x.t.Fatal(err)
	}
	x.await("the reload", func(p page) bool { return p.sum("imap_exporter_accounts") == float64(accounts) })
}

// stop ends the program in good order.
func (x *process) stop() {
	x.t.Helper()
	if err := x.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		x.t.Fatal(err)
	}
	select {
	case err := <-x.exited:
		if err != nil {
			x.t.Errorf("it ended with %v", err)
		}
	case <-time.After(stopWithin):
		x.t.Error("it doesn't stop")
	}
}

func (x *process) proc(file string) string {
	return fmt.Sprintf("/proc/%d/%s", x.cmd.Process.Pid, file)
}

// resetPeak begins a new measurement of the peak.
func (x *process) resetPeak() {
	if err := os.WriteFile(x.proc("clear_refs"), []byte("5"), 0); err != nil {
		x.t.Fatal(err)
	}
}

// peak is the most memory that the program had since resetPeak, in bytes.
func (x *process) peak() int {
	status, err := os.ReadFile(x.proc("status"))
	if err != nil {
		x.t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(status), "VmHWM:")
	kilobytes, err := strconv.Atoi(strings.Fields(rest)[0])
	if err != nil {
		x.t.Fatal(err)
	}
	return kilobytes << 10
}

// cpu is the CPU time that the program has used.
func (x *process) cpu() time.Duration {
	stat, err := os.ReadFile(x.proc("stat"))
	if err != nil {
		x.t.Fatal(err)
	}
	fields := strings.Fields(string(stat[strings.LastIndexByte(string(stat), ')')+1:]))
	var ticks int
	for _, field := range fields[11:13] { // utime and stime
		n, err := strconv.Atoi(field)
		if err != nil {
			x.t.Fatal(err)
		}
		ticks += n
	}
	return time.Duration(ticks) * time.Second / 100
}

// descriptors is how many files the program has open.
func (x *process) descriptors() int {
	files, err := os.ReadDir(x.proc("fd"))
	if err != nil {
		x.t.Fatal(err)
	}
	return len(files)
}
