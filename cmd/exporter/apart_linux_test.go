package main

import (
	"fmt"
	"io"
	"net"
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
)

// An apart is the program in a process of its own, for what can't be done to the test's.
type apart struct {
	cmd    *exec.Cmd
	url    string
	client *http.Client // with a connection of its own that it keeps
	exited chan error
}

// startApart runs the program with a configuration, until the end of the test. It is given the command to change.
func startApart(t *testing.T, file string, change func(*exec.Cmd)) *apart {
	t.Helper()
	cmd := exec.Command("imap-exporter", "--config.file="+file, "--web.listen-address=localhost:0", "--log.level=debug")
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if change != nil {
		change(cmd)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	a := &apart{cmd: cmd, client: &http.Client{Transport: &http.Transport{}}, exited: make(chan error, 1)}
	go func() { a.exited <- cmd.Wait() }()
	t.Cleanup(func() {
		a.client.CloseIdleConnections()
		a.stop(t)
	})
	if !await(func() bool { a.url = listeningOf(cmd.Process.Pid); return a.url != "" || cmd.ProcessState != nil }) || a.url == "" {
		t.Fatal("it doesn't listen")
	}
	return a
}

// stop ends the program in good order.
func (a *apart) stop(t *testing.T) {
	t.Helper()
	if a.cmd.ProcessState != nil {
		return
	}
	_ = a.cmd.Process.Signal(syscall.SIGTERM)
	select {
	case err := <-a.exited:
		if err != nil {
			t.Errorf("it ended with %v", err)
		}
	case <-time.After(stopWithin + 5*time.Second): // The machine may be busy.
		_ = a.cmd.Process.Kill()
		t.Error("it doesn't stop")
	}
}

// metrics gets /metrics by the connection that is kept.
func (a *apart) metrics(t *testing.T) string {
	t.Helper()
	request, err := http.NewRequest(http.MethodGet, a.url+"/metrics", nil)
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("X-Prometheus-Scrape-Timeout-Seconds", "60") // The machine may be busy.
	response, err := a.client.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	page, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(page)
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

// listeningOf returns the URL of the port that a process listens on; "" for none.
func listeningOf(pid int) string {
	sockets := map[string]bool{}
	files, _ := filepath.Glob(fmt.Sprintf("/proc/%d/fd/*", pid))
	for _, file := range files {
		if link, err := os.Readlink(file); err == nil {
			sockets[strings.TrimSuffix(strings.TrimPrefix(link, "socket:["), "]")] = true
		}
	}
	for _, family := range []struct{ table, host string }{{"tcp", "127.0.0.1"}, {"tcp6", "::1"}} {
		table, _ := os.ReadFile(fmt.Sprintf("/proc/%d/net/%s", pid, family.table))
		const listen = "0A"
		for line := range strings.Lines(string(table)) {
			fields := strings.Fields(line)
			if len(fields) < 10 || fields[3] != listen || !sockets[fields[9]] {
				continue
			}
			_, hex, _ := strings.Cut(fields[1], ":")
			port, _ := strconv.ParseUint(hex, 16, 16)
			return "http://" + net.JoinHostPort(family.host, strconv.FormatUint(port, 10))
		}
	}
	return ""
}

// apartConfig writes a configuration of so many accounts on a server in clear text, with a module's interval and timeout.
func apartConfig(t *testing.T, interval, timeout string, accounts int, address string) (file string) {
	t.Helper()
	var b strings.Builder
	fmt.Fprintf(&b, "max_concurrent_per_server: 100\nmodules:\n  - {name: m, interval: %s, timeout: %s, tls: none, auth: login, allow_plaintext_auth: true}\naccounts:\n", interval, timeout)
	for i := range accounts {
		fmt.Fprintf(&b, "  - {name: account-%d, server: %q, username: %s, password: %s, module: m}\n", i, address, mailtest.DemoUser, mailtest.DemoPassword)
	}
	file = filepath.Join(t.TempDir(), "config.yaml")
	if err := os.WriteFile(file, []byte(b.String()), 0o644); err != nil {
		t.Fatal(err)
	}
	return file
}
