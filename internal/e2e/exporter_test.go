package e2e

import (
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"imap-exporter/internal/mailtest"
	"imap-exporter/internal/realtest/program"
)

// waitTimeout bounds every wait for an expected state. A test that passes hardly ever waits so long.
const waitTimeout = 2 * time.Minute

// An exporter is the running program, with a connection to it that is kept open.
type exporter struct {
	*program.Process
	client *http.Client
}

// start runs a command of package program until the end of the test.
func start(t *testing.T, cmd *exec.Cmd) *exporter {
	t.Helper()
	e := &exporter{program.Start(t, cmd), &http.Client{Transport: &http.Transport{}}}
	t.Cleanup(e.client.CloseIdleConnections) // Ahead of the stop, which would wait for them.
	return e
}

// startDebug runs the program with a configuration, at debug.
func startDebug(t *testing.T, file string) *exporter {
	t.Helper()
	return start(t, program.Command(t, file, "--log.level=debug"))
}

// signal sends a signal to the program.
func (e *exporter) signal(t *testing.T, signal syscall.Signal) {
	t.Helper()
	if err := e.Signal(signal); err != nil {
		t.Fatalf("%s: %v", signal, err)
	}
}

// metrics gets /metrics by the connection that is kept.
func (e *exporter) metrics(t *testing.T) string {
	t.Helper()
	request, err := http.NewRequest(http.MethodGet, e.URL+"/metrics", nil)
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("X-Prometheus-Scrape-Timeout-Seconds", "60") // The machine may be busy.
	response, err := e.client.Do(request)
	if err != nil {
		t.Fatalf("%v\n%s", err, e.Log)
	}
	defer response.Body.Close()
	page, err := io.ReadAll(response.Body)
	if err != nil || response.StatusCode != http.StatusOK {
		t.Fatalf("/metrics: status %d, %v: %s", response.StatusCode, err, page)
	}
	return string(page)
}

// page gets /metrics, which must be valid whatever servers say.
func (e *exporter) page(t *testing.T) page {
	t.Helper()
	p, err := parsePage(e.metrics(t))
	if err != nil {
		t.Fatalf("/metrics is not valid: %v", err)
	}
	return p
}

// awaitPage reads /metrics until ok is true of it.
func (e *exporter) awaitPage(t *testing.T, what string, ok func(page) bool) (p page) {
	t.Helper()
	if !await(func() bool { p = e.page(t); return ok(p) }) {
		t.Fatalf("%s: not in time", what)
	}
	return p
}

// reload replaces the configuration file and waits until the program has as many accounts as the new text.
func (e *exporter) reload(t *testing.T, file, text string) {
	t.Helper()
	if err := os.WriteFile(file+".new", []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(file+".new", file); err != nil {
		t.Fatal(err)
	}
	e.signal(t, syscall.SIGHUP)
	want := float64(strings.Count(text, "  - {name: account-"))
	if !await(func() bool { return sum(e.metrics(t), "imap_exporter_accounts", ".*") == want }) {
		t.Fatal("the configuration isn't reloaded")
	}
}

// await calls condition until it is true, and reports whether that was within waitTimeout.
func await(condition func() bool) bool {
	deadline := time.After(waitTimeout)
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for !condition() {
		select {
		case <-tick.C:
		case <-deadline:
			return false
		}
	}
	return true
}

// sum adds up the samples of a metric that match a pattern of labels; ".*" is all.
func sum(page, metric, labels string) (total float64) {
	sample := regexp.MustCompile(`(?m)^` + metric + `(?:\{` + labels + `\})? (\S+)$`)
	for _, match := range sample.FindAllStringSubmatch(page, -1) {
		value, _ := strconv.ParseFloat(match[1], 64)
		total += value
	}
	return total
}

// startServer starts a scripted server.
func startServer(t *testing.T, o mailtest.Options) *mailtest.Server {
	t.Helper()
	server, err := mailtest.Start(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { server.Close() })
	return server
}

// writeConfig writes a configuration of accounts account-0, account-1 and so on, all on one server without TLS.
func writeConfig(t *testing.T, interval, timeout string, accounts int, address string) (file string) {
	t.Helper()
	var b strings.Builder
	fmt.Fprintf(&b, "max_concurrent_per_server: 100\nmodules:\n  - {name: m, interval: %s, timeout: %s, tls: none, auth: login, allow_plaintext_auth: true}\naccounts:\n", interval, timeout)
	for i := range accounts {
		fmt.Fprintf(&b, "  - {name: account-%d, server: %q, username: %s, password: %s, module: m}\n", i, address, mailtest.DemoUser, mailtest.DemoPassword)
	}
	file = filepath.Join(t.TempDir(), "config.yaml")
	write(t, file, b.String())
	return file
}

func write(t *testing.T, file, text string) {
	t.Helper()
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// get gets a page as it is, whatever its status. A header is "Name: value", or "".
func get(t *testing.T, method, url, header string) (int, []byte) {
	t.Helper()
	request, err := http.NewRequest(method, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	if name, value, ok := strings.Cut(header, ": "); ok {
		request.Header.Set(name, value)
	}
	request.Close = true // An idle connection would keep the program from stopping.
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response.StatusCode, body
}
