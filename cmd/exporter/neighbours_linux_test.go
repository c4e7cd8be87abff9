package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

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
	binary := filepath.Join(n.folder, "imap-exporter")
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
