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

// Resolve finds the addresses of the Target, in the resolver's order.
func (s *Session) Resolve(ctx context.Context) error {
	host, port, err := net.SplitHostPort(s.Target.Address)
	if err != nil {
		return err
	}
	if _, err := netip.ParseAddr(host); err == nil {
		if want := s.Target.IPFamily; want != IPAuto && want != family(s.Target.Address) {
			return Errorf(ReasonDNS, "%s is not an IPv%s address", host, want)
		}
		s.addresses = []string{s.Target.Address}
		return nil
	}
	begin := time.Now()
	found, err := net.DefaultResolver.LookupNetIP(ctx, network("ip", s.Target.IPFamily), host)
	s.addTiming(begin, Timing{Phase: PhaseResolve, Duration: time.Since(begin), OK: err == nil})
	if err != nil {
		return resolveError(ctx, err, time.Since(begin))
	}
	for _, address := range found[:min(len(found), maxAddresses)] {
		s.addresses = append(s.addresses, net.JoinHostPort(address.Unmap().String(), port))
	}
	if len(s.addresses) == 0 {
		return Errorf(ReasonDNS, "%s has no address", host)
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

// Connect tries one address after another, each for at most a quarter of the timeout. One that doesn't answer can't take
// all the time, and shows, as it would not if they were tried at the same time.
func (s *Session) Connect(ctx context.Context) error {
	var err error
	var lost time.Duration // on addresses that failed
	first := time.Now()
	for i, address := range s.addresses {
		begin := time.Now()
		s.tcp, err = s.dial(ctx, address)
		took := time.Since(begin)
		attempt := Connect{Family: family(address)}
		if err != nil {
			attempt.Reason = reason(PhaseConnect, err)
		}
		s.Result.Connects = append(s.Result.Connects, attempt)
		if err != nil && ctx.Err() == nil && i < len(s.addresses)-1 {
			lost += took
			continue
		}
		if i > 0 {
			s.addTiming(first, Timing{Phase: PhaseConnectFailed, Duration: lost, OK: err == nil})
		}
		s.addConnect(begin, took, err == nil)
		break
	}
	if err != nil {
		return err
	}
	return s.startConversation()
}

// addConnect adds the time of the last attempt. The kernel knows better than our goroutine when the server's answer came: an
// ordinary handshake takes one round trip.
func (s *Session) addConnect(begin time.Time, took time.Duration, ok bool) {
	t := Timing{Phase: PhaseConnect, Duration: took, OK: ok}
	if rtt, known := wire.HandshakeRTT(s.tcp); known {
		s.Result.RTT = &rtt
		t.Duration = min(rtt, took)
		t.ReadDelay = took - t.Duration
	}
	s.addTiming(begin, t)
	s.opened, s.ready = begin, begin.Add(t.Duration)
}

func (s *Session) dial(ctx context.Context, address string) (net.Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, s.Target.Timeout/4)
	defer cancel()
	var d net.Dialer
	return d.DialContext(ctx, network("tcp", s.Target.IPFamily), address)
}

// family is that of address, an IP address with a port.
func family(address string) IPFamily {
	if ap, err := netip.ParseAddrPort(address); err == nil && ap.Addr().Is6() {
		return IPv6
	}
	return IPv4
}

// startConversation begins the conversation on the new connection.
func (s *Session) startConversation() error {
	limit := int64(budget)
	if s.Target.Fetch != FetchNone {
		limit += s.Target.FetchBytes
	}
	socket, err := wire.NewSocket(s.tcp, s.opened, s.deadline, limit)
	if err != nil {
		return fmt.Errorf("prepare the connection: %w", err)
	}
	s.socket = socket
	s.Result.TimestampSource = UserTimestamps
	if socket.KernelTimestamps() {
		s.Result.TimestampSource = KernelTimestamps
	}
	s.Conn = wire.NewConn(socket)
	s.Conn.Hide(s.secret)
	s.stop = context.AfterFunc(s.parent, func() { socket.Interrupt(wire.ErrCanceled) })
	return nil
}
