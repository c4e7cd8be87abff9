package imap

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

// A ClientConn is the connection of go-imap's client: it connects the client to a Conn. Each command that the client writes
// is exchanged with the server before Write returns, in the writer's goroutine, under a tag of ours. What the client reads
// is not what the server sent: of the untagged responses only those that answer the command, rewritten to their plainest
// form, and a bare tagged answer. The client sees no capabilities, so that it never sends a command of its own.
//
// After a failed Write, and after a tagged NO or BAD, LastError has the cause.
type ClientConn struct {
	c *Conn

	// Used by the writer alone.
	out     []byte   // written, but not yet a whole line
	answer  []byte   // what the client is to read of the answer so far
	command *command // the latest
	exists  bool     // EXISTS has come since it was sent
	passed  int      // untagged responses passed on since it was sent
	last    error

	mu       sync.Mutex
	readable sync.Cond
	in       bytes.Buffer
	closed   bool
}

// ClientConn returns a connection for go-imap's client. Close it when the client is no longer needed.
func (c *Conn) ClientConn() *ClientConn {
	cc := &ClientConn{c: c}
	cc.readable.L = &cc.mu
	cc.addAnswer("* PREAUTH [CAPABILITY IMAP4rev1] ready\r\n")
	cc.flush()
	return cc
}

// LastError is why the last command failed, or nil.
func (cc *ClientConn) LastError() error { return cc.last }

// Read gives the client what was passed on to it.
func (cc *ClientConn) Read(p []byte) (int, error) {
	cc.mu.Lock()
	defer cc.mu.Unlock()
	for cc.in.Len() == 0 {
		if cc.closed {
			return 0, io.EOF
		}
		cc.readable.Wait()
	}
	return cc.in.Read(p)
}

// Write exchanges each whole command with the server. It fails if the client has stopped reading, because of its own error or
// because the conversation is over. Only such an error makes the client abort a command and wake those who wait for it.
func (cc *ClientConn) Write(p []byte) (int, error) {
	cc.out = append(cc.out, p...)
	line, whole := strings.CutSuffix(string(cc.out), "\r\n")
	if !whole {
		return len(p), nil
	}
	cc.out = cc.out[:0]
	cc.last = cc.exchange(line)
	cc.flush()
	if cc.c.Err() != nil {
		_ = cc.Close()
	}
	cc.mu.Lock()
	defer cc.mu.Unlock()
	if cc.closed {
		return 0, io.ErrClosedPipe
	}
	return len(p), nil
}

// exchange sends line, a command, and answers the client.
func (cc *ClientConn) exchange(line string) error {
	tag, line, _ := strings.Cut(line, " ")
	cc.exists, cc.passed = false, 0
	cmd, err := cc.c.begin(line, line)
	for cc.command = cmd; err == nil; {
		var r *Response
		r, err = cc.c.nextResponse(cmd)
		switch {
		case err != nil:
		case r.Tag == "*":
			cc.pass(r)
		case r.Tag == "+":
			err = cc.c.unexpected(cmd.verb, r)
		case cc.isSelect() && !cc.exists:
			err = cc.c.unexpected(cmd.verb+" (without EXISTS)", r)
		default:
			cc.addAnswer("%s OK done\r\n", tag)
			return nil
		}
	}
	cc.addAnswer("%s NO failed\r\n", tag)
	return err
}

// maxPassed is the maximum number of untagged responses to one command that are passed on to the client. A server that sends
// thousands of them would fill our memory while we wait for the tagged one.
const maxPassed = 64

// pass passes on an untagged response that belongs to the command under way, in its plainest form. All others are dropped:
// go-imap's client gives up the connection on responses that it doesn't know, and on some that it does.
func (cc *ClientConn) pass(r *Response) {
	before := len(cc.answer)
	defer func() {
		if len(cc.answer) > before {
			cc.passed++
		}
	}()
	switch {
	case cc.passed >= maxPassed:
	case cc.isSelect():
		cc.passSelect(r)
	case cc.command.verb == "FETCH" && r.Name == "FETCH" && r.Number != nil:
		cc.passFetch(r)
	}
}

func (cc *ClientConn) isSelect() bool {
	return cc.command.verb == "SELECT" || cc.command.verb == "EXAMINE"
}

func (cc *ClientConn) passSelect(r *Response) {
	if r.Name == "EXISTS" && r.Number != nil {
		cc.exists = true
		cc.addAnswer("* %d EXISTS\r\n", *r.Number)
		return
	}
	if r.Status() != OK {
		return
	}
	switch n, ok := (Value{Text: r.Args}).Uint(32); {
	case !ok || n == 0:
	case r.Code == "UIDNEXT", r.Code == "UIDVALIDITY":
		cc.addAnswer("* OK [%s %d] ok\r\n", r.Code, n)
	}
}

// section is the name of a part of a message as we ask for it, and as the client can read it.
var section = regexp.MustCompile(`^BODY\[(HEADER|TEXT|)\](<0>)?$`)

// passFetch passes on the date and the text of a message, and not what a server adds unasked, such as changed flags.
func (cc *ClientConn) passFetch(r *Response) {
	values, err := r.Values()
	if err != nil || len(values) != 1 {
		return
	}
	var items []string
	for pairs := values[0].List; len(pairs) >= 2 && len(items) < 2; pairs = pairs[2:] {
		name, value := strings.ToUpper(pairs[0].Text), pairs[1]
		switch {
		case name == "INTERNALDATE":
			if date, ok := parseDate(value.Text, cc.c.wire.Received()); ok {
				items = append(items, name+" "+Quote(date.Format(dateLayouts[0])))
			}
		case section.MatchString(name) && !value.Atom && !value.IsList():
			items = append(items, fmt.Sprintf("%s {%d}\r\n%s", name, len(value.Text), value.Text))
		}
	}
	if len(items) > 0 {
		cc.addAnswer("* %d FETCH (%s)\r\n", *r.Number, strings.Join(items, " "))
	}
}

// addAnswer adds to what the client is to read.
func (cc *ClientConn) addAnswer(format string, args ...any) {
	cc.answer = fmt.Appendf(cc.answer, format, args...)
}

// flush lets the client read the answer, whole.
func (cc *ClientConn) flush() {
	cc.mu.Lock()
	defer cc.mu.Unlock()
	if !cc.closed {
		cc.in.Write(cc.answer)
		cc.readable.Signal()
	}
	cc.answer = cc.answer[:0]
}

// Close ends the client's reading. The conversation itself goes on.
func (cc *ClientConn) Close() error {
	cc.mu.Lock()
	defer cc.mu.Unlock()
	cc.closed = true
	cc.readable.Broadcast()
	return nil
}

// LocalAddr is the connection's.
func (cc *ClientConn) LocalAddr() net.Addr { return cc.c.wire.LocalAddr() }

// RemoteAddr is the connection's.
func (cc *ClientConn) RemoteAddr() net.Addr { return cc.c.wire.RemoteAddr() }

// SetDeadline does nothing: only the Socket has a deadline.
func (cc *ClientConn) SetDeadline(time.Time) error { return nil }

// SetReadDeadline does nothing, see SetDeadline.
func (cc *ClientConn) SetReadDeadline(time.Time) error { return nil }

// SetWriteDeadline does nothing, see SetDeadline.
func (cc *ClientConn) SetWriteDeadline(time.Time) error { return nil }
