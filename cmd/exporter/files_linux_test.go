package main

import (
	"context"
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
)

// limited makes the command run with so many files at most.
func limited(files string) func(*exec.Cmd) {
	return func(cmd *exec.Cmd) {
		cmd.Args = append([]string{"sh", "-c", `ulimit -n ` + files + ` && exec "$0" "$@"`}, cmd.Args...)
		cmd.Path, cmd.Err = "/bin/sh", nil
	}
}

// A crowd counts the conversations that have begun and not ended with LOGOUT.
type crowd struct {
	mu        sync.Mutex
	now, peak int
}

func (c *crowd) come(conn *mailtest.Conn, cmd mailtest.Command) error {
	c.mu.Lock()
	c.now++
	c.peak = max(c.peak, c.now)
	c.mu.Unlock()
	return errors.Join(conn.Wait(50*time.Millisecond), conn.Default(cmd)) // So that they meet.
}

func (c *crowd) leave(conn *mailtest.Conn, cmd mailtest.Command) error {
	c.mu.Lock()
	c.now--
	c.mu.Unlock()
	return conn.Default(cmd)
}

func (c *crowd) most() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.peak
}

// With too few files for all probes, fewer run at a time; with too few for one, the program doesn't start, and says why.
func TestTooFewFiles(t *testing.T) {
	var conversations crowd
	server := slowServer(t, mailtest.Options{NoRecord: true, Handle: map[string]mailtest.Handler{
		"GREETING": conversations.come, "LOGOUT": conversations.leave,
	}})
	file := apartConfig(t, "1s", "1s", 40, server.Addr())

	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	cmd := exec.CommandContext(ctx, "imap-exporter", "--config.file="+file, "--web.listen-address=localhost:0")
	limited("40")(cmd)
	if out, err := cmd.CombinedOutput(); err == nil || !strings.Contains(string(out), "the system lets us open 40 files, and we need at least 102") {
		t.Errorf("started with 40 files: %v: %s", err, out)
	}

	lines := newLog()
	a := startApart(t, file, func(cmd *exec.Cmd) {
		limited("120")(cmd)
		cmd.Stderr = lines
	})
	if !await(func() bool { return sum(a.metrics(t), "imap_probes_total", ".*") >= 80 }) {
		t.Error("hardly any probes")
	}
	if n := sum(a.metrics(t), "imap_probe_failures_total", ".*"); n > 0 {
		t.Errorf("%v probes failed", n)
	}
	if most := conversations.most(); most > 10 {
		t.Errorf("%d probes at a time, want 10", most)
	}
	if want := `max_concurrent=10 `; !strings.Contains(lines.String(), want) {
		t.Errorf("no %q in the log:\n%s", want, lines)
	}
}

// When no file can be opened any more, probes fail as internal, and everything goes on once there are some again: the
// accounts, and the listener, in the very same process.
func TestOutOfFiles(t *testing.T) {
	server := slowServer(t, mailtest.Options{NoRecord: true})
	_, port, _ := net.SplitHostPort(server.Addr())
	file := apartConfig(t, "500ms", "500ms", 20, "localhost:"+port)
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
	a := startApart(t, file, nil)
	succeeding := func() bool { return sum(a.metrics(t), "imap_probe_success", ".*") == 20 }
	if !await(succeeding) {
		t.Fatal("not all accounts succeed at first")
	}
	pid := a.cmd.Process.Pid
	var before unix.Rlimit
	if err := unix.Prlimit(pid, unix.RLIMIT_NOFILE, &unix.Rlimit{Cur: 1, Max: 4096}, &before); err != nil {
		t.Fatal(err)
	}
	if !await(func() bool {
		return sum(a.metrics(t), "imap_probe_failure_reasons_total", `phase="[a-z]+",reason="internal",.*`) >= 20
	}) {
		t.Error("no probe fails")
	}
	waiting, err := net.Dial("tcp", strings.TrimPrefix(a.url, "http://")) // The kernel takes it, and accept can't.
	if err != nil {
		t.Fatal(err)
	}
	defer waiting.Close()
	_ = a.cmd.Process.Signal(syscall.SIGHUP)
	if !await(func() bool { return sum(a.metrics(t), "imap_exporter_config_last_reload_successful", ".*") == 0 }) {
		t.Error("the configuration can be read without a file")
	}
	if err := unix.Prlimit(pid, unix.RLIMIT_NOFILE, &unix.Rlimit{Cur: 4096, Max: 4096}, nil); err != nil {
		t.Fatal(err)
	}
	if !await(succeeding) {
		t.Error("not all accounts recover")
	}
	if n := sum(a.metrics(t), "imap_probe_failure_reasons_total", `.*reason="(dns|credential|refused|timeout)",.*`); n > 0 {
		t.Errorf("%v failures are blamed on others:\n%s", n, a.metrics(t))
	}
	_ = waiting.SetDeadline(time.Now().Add(patience))
	io.WriteString(waiting, "GET /-/healthy HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
	if answer, err := io.ReadAll(waiting); err != nil || !strings.HasPrefix(string(answer), "HTTP/1.1 200") {
		t.Errorf("the connection that had to wait: %v: %s", err, answer)
	}
}
