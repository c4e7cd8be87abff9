package wire

import (
	"errors"
	"net"
	"os"
	"sync"
	"time"
)

// ErrTooLarge means that the server sent more than a probe accepts: bytes in all, a line, a literal, lines, or nesting.
var ErrTooLarge = errors.New("the server sent more than a probe accepts")

// minReadCost is the minimum cost of a Read in bytes of the budget, so that a server that sends single bytes can't cause a
// million system calls.
const minReadCost = 64

// A Socket is a connection below TLS with one absolute deadline and a byte budget. Once it has failed it stays failed.
type Socket struct {
	conn             net.Conn
	receiver         receiver
	kernelTimestamps bool // for all bytes so far
	deadline         time.Time
	left             int64       // of the budget, in bytes
	records          *tlsRecords // nil before TLS

	received  time.Time     // when the newest bytes were, by the kernel if it tells
	readDelay time.Duration // how much later they were read
	sent      time.Time     // when the last Write began

	// Since Mark: when the first Write began, and by how much Reads returned after their bytes had been received.
	firstSent       time.Time
	schedulingDelay time.Duration

	mu    sync.Mutex
	cause error
}

// NewSocket takes over conn, whose opening began at opened. No Read or Write outlives deadline, and at most budget bytes
// are read.
func NewSocket(conn net.Conn, opened, deadline time.Time, budget int64) (*Socket, error) {
	if err := conn.SetDeadline(deadline); err != nil {
		return nil, err
	}
	s := &Socket{conn: conn, deadline: deadline, left: budget, received: opened}
	s.receiver, s.kernelTimestamps = newReceiver(conn)
	return s, nil
}

// Read reads within the budget. On Linux it has the kernel acknowledge at once: a server whose answer leaves in two
// segments would otherwise wait for our delayed acknowledgement, 40 ms that no mail client's user blames on the server.
func (s *Socket) Read(p []byte) (int, error) {
	if err := s.Cause(); err != nil {
		return 0, err
	}
	if s.left <= 0 {
		return 0, s.fail(ErrTooLarge)
	}
	if int64(len(p)) > s.left {
		p = p[:s.left]
	}
	begin := time.Now()
	n, stamp, err := s.receiver.receive(p)
	s.left -= max(int64(n), minReadCost)
	if n > 0 {
		if stamp.IsZero() {
			s.kernelTimestamps = false
		}
		now := time.Now()
		s.received = receiveTime(now, stamp, latest(s.received, s.sent))
		s.readDelay = now.Sub(s.received)
		s.schedulingDelay += now.Sub(latest(begin, s.received))
	}
	if err == nil && s.records != nil {
		err = s.records.add(p[:n])
	}
	if err != nil {
		return n, s.fail(err)
	}
	return n, nil
}

// StartTLS says that all bytes from now on are TLS records, which are counted.
func (s *Socket) StartTLS() { s.records = &tlsRecords{} }

// Write hands p to the kernel.
func (s *Socket) Write(p []byte) (int, error) {
	if err := s.Cause(); err != nil {
		return 0, err
	}
	s.sent = time.Now()
	if s.firstSent.IsZero() {
		s.firstSent = s.sent
	}
	n, err := s.conn.Write(p)
	if err != nil {
		return n, s.fail(err)
	}
	return n, nil
}

// Received returns when the newest bytes arrived, by the kernel's timestamp if there is one.
func (s *Socket) Received() time.Time { return s.received }

// ReadDelay is how much later the newest bytes were read than received. Without timestamps it would count as the server's
// time.
func (s *Socket) ReadDelay() time.Duration { return s.readDelay }

// Sent is when the newest bytes were handed to the kernel.
func (s *Socket) Sent() time.Time { return s.sent }

// Mark begins the measurement of FirstSent and SchedulingDelay, for example of a TLS handshake.
func (s *Socket) Mark() { s.firstSent, s.schedulingDelay = time.Time{}, 0 }

// FirstSent is when the first bytes since Mark were handed to the kernel; zero if there were none.
func (s *Socket) FirstSent() time.Time { return s.firstSent }

// SchedulingDelay is by how much Reads since Mark returned after their bytes had been received, because our goroutine
// waited for its turn. What was received before a Read began is no such delay.
func (s *Socket) SchedulingDelay() time.Duration { return s.schedulingDelay }

// KernelTimestamps reports whether all bytes so far had kernel timestamps. Without a timestamp, the time of reading is used.
func (s *Socket) KernelTimestamps() bool { return s.kernelTimestamps }

func latest(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// Cause returns the error that ended the connection, or nil. The layers above lose the cause of errors; here it is kept.
func (s *Socket) Cause() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.cause
}

// Shorten moves the deadline to at if that is earlier.
func (s *Socket) Shorten(at time.Time) {
	if at.Before(s.deadline) {
		s.deadline = at
		_ = s.conn.SetDeadline(at)
	}
}

// Interrupt ends a Read or Write that is under way, and all later ones, with cause. The connection stays open, so that
// [Conn.Abort] can still send a LOGOUT. It may be called from any goroutine.
func (s *Socket) Interrupt(cause error) {
	s.mu.Lock()
	defer s.mu.Unlock() // Whoever sees the cause may call Reopen, whose deadline must not be undone.
	if s.cause == nil {
		s.cause = cause
	}
	_ = s.conn.SetDeadline(time.Now())
}

// Reopen lets a connection that was interrupted or timed out be used until deadline, for a last LOGOUT. It reports false
// if the connection has failed in another way.
func (s *Socket) Reopen(deadline time.Time) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.cause != nil && !errors.Is(s.cause, os.ErrDeadlineExceeded) && !errors.Is(s.cause, ErrCanceled) {
		return false
	}
	s.cause = nil
	return s.conn.SetDeadline(deadline) == nil
}

// fail keeps the first cause and returns it.
func (s *Socket) fail(err error) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.cause == nil {
		s.cause = err
	}
	return s.cause
}

// Close closes the connection.
func (s *Socket) Close() error {
	_ = s.fail(net.ErrClosed)
	return s.conn.Close()
}

// LocalAddr is our address.
func (s *Socket) LocalAddr() net.Addr { return s.conn.LocalAddr() }

// RemoteAddr is the server's address.
func (s *Socket) RemoteAddr() net.Addr { return s.conn.RemoteAddr() }

// SetDeadline does nothing: the layers above must not move the probe's deadline.
func (s *Socket) SetDeadline(time.Time) error { return nil }

// SetReadDeadline does nothing, see SetDeadline.
func (s *Socket) SetReadDeadline(time.Time) error { return nil }

// SetWriteDeadline does nothing, see SetDeadline.
func (s *Socket) SetWriteDeadline(time.Time) error { return nil }
