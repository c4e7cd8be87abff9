package probe

import (
	"net"
	"syscall"
	"testing"
	"time"

	"imap-exporter/internal/mailtest"
)

// An address that doesn't answer costs a quarter of the timeout, and shows although another one answers.
func TestSilentAddress(t *testing.T) {
	_, target := serve(t, mailtest.Options{})
	target.Timeout = 2 * time.Second
	s := newSession(t.Context(), target)
	s.addresses = []string{silent(t), target.Address}
	defer s.close()
	if err := s.Connect(t.Context()); err != nil {
		t.Fatal(err)
	}
	if d := took(t, s.Result, PhaseConnectFailed); d < 450*time.Millisecond || d > 800*time.Millisecond {
		t.Errorf("lost %v, want a quarter of %v", d, target.Timeout)
	}
	if r := s.Result.Connects[0].Reason; r != ReasonTimeout {
		t.Errorf("reason %s", r)
	}
}

// silent returns an address where connections are never accepted: its backlog is full.
func silent(t *testing.T) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { listener.Close() })
	raw, err := listener.(*net.TCPListener).SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	if err := raw.Control(func(fd uintptr) { _ = syscall.Listen(int(fd), 0) }); err != nil {
		t.Fatal(err)
	}
	for {
		conn, err := net.DialTimeout("tcp", listener.Addr().String(), 100*time.Millisecond)
		if err != nil {
			return listener.Addr().String()
		}
		t.Cleanup(func() { conn.Close() })
	}
}
