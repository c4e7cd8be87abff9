package mailtest

import (
	"cmp"
	"context"
	"fmt"
	"net"
	"strconv"
)

// listenAttempts is how many ports are tried until one is free on both loopback addresses.
const listenAttempts = 16

// listen opens a free port on host, "" being 127.0.0.1, and, if ipv6, the same one on ::1 where the machine has it: then
// "localhost" reaches it whichever address comes first.
func listen(host string, ipv6 bool) ([]net.Listener, error) {
	var (
		config net.ListenConfig
		ctx    = context.Background()
	)
	for range listenAttempts {
		v4, err := config.Listen(ctx, "tcp", net.JoinHostPort(cmp.Or(host, "127.0.0.1"), "0"))
		if err != nil {
			return nil, fmt.Errorf("listening on loopback: %w", err)
		}
		if !ipv6 || !hasIPv6(ctx) {
			return []net.Listener{v4}, nil
		}
		v6, err := config.Listen(ctx, "tcp6", net.JoinHostPort("::1", strconv.Itoa(port(v4))))
		if err == nil {
			return []net.Listener{v4, v6}, nil
		}
		_ = v4.Close()
	}
	return nil, fmt.Errorf("listening on loopback: no port is free on both 127.0.0.1 and ::1 after %d attempts", listenAttempts)
}

// hasIPv6 reports whether the machine has the address ::1.
func hasIPv6(ctx context.Context) bool {
	var config net.ListenConfig
	ln, err := config.Listen(ctx, "tcp6", "[::1]:0")
	if err != nil {
		return false
	}
	_ = ln.Close()
	return true
}

// port returns the port a TCP listener listens on.
func port(ln net.Listener) int { return ln.Addr().(*net.TCPAddr).Port }
