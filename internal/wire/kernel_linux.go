package wire

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// A kernelReceiver reads from a TCP socket together with the time at which the kernel received the last of the bytes.
type kernelReceiver struct {
	raw syscall.RawConn
	oob [64]byte // has room for one SCM_TIMESTAMPNS

	// The read under way. It is kept here, with tryOnce, so that reading allocates nothing.
	tryOnce func(fd uintptr) bool
	p       []byte
	waited  bool
	n, oobn int
	err     error
}

// newReceiver turns on the kernel's timestamps for conn. Without them, the time at which Read returns has to do.
func newReceiver(conn net.Conn) (r receiver, kernelTime bool) {
	tcp, ok := conn.(*net.TCPConn)
	if !ok {
		return userReceiver{conn}, false
	}
	raw, err := tcp.SyscallConn()
	if err != nil {
		return userReceiver{conn}, false
	}
	var failed error
	err = raw.Control(func(fd uintptr) {
		failed = unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_TIMESTAMPNS, 1)
	})
	if err != nil || failed != nil {
		return userReceiver{conn}, false
	}
	kernel := &kernelReceiver{raw: raw}
	kernel.tryOnce = kernel.try
	return kernel, true
}

// KeepTimestamps has the kernel stamp packets until release is called. The kernel only begins some time after the first
// socket asks for it, and stops with the last one: without this, the first answers on a machine's only connection would
// have no timestamp.
func KeepTimestamps() (release func(), err error) {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err == nil {
		err = unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_TIMESTAMPNS, 1)
	}
	if err != nil {
		return func() {}, fmt.Errorf("have the kernel stamp packets: %w", err)
	}
	return func() { _ = unix.Close(fd) }, nil
}

// receive reads, and waits until there is something to read.
func (r *kernelReceiver) receive(p []byte) (n int, stamp time.Time, err error) {
	r.p, r.waited = p, false
	err = r.raw.Read(r.tryOnce)
	r.p = nil
	switch {
	case err != nil:
		return 0, time.Time{}, err
	case r.err != nil:
		return 0, time.Time{}, &net.OpError{Op: "read", Net: "tcp", Err: r.err}
	case r.n == 0:
		return 0, time.Time{}, io.EOF
	}
	return r.n, stampOf(r.oob[:r.oobn]), nil
}

// try reads without waiting, and reports whether it is done. Its first call sends an acknowledgement that is due and turns
// off delayed ones, until the kernel turns them on again, as it does when data is sent soon after some was received.
func (r *kernelReceiver) try(fd uintptr) bool {
	if !r.waited {
		_ = unix.SetsockoptInt(int(fd), unix.IPPROTO_TCP, unix.TCP_QUICKACK, 1)
		r.waited = true
	}
	for {
		r.n, r.oobn, _, _, r.err = unix.Recvmsg(int(fd), r.p, r.oob[:], 0)
		if !errors.Is(r.err, unix.EINTR) {
			return !errors.Is(r.err, unix.EAGAIN)
		}
	}
}

// stampOf returns the timestamp in the control messages of a read, by the wall clock; zero if there is none.
func stampOf(oob []byte) time.Time {
	for len(oob) > 0 {
		header, data, rest, err := unix.ParseOneSocketControlMessage(oob)
		if err != nil {
			break
		}
		if header.Level == unix.SOL_SOCKET && header.Type == unix.SO_TIMESTAMPNS {
			return timespec(data)
		}
		oob = rest
	}
	return time.Time{}
}

// timespec reads seconds and nanoseconds in words of the architecture's size; zero if there are none.
func timespec(data []byte) time.Time {
	switch len(data) {
	case 8:
		return time.Unix(int64(binary.NativeEndian.Uint32(data)), int64(binary.NativeEndian.Uint32(data[4:])))
	case 16:
		seconds, nanoseconds := binary.NativeEndian.Uint64(data), binary.NativeEndian.Uint64(data[8:])
		return time.Unix(int64(seconds), int64(nanoseconds)) //nolint:gosec // The kernel's clock fits.
	}
	return time.Time{}
}

// HandshakeRTT is the round-trip time that the kernel measured during conn's TCP handshake (TCP_INFO). ok is false where
// it is unknown, and where a packet had to be sent again, so that the handshake took longer than a round trip.
func HandshakeRTT(conn net.Conn) (rtt time.Duration, ok bool) {
	tcp, isTCP := conn.(*net.TCPConn)
	if !isTCP {
		return 0, false
	}
	raw, err := tcp.SyscallConn()
	if err != nil {
		return 0, false
	}
	var info *unix.TCPInfo
	var failed error
	err = raw.Control(func(fd uintptr) {
		info, failed = unix.GetsockoptTCPInfo(int(fd), unix.IPPROTO_TCP, unix.TCP_INFO)
	})
	if err != nil || failed != nil || info.Total_retrans > 0 || info.Rtt == 0 {
		return 0, false
	}
	return time.Duration(info.Rtt) * time.Microsecond, true
}
