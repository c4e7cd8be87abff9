package e2e

import (
	"errors"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"imap-exporter/internal/mailtest"
	"imap-exporter/internal/realtest/program"
)

// limitFiles makes a command run with so many open files at most.
func limitFiles(cmd *exec.Cmd, files string) *exec.Cmd {
	cmd.Args = append([]string{"sh", "-c", `ulimit -n ` + files + ` && exec "$0" "$@"`}, cmd.Args...)
	cmd.Path = "/bin/sh"
	return cmd
}

// A sessionCounter counts the conversations that have begun and not ended with LOGOUT.
type sessionCounter struct {
	mu        sync.Mutex
	now, peak int
}

func (c *sessionCounter) greeting(conn *mailtest.Conn, cmd mailtest.Command) error {
	c.mu.Lock()
	c.now++
	c.peak = max(c.peak, c.now)
	c.mu.Unlock()
	return errors.Join(conn.Wait(50*time.Millisecond), conn.Default(cmd)) // So that they meet.
}

func (c *sessionCounter) logout(conn *mailtest.Conn, cmd mailtest.Command) error {
	c.mu.Lock()
	c.now--
	c.mu.Unlock()
	return conn.Default(cmd)
}

func (c *sessionCounter) max() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.peak
}

// With too few files for all probes, fewer run at a time; with too few for one, the program doesn't start, and says why.
func TestTooFewFiles(t *testing.T) { // Not in parallel: its times are short.
	var sessions sessionCounter
	server := startServer(t, mailtest.Options{NoRecord: true, Handle: map[string]mailtest.Handler{
		"GREETING": sessions.greeting, "LOGOUT": sessions.logout,
	}})
	file := writeConfig(t, "4s", "4s", 80, server.Addr())

	if out, err := limitFiles(program.Command(t, file, "--web.listen-address=localhost:0"), "40").CombinedOutput(); err == nil || !strings.Contains(string(out), "the system lets us open 40 files, and we need at least 102") {
		t.Errorf("started with 40 files: %v: %s", err, out)
	}

	e := start(t, limitFiles(program.Command(t, file), "120"))
	if !await(func() bool { return sum(e.metrics(t), "imap_probes_total", ".*") >= 80 }) {
		t.Error("hardly any probes")
	}
	if n := sum(e.metrics(t), "imap_probe_failures_total", ".*"); n > 0 {
		t.Errorf("%v probes failed", n)
	}
	if most := sessions.max(); most > 10 {
		t.Errorf("%d probes at a time, want 10", most)
	}
	if want := `max_concurrent=10 `; !strings.Contains(e.Log.String(), want) {
		t.Errorf("no %q in the log:\n%s", want, e.Log)
	}
}

// While no file can be opened, probes fail with reason internal. Once files can be opened again, accounts and the listener
// recover without a restart.
func TestOutOfFiles(t *testing.T) { // Not in parallel: its times are short.
	server := startServer(t, mailtest.Options{NoRecord: true})
	_, port, _ := net.SplitHostPort(server.Addr())
	file := writeConfig(t, "500ms", "500ms", 20, "localhost:"+port)
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	// The connection needs a file, and so does the secret.
	secret := filepath.Join(filepath.Dir(file), "secret")
	changed := strings.ReplaceAll(string(text), "password: "+mailtest.DemoPassword, "password_file: "+secret)
	for name, content := range map[string]string{file: changed, secret: mailtest.DemoPassword} {
		if err := os.WriteFile(name, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	e := startDebug(t, file)
	succeeding := func() bool { return sum(e.metrics(t), "imap_probe_success", ".*") == 20 }
	if !await(succeeding) {
		t.Fatal("not all accounts succeed at first")
	}
	var before unix.Rlimit
	if err := unix.Prlimit(e.PID(), unix.RLIMIT_NOFILE, &unix.Rlimit{Cur: 1, Max: 4096}, &before); err != nil {
		t.Fatal(err)
	}
	if !await(func() bool {
		return sum(e.metrics(t), "imap_probe_failure_reasons_total", `phase="[a-z]+",reason="internal",.*`) >= 20
	}) {
		t.Error("no probe fails")
	}
	waiting, err := net.Dial("tcp", strings.TrimPrefix(e.URL, "http://")) // The kernel takes it, and accept can't.
	if err != nil {
		t.Fatal(err)
	}
	defer waiting.Close()
	io.WriteString(waiting, "GET /-/healthy HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
	e.signal(t, syscall.SIGHUP)
	if !await(func() bool { return sum(e.metrics(t), "imap_exporter_config_last_reload_successful", ".*") == 0 }) {
		t.Error("the configuration can be read without a file")
	}
	if err := unix.Prlimit(e.PID(), unix.RLIMIT_NOFILE, &unix.Rlimit{Cur: 4096, Max: 4096}, nil); err != nil {
		t.Fatal(err)
	}
	if !await(succeeding) {
		t.Error("not all accounts recover")
	}
	if n := sum(e.metrics(t), "imap_probe_failure_reasons_total", `.*reason="(dns|credential|refused|timeout)",.*`); n > 0 {
		t.Errorf("%v failures are blamed on others:\n%s", n, e.metrics(t))
	}
	_ = waiting.SetDeadline(time.Now().Add(waitTimeout))
	if answer, err := io.ReadAll(waiting); err != nil || !strings.HasPrefix(string(answer), "HTTP/1.1 200") {
		t.Errorf("the connection that had to wait: %v: %s", err, answer)
	}
}
