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

// leastRead is what a Read costs of the budget at least, in bytes, so that a server that sends single bytes does not cost a
// million system calls.
const leastRead = 64

// A Socket is a connection below TLS with one absolute deadline and a byte budget. Once it has failed it stays failed.
type Socket struct {
	conn     net.Conn
	receiver receiver
	kernel   bool // whether the kernel told when all bytes so far arrived
	deadline time.Time
	left     int64

	arrived time.Time     // when the newest bytes did
	late    time.Duration // how much later they were read
	sent    time.Time     // when the last Write began

	// Since Mark: when the first Write began, and how long Reads went on after their bytes had arrived.
	first time.Time
	lag   time.Duration

	mu    sync.Mutex
	cause error
}

// NewSocket takes over conn, which was begun to be opened at opened. No Read or Write outlives deadline, and at most budget
// bytes are read.
func NewSocket(conn net.Conn, opened, deadline time.Time, budget int64) (*Socket, error) {
	if err := conn.SetDeadline(deadline); err != nil {
		return nil, err
	}
	receiver, kernel := newReceiver(conn)
	return &Socket{conn: conn, receiver: receiver, kernel: kernel, deadline: deadline, left: budget, arrived: opened}, nil
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
	s.left -= max(int64(n), leastRead)
	if n > 0 {
		if stamp.IsZero() {
			s.kernel = false
		}
		now := time.Now()
		s.arrived = arrival(now, stamp, later(s.arrived, s.sent))
		s.late = now.Sub(s.arrived)
		s.lag += now.Sub(later(begin, s.arrived))
	}
	if err != nil {
		return n, s.fail(err)
	}
	return n, nil
}

// Write hands p to the kernel.
func (s *Socket) Write(p []byte) (int, error) {
	if err := s.Cause(); err != nil {
		return 0, err
	}
	s.sent = time.Now()
	if s.first.IsZero() {
		s.first = s.sent
	}
	n, err := s.conn.Write(p)
	if err != nil {
		return n, s.fail(err)
	}
	return n, nil
}

// Arrived is when the newest bytes arrived.
func (s *Socket) Arrived() time.Time { return s.arrived }

// ReadDelay is how much later they were read, which an ordinary clock would have counted as the server's time.
func (s *Socket) ReadDelay() time.Duration { return s.late }

// Sent is when the newest bytes were handed to the kernel.
func (s *Socket) Sent() time.Time { return s.sent }

// Mark begins an exchange of which FirstSent and Lag tell.
func (s *Socket) Mark() { s.first, s.lag = time.Time{}, 0 }

// FirstSent is when the first bytes since Mark were handed to the kernel; zero if there were none.
func (s *Socket) FirstSent() time.Time { return s.first }

// Lag is how long Reads since Mark went on after their bytes had arrived, because our goroutine waited for its turn.
func (s *Socket) Lag() time.Duration { return s.lag }

// KernelTimestamps reports whether the kernel told when bytes arrived, for all of them so far. Else the time at which our
// goroutine had read them had to do.
func (s *Socket) KernelTimestamps() bool { return s.kernel }

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// Cause is what ended the connection, or nil while it lives. Layers above flatten errors; this one is kept whole.
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
// Farewell can still be sent. It may be called from any goroutine.
func (s *Socket) Interrupt(cause error) {
	s.mu.Lock()
	defer s.mu.Unlock() // Whoever sees the cause may call Revive, whose deadline must not be undone.
	if s.cause == nil {
		s.cause = cause
	}
	_ = s.conn.SetDeadline(time.Now())
}

// Revive lets a connection that was interrupted or timed out be used once more until deadline, for a last LOGOUT.
// It reports false for one that is dead.
func (s *Socket) Revive(deadline time.Time) bool {
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

// SetDeadline does nothing: the probe's deadline stands, whatever a layer above would like.
func (s *Socket) SetDeadline(time.Time) error { return nil }

// SetReadDeadline does nothing, see SetDeadline.
func (s *Socket) SetReadDeadline(time.Time) error { return nil }

// SetWriteDeadline does nothing, see SetDeadline.
func (s *Socket) SetWriteDeadline(time.Time) error { return nil }
