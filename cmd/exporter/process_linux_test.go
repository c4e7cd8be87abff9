package main

import (
	"bufio"
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"imap-exporter/internal/mailtest"
	"imap-exporter/internal/realtest/netns"
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

	cmd := exec.Command("exporter", "--config.file="+file, "--web.listen-address=localhost:0")
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
	// Half of the accounts need a name server that there is none of; and half read their secret from a file.
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

// failingConfig is of a server that rejects whoever comes, which debug logs line by line.
func failingConfig(t *testing.T) string {
	server := slowServer(t, mailtest.Options{NoRecord: true, Handle: map[string]mailtest.Handler{
		"EXAMINE": func(c *mailtest.Conn, cmd mailtest.Command) error { return c.NO(cmd.Tag, "not today") },
	}})
	return apartConfig(t, "200ms", "200ms", 30, server.Addr())
}

// goesOn waits until so many more probes have been done.
func (a *apart) goesOn(t *testing.T, probes float64) {
	t.Helper()
	before := sum(a.metrics(t), "imap_probes_total", ".*")
	if !await(func() bool { return sum(a.metrics(t), "imap_probes_total", ".*") >= before+probes }) {
		t.Errorf("no %v probes any more", probes)
	}
}

// Whatever becomes of the log, probes go on, what is lost is counted, and the program stops in time.
func TestNobodyReadsTheLog(t *testing.T) {
	const dropped = "imap_exporter_log_lines_dropped_total"
	t.Run("a pipe that nobody empties", func(t *testing.T) {
		r, w, err := os.Pipe()
		if err != nil {
			t.Fatal(err)
		}
		defer r.Close()
		a := startApart(t, failingConfig(t), func(cmd *exec.Cmd) { cmd.Stderr = w })
		w.Close()
		if !await(func() bool { return sum(a.metrics(t), dropped, ".*") > 0 }) {
			t.Fatal("nothing is dropped: the test has lost its point")
		}
		a.goesOn(t, 100)
		read := newLog()
		var reader sync.WaitGroup
		reader.Go(func() { io.Copy(read, bufio.NewReader(r)) }) // Somebody comes.
		if !await(func() bool { return strings.Contains(read.String(), "Lines of the log were lost") }) {
			t.Error("the log doesn't tell what is missing")
		}
		a.stop(t)
		reader.Wait()
		if !regexp.MustCompile(`(?m)^time=\S+ level=INFO .* msg="Schedule stopped"`).MatchString(read.String()) {
			t.Error("the log has no end")
		}
	})
	t.Run("a pipe that nobody empties, to the end", func(t *testing.T) {
		r, w, err := os.Pipe()
		if err != nil {
			t.Fatal(err)
		}
		defer r.Close()
		a := startApart(t, failingConfig(t), func(cmd *exec.Cmd) { cmd.Stderr = w })
		w.Close()
		await(func() bool { return sum(a.metrics(t), dropped, ".*") > 0 })
		a.stop(t)
	})
	t.Run("a full disk", func(t *testing.T) {
		full, err := os.OpenFile("/dev/full", os.O_WRONLY, 0)
		if err != nil {
			t.Fatal(err)
		}
		defer full.Close()
		a := startApart(t, failingConfig(t), func(cmd *exec.Cmd) { cmd.Stderr = full })
		a.goesOn(t, 100)
		if n := sum(a.metrics(t), dropped, ".*"); n == 0 {
			t.Error("nothing is dropped")
		}
	})
	t.Run("a reader who has gone", func(t *testing.T) {
		r, w, err := os.Pipe()
		if err != nil {
			t.Fatal(err)
		}
		r.Close()
		a := startApart(t, failingConfig(t), func(cmd *exec.Cmd) { cmd.Stderr = w })
		w.Close()
		a.goesOn(t, 100)
	})
}

// A process that stood still for some intervals makes up for none of them: one probe of each account, and the rest counted.
func TestStoppedProcess(t *testing.T) {
	const accounts, interval, still = 10, 2 * time.Second, 7 * time.Second
	var mu sync.Mutex
	var came []time.Time
	server := slowServer(t, mailtest.Options{NoRecord: true, Handle: map[string]mailtest.Handler{
		"GREETING": func(c *mailtest.Conn, cmd mailtest.Command) error {
			mu.Lock()
			came = append(came, time.Now())
			mu.Unlock()
			return c.Default(cmd)
		},
	}})
	a := startApart(t, apartConfig(t, interval.String(), "2s", accounts, server.Addr()), nil)
	if !await(func() bool { return sum(a.metrics(t), "imap_probe_success", ".*") == accounts }) {
		t.Fatal("not all accounts succeed at first")
	}
	_ = a.cmd.Process.Signal(syscall.SIGSTOP)
	<-time.After(still)
	again := time.Now()
	_ = a.cmd.Process.Signal(syscall.SIGCONT)
	a.goesOn(t, 2*accounts)
	page := a.metrics(t)
	skipped := sum(page, "imap_exporter_probes_skipped_total", ".*")
	if least := accounts * (still.Seconds()/interval.Seconds() - 2); skipped < least {
		t.Errorf("%v probes skipped, want %v", skipped, least)
	}
	if scheduled, started := sum(page, "imap_exporter_probes_scheduled_total", ".*"), sum(page, "imap_exporter_probes_started_total", ".*"); scheduled != started+skipped {
		t.Errorf("%v scheduled, %v started, %v skipped", scheduled, started, skipped)
	}
	mu.Lock()
	defer mu.Unlock()
	soon := 0
	for _, at := range came {
		if at.After(again) && at.Before(again.Add(interval)) {
			soon++
		}
	}
	if soon > 2*accounts { // The one that waited, and the next one in its own time.
		t.Errorf("%d probes within an interval, of %d accounts", soon, accounts)
	}
}

// As nobody, on read-only file systems, on a host without IPv4, everything works.
func TestConfined(t *testing.T) {
	network := netns.Enter(t)
	if network == nil {
		return
	}
	server := slowServer(t, mailtest.Options{NoRecord: true, Host: netns.IPv6})
	file := apartConfig(t, "1s", "1s", 3, server.Addr())
	dir, err := os.MkdirTemp("", "confined-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	program, err := os.ReadFile("/proc/self/exe")
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	for name, content := range map[string][]byte{"exporter": program, "config.yaml": text} {
		if err := os.WriteFile(filepath.Join(dir, name), content, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	network.NoIPv4(t)
	network.ReadOnly(t)
	lines := newLog()
	const nobody = 65534
	a := startApart(t, filepath.Join(dir, "config.yaml"), func(cmd *exec.Cmd) {
		cmd.Path, cmd.Err, cmd.Dir = filepath.Join(dir, "exporter"), nil, "/"
		cmd.SysProcAttr.Credential = &syscall.Credential{Uid: nobody, Gid: nobody}
		cmd.Stderr = lines
		cmd.Args = append(cmd.Args, "--web.listen-address=:0") // The last one counts: every address there is.
	})
	if !await(func() bool { return sum(a.metrics(t), "imap_probe_success", ".*") == 3 }) {
		t.Errorf("the accounts don't succeed:\n%s\n%s", a.metrics(t), lines)
	}
	if !strings.HasPrefix(a.url, "http://[::1]:") {
		t.Errorf("it listens at %s", a.url)
	}
	if status, _, err := fetch(a.url+"/", ""); err != nil || status != http.StatusOK {
		t.Errorf("the landing page: %d, %v", status, err)
	}
	doubts := strings.Count(lines.String(), `msg="Doubtful configuration"`) // Of clear text, and a file that nobody hides from others.
	if strings.Count(lines.String(), "level=WARN") > doubts || strings.Contains(lines.String(), "level=ERROR") {
		t.Errorf("complaints:\n%s", lines)
	}
}
