package netns

import (
	"bytes"
	"context"
	"errors"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"imap-exporter/internal/realtest"
)

// The addresses of a Net. They are from the documentation blocks (RFC 5737, RFC 3849), so that no stray packet can reach a real
// host. A resolver sorts IPv6 before IPv4 (RFC 6724).
const (
	IPv4 = "192.0.2.1"
	IPv6 = "2001:db8::1"
	// Silent4 and Silent6 drop every packet, as firewalls do. Nowhere4 has no route.
	Silent4  = "192.0.2.66"
	Silent6  = "2001:db8::66"
	Nowhere4 = "203.0.113.1"
)

// inside says in a process's environment that it is the one in the namespaces.
const inside = "IMAP_EXPORTER_TEST_NAMESPACES"

// A Net is the namespaces that the process is in.
type Net struct{}

// Enter runs the test in a new process with its own namespaces. There it returns the Net. In the original process it returns
// nil after the new one has ended, and the test must return.
//
//	net := netns.Enter(t)
//	if net == nil {
//		return
//	}
//
// Where there can be no namespaces the test is skipped, or fails under IMAP_EXPORTER_TEST_ALL=1.
func Enter(t *testing.T) *Net {
	t.Helper()
	if os.Getenv(inside) == t.Name() {
		n := &Net{}
		n.setUp(t)
		return n
	}
	if err := usable(); err != nil {
		realtest.Unavailable(t, "A network namespace", err)
	}
	runInside(t)
	return nil
}

// usable says why there can be no namespaces.
func usable() error {
	if os.Geteuid() != 0 {
		return errors.New("it needs root")
	}
	for _, tool := range []string{"ip", "nft", "ss", "tc"} {
		if _, err := exec.LookPath(tool); err != nil {
			return errors.New("it needs " + tool + ": `make test` installs it, as root on Debian 12")
		}
	}
	return nil
}

// runInside runs this test alone in a process of its own, which dies with this one, and its children with it.
func runInside(t *testing.T) {
	t.Helper()
	binary, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithDeadline(t.Context(), deadline(t))
	defer cancel()
	cmd := exec.CommandContext(ctx, binary, "-test.v", "-test.count=1", "-test.run=^"+regexp.QuoteMeta(t.Name())+"$")
	cmd.Env = append(os.Environ(), inside+"="+t.Name())
	cmd.SysProcAttr = &syscall.SysProcAttr{
		Cloneflags:   unix.CLONE_NEWPID,
		Unshareflags: unix.CLONE_NEWNET | unix.CLONE_NEWNS,
		Pdeathsig:    syscall.SIGKILL,
	}
	cmd.WaitDelay = 5 * time.Second
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	err = cmd.Run()
	if errors.Is(err, syscall.EPERM) {
		realtest.Unavailable(t, "A network namespace", err)
	}
	for line := range strings.Lines(out.String()) { // The bar keeps `go test -json` from reading them as its own.
		t.Log("| " + strings.TrimSuffix(line, "\n"))
	}
	if err != nil || !strings.Contains(out.String(), "--- PASS: "+t.Name()) {
		t.Errorf("in the namespace: %v", err)
	}
}

// deadline is a little before the test's own, so that the output of a test that hangs is seen.
func deadline(t *testing.T) time.Time {
	if at, ok := t.Deadline(); ok {
		return at.Add(-5 * time.Second)
	}
	return time.Now().Add(10 * time.Minute)
}

// setUp gives the namespaces a /proc of their own, and their addresses on the loopback device.
func (n *Net) setUp(t *testing.T) {
	t.Helper()
	if err := unix.Mount("proc", "/proc", "proc", 0, ""); err != nil {
		t.Fatalf("mounting /proc: %v", err)
	}
	n.Run(t, "ip", "link", "set", "lo", "mtu", "1500", "up")
	for _, address := range []string{IPv4 + "/32", Silent4 + "/32", IPv6 + "/128", Silent6 + "/128"} {
		n.Run(t, "ip", "address", "add", address, "dev", "lo")
	}
	n.Run(t, "nft", "add table inet faults { chain silent { type filter hook input priority -1; "+
		"ip daddr "+Silent4+" drop; ip6 daddr "+Silent6+" drop; }; chain rules { type filter hook input priority 0; }; }")
}

// Run runs a command in the namespaces.
func (n *Net) Run(t testing.TB, name string, args ...string) {
	t.Helper()
	if out, err := exec.CommandContext(context.WithoutCancel(t.Context()), name, args...).CombinedOutput(); err != nil {
		t.Fatalf("%s %s: %v: %s", name, strings.Join(args, " "), err, out)
	}
}

// Rule adds a rule of nftables for what comes in, until the end of the test: "tcp dport 993 drop". It may be called from
// any goroutine.
func (n *Net) Rule(t testing.TB, rule string) {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), "nft", "add rule inet faults rules "+rule).CombinedOutput()
	if err != nil {
		t.Errorf("nft: %s: %v: %s", rule, err, out)
	}
	t.Cleanup(func() { n.Run(t, "nft", "flush chain inet faults rules") })
}

// Kill ends the TCP connections to a port as an administrator would (ss -K).
func (n *Net) Kill(t testing.TB, port string) {
	t.Helper()
	n.Run(t, "ss", "--kill", "--tcp", "--no-header", "state", "established", "dport", "=", ":"+port)
}

// Slow limits the rate of all packets, in tc's units such as "256kbit", until the end of the test.
func (n *Net) Slow(t testing.TB, rate string) {
	t.Helper()
	n.Run(t, "tc", "qdisc", "add", "dev", "lo", "root", "tbf", "rate", rate, "burst", "3000", "latency", "5s")
	t.Cleanup(func() { n.Run(t, "tc", "qdisc", "del", "dev", "lo", "root") })
}

// NoIPv4 removes all IPv4 addresses except 127.0.0.1, as on hosts with only IPv6. There is no way back.
func (n *Net) NoIPv4(t testing.TB) {
	t.Helper()
	n.Run(t, "ip", "-4", "address", "flush", "dev", "lo", "scope", "global")
}

// ReadOnly makes every file system read-only until the end of the test.
func (n *Net) ReadOnly(t testing.TB) {
	t.Helper()
	attr := unix.MountAttr{Attr_set: unix.MOUNT_ATTR_RDONLY}
	if err := unix.MountSetattr(unix.AT_FDCWD, "/", unix.AT_RECURSIVE, &attr); err != nil {
		t.Fatalf("making / read-only: %v", err)
	}
	t.Cleanup(func() {
		attr := unix.MountAttr{Attr_clr: unix.MOUNT_ATTR_RDONLY}
		if err := unix.MountSetattr(unix.AT_FDCWD, "/", unix.AT_RECURSIVE, &attr); err != nil {
			t.Errorf("making / writable: %v", err)
		}
	})
}
