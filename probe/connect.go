package probe

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"time"

	"imap-exporter/internal/wire"
)

// maxAddresses bounds how many of a name's addresses are tried.
const maxAddresses = 8

// resolve finds the addresses to try, in the resolver's order.
func (s *session) resolve(ctx context.Context) error {
	host, port, err := net.SplitHostPort(s.t.Address)
	if err != nil {
		return err
	}
	if _, err := netip.ParseAddr(host); err == nil {
		if wanted := s.t.IPFamily; wanted != IPAuto && wanted != family(s.t.Address) {
			return refuse(ReasonDNS, "%s is not an IPv%s address", host, wanted)
		}
		s.addresses = []string{s.t.Address}
		return nil
	}
	begin := time.Now()
	found, err := net.DefaultResolver.LookupNetIP(ctx, network("ip", s.t.IPFamily), host)
	s.timed(begin, Timing{Phase: PhaseResolve, Duration: time.Since(begin), OK: err == nil})
	if err != nil {
		return resolveFailed(err)
	}
	for _, address := range found[:min(len(found), maxAddresses)] {
		s.addresses = append(s.addresses, net.JoinHostPort(address.Unmap().String(), port))
	}
	if len(s.addresses) == 0 {
		return refuse(ReasonDNS, "%s has no address", host)
	}
	return nil
}

// network is "ip", "ip4", "tcp6" and so on.
func network(base string, family IPFamily) string {
	if family == IPv4 || family == IPv6 {
		return base + string(family)
	}
	return base
}

// connect tries one address after another, each for at most a quarter of the timeout, so that one that doesn't
// answer neither takes all the time nor hides behind another (as it would if they were raced).
func (s *session) connect(ctx context.Context) error {
	var err error
	var lost time.Duration
	first := time.Now()
	for i, address := range s.addresses {
		begin := time.Now()
		s.tcp, err = s.dial(ctx, address)
		took := time.Since(begin)
		attempt := Connect{Family: family(address)}
		if err != nil {
			attempt.Reason = reason(PhaseConnect, err)
		}
		s.result.Connects = append(s.result.Connects, attempt)
		if err != nil && ctx.Err() == nil && i < len(s.addresses)-1 {
			lost += took
			continue
		}
		if i > 0 {
			s.timed(first, Timing{Phase: PhaseConnectFailed, Duration: lost, OK: err == nil})
		}
		s.connected(begin, took, err == nil)
		break
	}
	if err != nil {
		return err
	}
	return s.instrument()
}

// connected puts down the time of the last attempt. The kernel knows better than our goroutine when the server's answer
// came: an ordinary handshake takes one round trip.
func (s *session) connected(begin time.Time, took time.Duration, ok bool) {
	t := Timing{Phase: PhaseConnect, Duration: took, OK: ok}
	if rtt, known := wire.HandshakeRTT(s.tcp); known {
		s.result.RTT = &rtt
		t.Duration = min(rtt, took)
		t.ReadDelay = took - t.Duration
	}
	s.timed(begin, t)
	s.opened, s.ready = begin, begin.Add(t.Duration)
}

func (s *session) dial(ctx context.Context, address string) (net.Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, s.t.Timeout/4)
	defer cancel()
	var d net.Dialer
	return d.DialContext(ctx, network("tcp", s.t.IPFamily), address)
}

// family is that of address, an IP address with a port.
func family(address string) IPFamily {
	if ap, err := netip.ParseAddrPort(address); err == nil && ap.Addr().Is6() {
		return IPv6
	}
	return IPv4
}

// instrument puts the Socket and the Gate on the connection.
func (s *session) instrument() error {
	limit := int64(budget)
	if s.t.Fetch != FetchNone {
		limit += s.t.FetchBytes
	}
	socket, err := wire.NewSocket(s.tcp, s.opened, s.deadline, limit)
	if err != nil {
		return fmt.Errorf("prepare the connection: %w", err)
	}
	s.socket = socket
	s.result.TimestampSource = UserTimestamps
	if socket.KernelTimestamps() {
		s.result.TimestampSource = KernelTimestamps
	}
	s.gate = wire.NewGate(socket)
	s.gate.Hide(s.secret)
	s.stop = context.AfterFunc(s.parent, func() { socket.Interrupt(wire.ErrCanceled) })
	return nil
}
