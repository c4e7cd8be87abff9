package wire

import (
	"bufio"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"time"
)

var (
	// ErrProtocol means that an answer is not valid in the protocol spoken, or not an answer to what was asked.
	ErrProtocol = errors.New("not a valid answer")
	// ErrInjection means that clear text followed the answer to STARTTLS.
	ErrInjection = errors.New("clear text after the answer to STARTTLS")
	// ErrCanceled means that we gave up ourselves.
	ErrCanceled = errors.New("canceled")
)

// A Conn is a conversation in lines on a Socket, or on TLS above it. It is for one goroutine. What ends the conversation
// (Fail, End) is final: every later call returns it.
type Conn struct {
	socket *Socket
	conn   net.Conn // socket, or TLS above it
	in     *bufio.Reader
	err    error
	lines  int // read so far

	sent  time.Time // when the command under way, if any, was handed to the kernel
	spent Spent

	transcript transcript
}

// NewConn begins a conversation on socket.
func NewConn(socket *Socket) *Conn {
	c := &Conn{socket: socket, conn: socket, transcript: transcript{start: time.Now()}}
	c.in = bufio.NewReader(current{c})
	return c
}

// current reads from what the Conn reads from at present, which Upgrade changes.
type current struct{ c *Conn }

func (r current) Read(p []byte) (int, error) { return r.c.conn.Read(p) }

// CheckUpgrade fails with ErrInjection if the server has sent more than the answer to STARTTLS, since anybody on the way
// could have written that (RFC 9051, section 6.2.1; RFC 3207, section 4.2).
func (c *Conn) CheckUpgrade() error {
	if c.in.Buffered() > 0 {
		return c.Fail(ErrInjection)
	}
	return nil
}

// Upgrade continues above TLS, after CheckUpgrade.
func (c *Conn) Upgrade(conn net.Conn) error {
	if err := c.CheckUpgrade(); err != nil {
		return err
	}
	c.conn = conn
	return nil
}

// Err returns the error that ended the conversation, or nil.
func (c *Conn) Err() error { return c.err }

// Fail ends the conversation because of err, and returns what ended it: the Socket's cause if there is one, since layers
// above it replace error texts, unless err is a verdict of TLS.
func (c *Conn) Fail(err error) error {
	if cause := c.socket.Cause(); cause != nil && !isTLSVerdict(err) {
		err = cause
	}
	return c.End(err)
}

// End ends the conversation because of err, such as a server's own last word, which counts though the connection may have
// broken right after it. It returns what ended the conversation first.
func (c *Conn) End(err error) error {
	if c.err == nil {
		c.err = err
	}
	return c.err
}

// isTLSVerdict reports whether err is about a certificate, or an alert that the server sent.
func isTLSVerdict(err error) bool {
	_, certificate := errors.AsType[*tls.CertificateVerificationError](err)
	op, ok := errors.AsType[*net.OpError](err)
	return certificate || ok && op.Op == "remote error"
}

// Begin sends the first line of a command, without its CRLF; the transcript gets shown in its place. The command's time
// begins when the line's last byte is handed to the kernel. An error does not end the conversation yet: what was
// [Conn.Buffered] may tell why the server closed the connection; then call Fail or End.
func (c *Conn) Begin(line, shown string) error {
	if c.err != nil {
		return c.err
	}
	c.transcript.add(true, shown)
	c.sent = time.Now()
	if err := c.write(line); err != nil {
		return err
	}
	c.sent = c.socket.Sent()
	return nil
}

// Continue sends another line of the command under way, whose time goes on. Its errors are as those of Begin.
func (c *Conn) Continue(line, shown string) error {
	c.transcript.add(true, shown)
	return c.write(line)
}

func (c *Conn) write(line string) error {
	_, err := io.WriteString(c.conn, line+"\r\n")
	return err
}

// ExpectFrom begins the time of an answer to no command, the greeting, at since.
func (c *Conn) ExpectFrom(since time.Time) { c.sent = since }

// Exclude takes d off the time of the command under way: our own work between two of its lines.
func (c *Conn) Exclude(d time.Duration) { c.sent = c.sent.Add(d) }

// Answered ends the command under way with the bytes that arrived last.
func (c *Conn) Answered() { c.finish(c.socket.Received(), c.socket.ReadDelay()) }

// AnsweredAt ends the command under way with bytes that arrived at that time.
func (c *Conn) AnsweredAt(at time.Time) { c.finish(at, 0) }

// Received is when the newest bytes arrived.
func (c *Conn) Received() time.Time { return c.socket.Received() }

// Spent is the time that some commands took.
type Spent struct {
	Commands int
	// Begin is when the first of them was sent.
	Begin time.Time
	// Time is the sum from the last byte sent to the last byte received, ReadDelay apart.
	Time time.Duration
	// ReadDelay is how much later than they were received the answers were read.
	ReadDelay time.Duration
}

// Spent is the time that commands took since the last call. A command that failed counts until it did.
func (c *Conn) Spent() Spent {
	if !c.sent.IsZero() {
		c.finish(time.Now(), 0)
	}
	spent := c.spent
	c.spent = Spent{}
	return spent
}

// finish ends the command under way.
func (c *Conn) finish(end time.Time, readDelay time.Duration) {
	if c.spent.Commands == 0 {
		c.spent.Begin = c.sent
	}
	c.spent.Commands++
	c.spent.Time += max(0, end.Sub(c.sent))
	c.spent.ReadDelay += readDelay
	c.sent = time.Time{}
}

// Abort sends line, a LOGOUT or QUIT, on a connection whose conversation was interrupted or timed out, and waits until
// deadline for the server to close it. Errors are ignored.
func (c *Conn) Abort(line string, deadline time.Time) {
	if !c.socket.Reopen(deadline) {
		return
	}
	c.transcript.add(true, line)
	if err := c.write(line); err == nil {
		_, _ = io.CopyN(io.Discard, c.conn, MaxLine)
	}
}

// Hide redacts secret wherever the server repeats it, in errors and in the transcript.
func (c *Conn) Hide(secret string) { c.transcript.hide(secret) }

// Transcript is the conversation so far.
func (c *Conn) Transcript() []TranscriptLine { return c.transcript.lines }

// LogReceived adds a line of the server to the transcript, in the form that the dialect chooses.
func (c *Conn) LogReceived(line string) { c.transcript.add(false, line) }

// Redact redacts secrets in a server's text.
func (c *Conn) Redact(s string) string { return c.transcript.redact(s) }

// Clean makes a server's text printable and free of secrets, in at most MaxText bytes.
func (c *Conn) Clean(s string) string { return c.transcript.clean(s) }

// LocalAddr is our address.
func (c *Conn) LocalAddr() net.Addr { return c.socket.LocalAddr() }

// RemoteAddr is the server's address.
func (c *Conn) RemoteAddr() net.Addr { return c.socket.RemoteAddr() }
