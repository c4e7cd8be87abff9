package e2e

import (
	"bufio"
	"io"
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

	"imap-exporter/internal/mailtest"
	"imap-exporter/internal/realtest"
	"imap-exporter/internal/realtest/netns"
	"imap-exporter/internal/realtest/program"
)

// failingConfig writes a configuration whose probes all fail, so that each one's transcript is logged at debug.
func failingConfig(t *testing.T) string {
	server := startServer(t, mailtest.Options{NoRecord: true, Handle: map[string]mailtest.Handler{
		"EXAMINE": func(c *mailtest.Conn, cmd mailtest.Command) error { return c.NO(cmd.Tag, "not today") },
	}})
	return writeConfig(t, "200ms", "200ms", 30, server.Addr())
}

// startLoggingTo runs the program, whose probes all fail, with a file as its stderr.
func startLoggingTo(t *testing.T, stderr *os.File) *exporter {
	t.Helper()
	cmd := program.Command(t, failingConfig(t), "--log.level=debug")
	cmd.Stderr = stderr
	return start(t, cmd)
}

// goesOn waits until so many more probes have ended.
func (e *exporter) goesOn(t *testing.T, probes float64) {
	t.Helper()
	before := sum(e.metrics(t), "imap_probes_total", ".*")
	if !await(func() bool { return sum(e.metrics(t), "imap_probes_total", ".*") >= before+probes }) {
		t.Errorf("no %v probes any more", probes)
	}
}

// If nobody reads stderr, or it can't be written, probes continue, lost lines are counted, and the program stops in time.
func TestNobodyReadsTheLog(t *testing.T) {
	t.Parallel()
	const dropped = "imap_exporter_log_lines_dropped_total"
	t.Run("a pipe that nobody empties", func(t *testing.T) {
		t.Parallel()
		r, w, err := os.Pipe()
		if err != nil {
			t.Fatal(err)
		}
		defer r.Close()
		e := startLoggingTo(t, w)
		w.Close()
		if !await(func() bool { return sum(e.metrics(t), dropped, ".*") > 0 }) {
			t.Fatal("nothing is dropped: the test has lost its point")
		}
		e.goesOn(t, 100)
		read := &realtest.Buffer{}
		var reader sync.WaitGroup
		reader.Go(func() { io.Copy(read, bufio.NewReader(r)) }) // Somebody comes.
		if !await(func() bool { return strings.Contains(read.String(), "Lines of the log were lost") }) {
			t.Error("the log doesn't tell what is missing")
		}
		e.Stop(t)
		reader.Wait()
		if !regexp.MustCompile(`(?m)^time=\S+ level=INFO .* msg="Schedule stopped"`).MatchString(read.String()) {
			t.Error("the log has no end")
		}
	})
	t.Run("a pipe that nobody empties, to the end", func(t *testing.T) {
		t.Parallel()
		r, w, err := os.Pipe()
		if err != nil {
			t.Fatal(err)
		}
		defer r.Close()
		e := startLoggingTo(t, w)
		w.Close()
		await(func() bool { return sum(e.metrics(t), dropped, ".*") > 0 })
		e.Stop(t)
	})
	t.Run("a full disk", func(t *testing.T) {
		t.Parallel()
		full, err := os.OpenFile("/dev/full", os.O_WRONLY, 0)
		if err != nil {
			t.Fatal(err)
		}
		defer full.Close()
		e := startLoggingTo(t, full)
		e.goesOn(t, 100)
		if n := sum(e.metrics(t), dropped, ".*"); n == 0 {
			t.Error("nothing is dropped")
		}
	})
	t.Run("a reader who has gone", func(t *testing.T) {
		t.Parallel()
		r, w, err := os.Pipe()
		if err != nil {
			t.Fatal(err)
		}
		r.Close()
		e := startLoggingTo(t, w)
		w.Close()
		e.goesOn(t, 100)
	})
}

// A process that was suspended for some intervals doesn't make up for them: one probe of each account, the rest counted as skipped.
func TestStoppedProcess(t *testing.T) {
	t.Parallel()
	const accounts, interval, still = 10, 2 * time.Second, 7 * time.Second
	var mu sync.Mutex
	var came []time.Time
	server := startServer(t, mailtest.Options{NoRecord: true, Handle: map[string]mailtest.Handler{
		"GREETING": func(c *mailtest.Conn, cmd mailtest.Command) error {
			mu.Lock()
			came = append(came, time.Now())
			mu.Unlock()
			return c.Default(cmd)
		},
	}})
	e := startDebug(t, writeConfig(t, interval.String(), "2s", accounts, server.Addr()))
	if !await(func() bool { return sum(e.metrics(t), "imap_probe_success", ".*") == accounts }) {
		t.Fatal("not all accounts succeed at first")
	}
	e.signal(t, syscall.SIGSTOP)
	<-time.After(still)
	again := time.Now()
	e.signal(t, syscall.SIGCONT)
	e.goesOn(t, 2*accounts)
	page := e.metrics(t)
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

// Everything works as the user nobody, on read-only file systems, on a host without IPv4.
func TestConfined(t *testing.T) {
	network := netns.Enter(t)
	if network == nil {
		return
	}
	server := startServer(t, mailtest.Options{NoRecord: true, Host: netns.IPv6})
	file := writeConfig(t, "1s", "1s", 3, server.Addr())
	dir, err := os.MkdirTemp("", "confined-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	binary, err := os.ReadFile(program.Command(t, file).Path)
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	for name, content := range map[string][]byte{"imap-exporter": binary, "config.yaml": text} {
		if err := os.WriteFile(filepath.Join(dir, name), content, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	network.NoIPv4(t)
	network.ReadOnly(t)
	const nobody = 65534
	port, err := realtest.FreePort()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(filepath.Join(dir, "imap-exporter"), "--config.file="+filepath.Join(dir, "config.yaml"), "--log.level=debug",
		"--web.listen-address=:"+port) // On every address there is.
	cmd.Dir = "/"
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: nobody, Gid: nobody}}
	e := start(t, cmd)
	if !await(func() bool { return sum(e.metrics(t), "imap_probe_success", ".*") == 3 }) {
		t.Errorf("the accounts don't succeed:\n%s\n%s", e.metrics(t), e.Log)
	}
	if status, _ := get(t, http.MethodGet, "http://[::1]:"+port+"/", ""); status != http.StatusOK {
		t.Errorf("the landing page: %d", status)
	}
	doubts := strings.Count(e.Log.String(), `msg="Configuration warning"`) // Of clear text, and a file that nobody hides from others.
	if strings.Count(e.Log.String(), "level=WARN") > doubts || strings.Contains(e.Log.String(), "level=ERROR") {
		t.Errorf("complaints:\n%s", e.Log)
	}
}
