package bench

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// A capture watches the loopback device for LOGIN commands in clear text, and their answers.
type capture struct {
	mu    sync.Mutex
	sent  map[uint16]login         // by the client's port
	times map[string]time.Duration // by user, from the command's departure to the arrival of its answer
}

type login struct {
	tag  []byte
	user string
	at   time.Time
}

// startCapture captures the traffic of port until the end of the benchmark. It needs the right to.
func startCapture(b *testing.B, port uint16) *capture {
	b.Helper()
	const everything = unix.ETH_P_ALL << 8 // in network order; departing packets are seen by nothing less
	fd, err := unix.Socket(unix.AF_PACKET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, everything)
	if errors.Is(err, unix.EPERM) {
		b.Skip("capturing packets takes root")
	}
	if err != nil {
		b.Fatal(err)
	}
	lo, err := net.InterfaceByName("lo")
	if err != nil {
		b.Fatal(err)
	}
	timeout := unix.Timeval{Usec: 100_000}
	for _, err := range []error{
		unix.Bind(fd, &unix.SockaddrLinklayer{Protocol: everything, Ifindex: lo.Index}),
		unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_TIMESTAMPNS, 1),
		unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_RCVBUFFORCE, 64<<20),
		unix.SetsockoptTimeval(fd, unix.SOL_SOCKET, unix.SO_RCVTIMEO, &timeout),
	} {
		if err != nil {
			b.Fatal(err)
		}
	}
	c := &capture{sent: map[uint16]login{}, times: map[string]time.Duration{}}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		c.run(ctx, fd, port)
	}()
	b.Cleanup(func() {
		cancel()
		<-done
		unix.Close(fd)
	})
	return c
}

func (c *capture) run(ctx context.Context, fd int, port uint16) {
	packet, oob := make([]byte, 64<<10), make([]byte, 128)
	for ctx.Err() == nil {
		n, oobn, _, from, err := unix.Recvmsg(fd, packet, oob, 0)
		if err != nil {
			continue
		}
		_, data, _, err := unix.ParseOneSocketControlMessage(oob[:oobn])
		link, ok := from.(*unix.SockaddrLinklayer)
		if err != nil || !ok || len(data) < 16 {
			continue
		}
		at := time.Unix(int64(binary.NativeEndian.Uint64(data)), int64(binary.NativeEndian.Uint64(data[8:])))
		c.packet(packet[:n], at, link.Pkttype == unix.PACKET_OUTGOING, port)
	}
}

// packet notes a LOGIN as it departs, and the end of its answer as it arrives: each packet is seen at both.
func (c *capture) packet(ip []byte, at time.Time, departs bool, port uint16) {
	if len(ip) < 40 || ip[0]>>4 != 4 || ip[9] != unix.IPPROTO_TCP {
		return
	}
	tcp := ip[int(ip[0]&15)*4:]
	if len(tcp) < 20 {
		return
	}
	from, to := binary.BigEndian.Uint16(tcp), binary.BigEndian.Uint16(tcp[2:])
	payload := tcp[min(len(tcp), int(tcp[12]>>4)*4):]
	c.mu.Lock()
	defer c.mu.Unlock()
	switch tag, rest, _ := bytes.Cut(payload, []byte(" ")); {
	case to == port && departs && bytes.HasPrefix(rest, []byte("LOGIN ")):
		user, _, _ := bytes.Cut(rest[len("LOGIN "):], []byte(" "))
		c.sent[from] = login{bytes.Clone(tag), strings.Trim(string(user), `"`), at}
	case from == port && !departs:
		if l, waiting := c.sent[to]; waiting && bytes.Contains(payload, append(l.tag, " OK"...)) {
			c.times[l.user] = at.Sub(l.at)
			delete(c.sent, to)
		}
	}
}

// take returns the time of a user's login, and forgets it.
func (c *capture) take(user string) (time.Duration, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	d, ok := c.times[user]
	delete(c.times, user)
	return d, ok
}
