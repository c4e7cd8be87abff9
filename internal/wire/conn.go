package wire

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"regexp"
	"strings"
	"sync"
	"time"
)

// Conn lends the conversation to go-imap's client. Each command that the client writes is exchanged with the server
// before Write returns, in the writer's goroutine, under a tag of ours. The client reads what the Gate passes on: of the
// untagged responses those that answer the command, rewritten to their plainest form, and a bare tagged answer.
// The client is told of no capability, and so never sends a command unasked.
//
// After a failed Write, and after a tagged NO or BAD, LastError has the cause.
func (g *Gate) Conn() *Conn {
	c := &Conn{g: g}
	c.readable.L = &c.mu
	c.feed("* PREAUTH [CAPABILITY IMAP4rev1] ready\r\n")
	c.handOver()
	return c
}

// A Conn is the client's end of a Gate.
type Conn struct {
	g *Gate

	// Used by the writer alone.
	out     []byte    // written, but not yet a whole line
	passed  []byte    // to be handed to the reader
	command *exchange // the latest
	exists  bool      // EXISTS has come since it was sent
	last    error

	mu       sync.Mutex
	readable sync.Cond
	in       bytes.Buffer
	closed   bool
}

// LastError is why the last command failed, or nil.
func (c *Conn) LastError() error { return c.last }

// Read gives the client what the Gate passed on.
func (c *Conn) Read(p []byte) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for c.in.Len() == 0 {
		if c.closed {
			return 0, io.EOF
		}
		c.readable.Wait()
	}
	return c.in.Read(p)
}

// Write exchanges each whole command with the server. It fails when the client no longer reads, by its own fault or
// because the conversation is over: only then does the client give up a command, and those who wait for it.
func (c *Conn) Write(p []byte) (int, error) {
	c.out = append(c.out, p...)
	line, whole := strings.CutSuffix(string(c.out), "\r\n")
	if !whole {
		return len(p), nil
	}
	c.out = c.out[:0]
	c.last = c.exchange(line)
	c.handOver()
	if c.g.err != nil {
		_ = c.Close()
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		return 0, io.ErrClosedPipe
	}
	return len(p), nil
}

// exchange sends line, a command, and feeds the client its answer.
func (c *Conn) exchange(line string) error {
	tag, command, _ := strings.Cut(line, " ")
	c.exists = false
	x, err := c.g.begin(command, command)
	for c.command = x; err == nil; {
		var r *Response
		r, err = c.g.answer(x)
		switch {
		case err != nil:
		case r.Tag == "*":
			c.pass(r)
		case r.Tag == "+":
			err = c.g.protocol(x.verb, r)
		case c.isSelect() && !c.exists:
			err = c.g.protocol(x.verb+" (without EXISTS)", r)
		default:
			c.feed("%s OK done\r\n", tag)
			return nil
		}
	}
	c.feed("%s NO failed\r\n", tag)
	return err
}

// pass hands the client an untagged response that belongs to the command under way, in its plainest form. All others
// stay here: go-imap's client gives up the connection on responses that it doesn't know, and on some that it does.
func (c *Conn) pass(r *Response) {
	switch {
	case c.isSelect():
		c.passSelect(r)
	case c.command.verb == "FETCH" && r.Name == "FETCH" && r.Number != nil:
		c.passFetch(r)
	}
}

func (c *Conn) isSelect() bool { return c.command.verb == "SELECT" || c.command.verb == "EXAMINE" }

func (c *Conn) passSelect(r *Response) {
	if r.Name == "EXISTS" && r.Number != nil {
		c.exists = true
		c.feed("* %d EXISTS\r\n", *r.Number)
		return
	}
	if r.Status() != OK {
		return
	}
	switch n, ok := (Value{Text: r.Args}).Uint(32); {
	case !ok || n == 0:
	case r.Code == "UIDNEXT", r.Code == "UIDVALIDITY":
		c.feed("* OK [%s %d] ok\r\n", r.Code, n)
	}
}

// section is the name of a part of a message as we ask for it, and as the client can read it.
var section = regexp.MustCompile(`^BODY\[(HEADER|TEXT|)\](<0>)?$`)

// passFetch passes on the date and the text of a message, and not what a server adds unasked, such as changed flags.
func (c *Conn) passFetch(r *Response) {
	values, err := r.Values()
	if err != nil || len(values) != 1 {
		return
	}
	var items []string
	for pairs := values[0].List; len(pairs) >= 2 && len(items) < 2; pairs = pairs[2:] {
		name, value := strings.ToUpper(pairs[0].Text), pairs[1]
		switch {
		case name == "INTERNALDATE" && isDate(value.Text):
			items = append(items, name+" "+Quote(value.Text))
		case section.MatchString(name) && !value.Atom && !value.IsList():
			items = append(items, fmt.Sprintf("%s {%d}\r\n%s", name, len(value.Text), value.Text))
		}
	}
	if len(items) > 0 {
		c.feed("* %d FETCH (%s)\r\n", *r.Number, strings.Join(items, " "))
	}
}

// isDate reports whether s is a date-time (RFC 9051, section 9).
func isDate(s string) bool {
	_, err := time.Parse("_2-Jan-2006 15:04:05 -0700", s)
	return err == nil
}

// feed adds to what the reader is to have.
func (c *Conn) feed(format string, args ...any) { c.passed = fmt.Appendf(c.passed, format, args...) }

// handOver wakes the reader, once for all that answers a command.
func (c *Conn) handOver() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.closed {
		c.in.Write(c.passed)
		c.readable.Signal()
	}
	c.passed = c.passed[:0]
}

// Close ends the client's reading. The connection itself stays with the Gate.
func (c *Conn) Close() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.closed = true
	c.readable.Broadcast()
	return nil
}

// LocalAddr is the connection's.
func (c *Conn) LocalAddr() net.Addr { return c.g.socket.LocalAddr() }

// RemoteAddr is the connection's.
func (c *Conn) RemoteAddr() net.Addr { return c.g.socket.RemoteAddr() }

// SetDeadline does nothing: the Socket's deadline stands.
func (c *Conn) SetDeadline(time.Time) error { return nil }

// SetReadDeadline does nothing, see SetDeadline.
func (c *Conn) SetReadDeadline(time.Time) error { return nil }

// SetWriteDeadline does nothing, see SetDeadline.
func (c *Conn) SetWriteDeadline(time.Time) error { return nil }
