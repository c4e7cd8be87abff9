package probe

import (
	"context"
	"errors"
	"net"
	"os"
	"slices"
	"strings"
	"syscall"
	"time"
)

// isFileLimit reports whether err came of too many open files, in this process or on this machine.
func isFileLimit(err error) bool {
	return errors.Is(err, syscall.EMFILE) || errors.Is(err, syscall.ENFILE)
}

// leastResolverWait is how long a resolver waits for an answer at least before it gives up (resolv.conf(5), "timeout").
const leastResolverWait = time.Second

// resolveError returns err, a resolver's after so long, with its reason:
//
//   - The limit of open files, which no resolver says: Go's has the system's words in its text, the C library's reports that
//     the name is unknown.
//   - A timeout where the resolver waited in vain. Only Go's says so; the C library's calls it temporary, as it does what a
//     name server answers at once.
func resolveError(ctx context.Context, err error, after time.Duration) error {
	if strings.Contains(err.Error(), syscall.EMFILE.Error()) {
		return syscall.EMFILE
	}
	file, openErr := os.Open(os.DevNull)
	if openErr == nil {
		_ = file.Close()
	}
	if isFileLimit(openErr) {
		return openErr
	}
	var dns *net.DNSError
	gaveUp := errors.As(err, &dns) && (dns.IsTimeout || dns.IsTemporary && after >= leastResolverWait)
	if ctx.Err() != nil || !gaveUp {
		return err
	}
	return Errorf(ReasonTimeout, "the resolver gave up after %v: %w", after.Round(time.Millisecond*100), err)
}

// noRoute reports whether err, of connecting, means that no network leads there: Linux says EINVAL of a link-local address,
// and EADDRNOTAVAIL of an IPv6 address where this machine has none. Otherwise EADDRNOTAVAIL means that no local port is left.
func noRoute(err error) bool {
	if errors.Is(err, syscall.EINVAL) {
		return true
	}
	op, ok := errors.AsType[*net.OpError](err)
	if !ok || !errors.Is(err, syscall.EADDRNOTAVAIL) {
		return false
	}
	remote, ok := op.Addr.(*net.TCPAddr)
	return ok && remote.IP.To4() == nil && !remote.IP.IsLoopback() && !hasIPv6()
}

// hasIPv6 reports whether this machine has an IPv6 address that reaches further than the link.
func hasIPv6() bool {
	addresses, err := net.InterfaceAddrs()
	return err != nil || slices.ContainsFunc(addresses, func(a net.Addr) bool {
		ip, ok := a.(*net.IPNet)
		return ok && ip.IP.To4() == nil && ip.IP.IsGlobalUnicast()
	})
}
