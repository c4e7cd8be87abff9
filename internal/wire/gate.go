package wire

import (
	"bufio"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"time"
)

// Limits on the shape of what a server sends, whatever it means. Honest servers stay far below them.
const (
	maxLine      = 16 << 10 // bytes of one line, its literals apart
	maxResponses = 10_000   // responses in one conversation
	maxLiterals  = 64       // literals in one response
	maxNesting   = 64       // '(' in one response
	maxStray     = 16       // lines in one conversation that are no response to anybody
)

var (
	// ErrProtocol means that what the server sent is not IMAP, or not an answer to what was asked.
	ErrProtocol = errors.New("not a valid IMAP answer")
	// ErrInjection means that clear text followed the answer to STARTTLS.
	ErrInjection = errors.New("clear text after the answer to STARTTLS")
	// ErrCanceled means that we gave up ourselves.
	ErrCanceled = errors.New("canceled")
)

// A StatusError is an answer other than OK: a tagged NO or BAD, a BYE, or a greeting that is no OK.
type StatusError struct {
	Status Status
	// Code is the response code (RFC 5530) in upper case, "" if there is none.
	Code string
	// Text is the server's text: printable, cut, free of secrets.
	Text string
}

// Error gives the answer as the server worded it.
func (e *StatusError) Error() string {
	words := []string{string(e.Status)}
	if e.Code != "" {
		words = append(words, "["+e.Code+"]")
	}
	if e.Text != "" {
		words = append(words, e.Text)
	}
	return strings.Join(words, " ")
}

// A Gate reads and writes IMAP on a Socket, or on TLS above it. It is for one goroutine. Its first error other than a
// tagged NO or BAD is final: every later call returns it.
type Gate struct {
	socket *Socket
	conn   net.Conn
	in     *bufio.Reader
	err    error

	responses int
	strays    int
	alert     string // the last untagged NO or BAD, which may explain a silence that follows

	sent  time.Time // when the command under way, if any, was handed to the kernel
	spent Spent

	transcript transcript
}

// NewGate begins a conversation on socket.
func NewGate(socket *Socket) *Gate {
	g := &Gate{socket: socket, conn: socket, transcript: transcript{start: time.Now()}}
	g.in = bufio.NewReader(arrivals{g})
	return g
}

// arrivals reads from the Gate's present connection.
type arrivals struct{ g *Gate }

func (a arrivals) Read(p []byte) (int, error) { return a.g.conn.Read(p) }

// Upgrade goes on above TLS. It refuses when the server has already sent more than the answer to STARTTLS, since whoever
// sits on the line could have written it (RFC 9051, section 6.2.1).
func (g *Gate) Upgrade(conn net.Conn) error {
	if g.in.Buffered() > 0 {
		return g.fail(ErrInjection)
	}
	g.conn = conn
	g.alert = "" // It came in clear text, from whomever.
	return nil
}

// Hide blanks secret wherever the server repeats it, in errors and in the transcript.
func (g *Gate) Hide(secret string) { g.transcript.hide(secret) }

// Transcript is the conversation so far.
func (g *Gate) Transcript() []TranscriptLine { return g.transcript.lines }

// Redact blanks secrets in a server's text.
func (g *Gate) Redact(text string) string { return g.transcript.redact(text) }

// Clean makes a server's text printable and free of secrets, in at most 200 bytes.
func (g *Gate) Clean(text string) string { return g.transcript.clean(text) }

// Alert is the last untagged NO or BAD: often the only explanation for a command that is never answered.
func (g *Gate) Alert() string { return g.alert }

// Err is what ended the conversation, or nil.
func (g *Gate) Err() error { return g.err }

// Spent is the time that some commands took.
type Spent struct {
	Commands int
	// Begin is when the first of them was sent.
	Begin time.Time
	Time  time.Duration
	// ReadDelay is how much later than they arrived the answers were read. Time doesn't have it in it.
	ReadDelay time.Duration
}

// Spent is the time that commands took since the last call. A command that failed counts until it did.
func (g *Gate) Spent() Spent {
	if !g.sent.IsZero() {
		g.account(time.Now(), 0)
	}
	spent := g.spent
	g.spent = Spent{}
	return spent
}

// answered ends the command under way with the bytes that arrived last.
func (g *Gate) answered() { g.account(g.socket.Arrived(), g.socket.ReadDelay()) }

// account ends the command under way.
func (g *Gate) account(end time.Time, late time.Duration) {
	if g.spent.Commands == 0 {
		g.spent.Begin = g.sent
	}
	g.spent.Commands++
	g.spent.Time += max(0, end.Sub(g.sent))
	g.spent.ReadDelay += late
	g.sent = time.Time{}
}

// Greeting waits for the server's greeting. Its time runs from since, when the connection was ready.
func (g *Gate) Greeting(since time.Time) (*Response, error) {
	g.sent = since
	r, err := g.next()
	if err != nil {
		return nil, err
	}
	if r.Tag != "*" || r.Status() == "" {
		return nil, g.protocol("the greeting", r)
	}
	g.answered()
	if r.Status() != OK && r.Status() != PREAUTH {
		return nil, g.fail(g.statusError(r))
	}
	return r, nil
}

// verdict reports whether err is TLS's or the server's own word, which counts though the connection broke right after it.
func verdict(err error) bool {
	_, certificate := errors.AsType[*tls.CertificateVerificationError](err)
	_, status := errors.AsType[*StatusError](err)
	op, ok := errors.AsType[*net.OpError](err)
	return certificate || status || ok && op.Op == "remote error"
}

// Fail ends the conversation because of a layer above the Socket.
func (g *Gate) Fail(err error) error { return g.fail(err) }

// fail ends the conversation. What the socket knows is truer than what a layer above made of it.
func (g *Gate) fail(err error) error {
	if g.err == nil {
		if cause := g.socket.Cause(); cause != nil && !verdict(err) {
			err = cause
		}
		g.err = err
	}
	return g.err
}

// Farewell sends LOGOUT on a connection whose conversation was broken off, and waits until deadline for the server to
// close it. What comes of it is nobody's concern.
func (g *Gate) Farewell(deadline time.Time) {
	if !g.socket.Revive(deadline) {
		return
	}
	g.transcript.add(true, "LOGOUT")
	if _, err := fmt.Fprintf(g.conn, "%s LOGOUT\r\n", newTag()); err == nil {
		_, _ = io.CopyN(io.Discard, g.conn, maxLine)
	}
}
