package mailtest

import (
	"bufio"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"strings"
	"time"
)

const (
	// maxLine and maxLiteral bound what a client may send at once, in bytes.
	maxLine    = 64 << 10
	maxLiteral = 1 << 20
)

// ErrClosed says that the connection was ended on purpose, or that the server is closing.
var ErrClosed = errors.New("mailtest: connection closed")

// A Conn is one client's connection, seen from the server. Its methods are for the Handler it was given to.
type Conn struct {
	// Number counts the server's connections, from 1.
	Number int

	server       *Server
	conversation *Conversation // Guarded by server.mu.
	tcp          *net.TCPConn
	wire         *countedConn // The tcp connection, counted.
	nc           net.Conn     // wire, or TLS on it.
	r            *bufio.Reader
	out          []byte // Written, not yet sent.

	user     string // Logged in as; "" before.
	selected string // The selected mailbox; "" for none.
	readOnly bool
	view     []Message // Its messages when it was selected.
	loggedIn bool
	bye      bool
}

func newConn(s *Server, tcp *net.TCPConn, number int) *Conn {
	c := &Conn{Number: number, server: s, tcp: tcp, conversation: &Conversation{Open: true}}
	c.wire = &countedConn{Conn: tcp, server: s, conversation: c.conversation}
	c.nc = c.wire
	c.r = bufio.NewReader(tappedReader{c})
	return c
}

// serve runs the whole conversation.
func (c *Conn) serve() {
	c.extendDeadline()
	if err := c.run(Command{Verb: "CONNECT"}); err != nil {
		return
	}
	if c.server.options.Mode == ModeImplicit {
		if err := c.StartTLS(); err != nil {
			return
		}
	}
	if err := c.run(Command{Verb: "GREETING"}); err != nil {
		return
	}
	for !c.bye {
		cmd, err := c.readCommand()
		if err != nil {
			return
		}
		if err := c.run(cmd); err != nil {
			return
		}
	}
}

// run answers one command.
func (c *Conn) run(cmd Command) error {
	o := &c.server.options
	if err := c.Wait(o.Delay[cmd.Verb]); err != nil {
		return err
	}
	if o.Before != nil && cmd.Verb != "CONNECT" {
		if err := o.Before(c, cmd); err != nil {
			_ = c.Flush()
			return err
		}
	}
	handle := Handler((*Conn).Default)
	if replaced := o.Handle[cmd.Verb]; replaced != nil {
		handle = replaced
	}
	err := handle(c, cmd)
	if flushErr := c.Flush(); err == nil {
		err = flushErr
	}
	return err
}

// TCP returns the TCP connection below everything.
func (c *Conn) TCP() *net.TCPConn { return c.tcp }

// TLS reports whether the connection is encrypted by now.
func (c *Conn) TLS() bool { return c.tlsState() != nil }

// User returns the name of the user who is logged in, or "".
func (c *Conn) User() string { return c.user }

// Update changes what the server holds, as [Server.Update] does.
func (c *Conn) Update(change func(*Data)) { c.server.Update(change) }

// Line writes an answer's line, to which it adds CRLF. Like Raw it is sent with the rest of the answer, in one write.
func (c *Conn) Line(format string, args ...any) { c.Raw(fmt.Sprintf(format, args...) + "\r\n") }

// Raw writes bytes as they are.
func (c *Conn) Raw(bytes string) { c.out = append(c.out, bytes...) }

// OK ends an answer with a tagged OK.
func (c *Conn) OK(tag, text string) error { return c.status(tag, "OK", text) }

// NO refuses a command. The text may begin with a response code: "[LIMIT] Too many connections".
func (c *Conn) NO(tag, text string) error { return c.status(tag, "NO", text) }

// BAD answers an invalid command.
func (c *Conn) BAD(tag, text string) error { return c.status(tag, "BAD", text) }

// Bye sends BYE and closes the connection.
func (c *Conn) Bye(text string) error {
	c.Line("* BYE %s", text)
	_ = c.Flush()
	return c.Drop()
}

func (c *Conn) status(tag, status, text string) error {
	c.Line("%s %s %s", tag, status, text)
	return c.Flush()
}

// Flush sends what was written. It happens by itself at the end of a Handler, and before any wait.
func (c *Conn) Flush() error {
	out := c.out
	c.out = c.out[:0]
	o := &c.server.options
	for len(out) > 0 {
		n := len(out)
		if o.Chunk > 0 {
			n = min(n, o.Chunk)
		}
		c.extendDeadline()
		if _, err := c.nc.Write(out[:n]); err != nil {
			return err
		}
		if out = out[n:]; len(out) > 0 && !wait(c.server.ctx, o.ChunkDelay) {
			return ErrClosed
		}
	}
	return nil
}

// Wait sends what was written and waits, but not beyond the server's Close.
func (c *Conn) Wait(d time.Duration) error {
	if err := c.Flush(); err != nil {
		return err
	}
	if !wait(c.server.ctx, d) {
		return ErrClosed
	}
	return nil
}

// Hang sends what was written, then nothing more until the client disconnects or the server closes.
func (c *Conn) Hang() error {
	_ = c.Flush()
	_ = c.tcp.SetDeadline(time.Time{})
	_, _ = io.Copy(io.Discard, c.r)
	return ErrClosed
}

// Flood sends what next returns for 0, 1, 2 and so on, until it returns "", the client disconnects or the server closes.
func (c *Conn) Flood(next func(i int) string) error {
	for i := 0; ; i++ {
		bytes := next(i)
		if bytes == "" {
			return c.Flush()
		}
		if c.Raw(bytes); len(c.out) < maxLine {
			continue
		}
		if err := c.Flush(); err != nil {
			return err
		}
	}
}

// Reset sends what was written, then ends the connection with a TCP reset.
func (c *Conn) Reset() error {
	_ = c.Flush()
	_ = c.tcp.SetLinger(0)
	_ = c.tcp.Close()
	return ErrClosed
}

// Drop sends what was written, then closes the connection without a BYE, but with TLS's close_notify.
func (c *Conn) Drop() error {
	_ = c.Flush()
	_ = c.nc.Close()
	return ErrClosed
}

// CloseWrite sends what was written, then closes the server's half of the TCP connection.
func (c *Conn) CloseWrite() error {
	_ = c.Flush()
	return c.tcp.CloseWrite()
}

// StartTLS sends what was written, then does the TLS handshake. Clear text that the client has already sent is dropped.
func (c *Conn) StartTLS() error {
	if err := c.Wait(c.server.options.Delay["TLS"]); err != nil {
		return err
	}
	tlsConn := tls.Server(c.wire, c.server.options.TLS)
	c.nc = tlsConn
	c.r = bufio.NewReader(tappedReader{c})
	if err := tlsConn.HandshakeContext(c.server.ctx); err != nil {
		return err
	}
	state := tlsConn.ConnectionState()
	c.record(func(v *Conversation) { v.TLS = &state })
	return nil
}

// ReadLine sends what was written, such as a continuation request, and returns the client's next line without its end.
func (c *Conn) ReadLine() (string, error) {
	line, err := c.readLine()
	if err != nil {
		return "", err
	}
	c.record(func(v *Conversation) {
		if n := len(v.Commands); n > 0 {
			v.Commands[n-1].Replies = append(v.Commands[n-1].Replies, line)
		}
	})
	return line, nil
}

func (c *Conn) readLine() (string, error) {
	if err := c.Flush(); err != nil {
		return "", err
	}
	c.extendDeadline()
	var line []byte
	for {
		part, err := c.r.ReadSlice('\n')
		line = append(line, part...)
		switch {
		case err == nil:
			return strings.TrimRight(string(line), "\r\n"), nil
		case !errors.Is(err, bufio.ErrBufferFull):
			return "", err
		case len(line) > maxLine:
			return "", fmt.Errorf("mailtest: a line of more than %d bytes", maxLine)
		}
	}
}

// Capabilities returns what the server offers at this stage of the conversation.
func (c *Conn) Capabilities() []string {
	stage := BeforeAuth
	state := c.tlsState()
	switch {
	case c.loggedIn:
		stage = AfterAuth
	case c.server.options.Mode == ModeStartTLS && state == nil:
		stage = BeforeTLS
	}
	return c.server.capabilities(stage, state != nil && len(state.PeerCertificates) > 0)
}

func (c *Conn) offers(capability string) bool { return slices.Contains(c.Capabilities(), capability) }

func (c *Conn) tlsState() *tls.ConnectionState {
	tlsConn, ok := c.nc.(*tls.Conn)
	if !ok {
		return nil
	}
	state := tlsConn.ConnectionState()
	return &state
}

// extendDeadline gives the client another idle timeout.
func (c *Conn) extendDeadline() { _ = c.tcp.SetDeadline(time.Now().Add(c.server.options.IdleTimeout)) }

func (c *Conn) record(change func(*Conversation)) {
	c.server.mu.Lock()
	defer c.server.mu.Unlock()
	change(c.conversation)
}
