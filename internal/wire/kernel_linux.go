package wire

import (
	"encoding/binary"
	"errors"
	"io"
	"net"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// A kernelReceiver reads from a TCP socket together with the time at which the kernel received the last of the bytes.
type kernelReceiver struct {
	raw syscall.RawConn
	oob [64]byte // room for one SCM_TIMESTAMPNS
}

// newReceiver turns on the kernel's time stamps for conn. Where it has none, the time at which Read returns must do.
func newReceiver(conn net.Conn) (receiver, TimestampSource) {
	tcp, ok := conn.(*net.TCPConn)
	if !ok {
		return userReceiver{conn}, UserTime
	}
	raw, err := tcp.SyscallConn()
	if err != nil {
		return userReceiver{conn}, UserTime
	}
	var failed error
	err = raw.Control(func(fd uintptr) {
		failed = unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_TIMESTAMPNS, 1)
	})
	if err != nil || failed != nil {
		return userReceiver{conn}, UserTime
	}
	return &kernelReceiver{raw: raw}, KernelTime
}

// receive sends an acknowledgement that is due and turns off delayed ones, until the kernel turns them on again, as it
// does when data was sent soon after some was received. Then it reads.
func (r *kernelReceiver) receive(p []byte) (n int, stamp time.Time, err error) {
	var oobn int
	var failed error
	first := true
	err = r.raw.Read(func(fd uintptr) bool {
		if first {
			_ = unix.SetsockoptInt(int(fd), unix.IPPROTO_TCP, unix.TCP_QUICKACK, 1)
			first = false
		}
		for {
			n, oobn, _, _, failed = unix.Recvmsg(int(fd), p, r.oob[:], 0)
			if !errors.Is(failed, unix.EINTR) {
				return !errors.Is(failed, unix.EAGAIN)
			}
		}
	})
	switch {
	case err != nil:
		return 0, time.Time{}, err
	case failed != nil:
		return 0, time.Time{}, &net.OpError{Op: "read", Net: "tcp", Err: failed}
	case n == 0:
		return 0, time.Time{}, io.EOF
	}
	return n, stampOf(r.oob[:oobn]), nil
}

// stampOf finds the time stamp among the control messages of a read; zero if there is none. It goes by the wall clock.
func stampOf(oob []byte) time.Time {
	messages, err := unix.ParseSocketControlMessage(oob)
	if err != nil {
		return time.Time{}
	}
	for _, m := range messages {
		if m.Header.Level == unix.SOL_SOCKET && m.Header.Type == unix.SO_TIMESTAMPNS && len(m.Data) >= 16 {
			seconds := binary.NativeEndian.Uint64(m.Data)
			nanoseconds := binary.NativeEndian.Uint64(m.Data[8:])
			return time.Unix(int64(seconds), int64(nanoseconds)) //nolint:gosec // The kernel's clock fits.
		}
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
