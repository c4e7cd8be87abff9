package imap

import (
	"bytes"
	"crypto/rand"
	"fmt"
	"strings"
	"time"

	"imap-exporter/internal/wire"
)

// maxUnrelated is the maximum number of lines in a conversation that are ignored because they answer nothing.
const maxUnrelated = 16

// A Conn speaks IMAP on a wire.Conn. It is for one goroutine. Its first error other than a tagged NO or BAD is final: every
// later call returns it.
type Conn struct {
	wire      *wire.Conn
	unrelated int
	alert     *StatusError // the last untagged NO or BAD
	refusal   *StatusError // the same, if it came since the last command
}

// NewConn begins to speak IMAP on conn: on a new connection, or after STARTTLS, from when on nothing counts that was said
// before.
func NewConn(conn *wire.Conn) *Conn { return &Conn{wire: conn} }

// Alert is the last untagged NO or BAD, or nil: often the only explanation of a command that is never answered.
func (c *Conn) Alert() *StatusError { return c.alert }

// Refusal is Alert, if it came since the last command was sent: some servers refuse a login by it alone.
func (c *Conn) Refusal() *StatusError { return c.refusal }

// Err returns the error that ended the conversation, or nil.
func (c *Conn) Err() error { return c.wire.Err() }

// Greeting waits for the server's greeting (RFC 9051, section 7.1). Its time runs from since, when the connection was ready.
func (c *Conn) Greeting(since time.Time) (*Response, error) {
	c.wire.ExpectFrom(since)
	r, err := c.readResponse()
	if err != nil {
		return nil, err
	}
	if r.Tag != "*" || r.Status() == "" {
		return nil, c.unexpected("the greeting", r)
	}
	c.wire.Answered()
	if r.Status() != OK && r.Status() != PREAUTH {
		return nil, c.wire.End(c.statusError(r))
	}
	return r, nil
}

// Do sends one command and waits for its answer. A tagged NO or BAD is a *StatusError, and the conversation goes on.
//
// It calls read with each untagged response as it comes, which may be before a tagged NO; nil ignores them. A response is not kept:
// a server that sends thousands must not fill our memory while we wait for the tagged one. What read keeps of a response it
// should copy, because its texts may be parts of a line of 16 KiB.
func (c *Conn) Do(command string, read func(*Response)) error {
	cmd, err := c.begin(command, command)
	if err != nil {
		return err
	}
	for {
		r, err := c.nextResponse(cmd)
		switch {
		case err != nil:
			return err
		case r.Tag == "*" && read != nil:
			read(r)
		case r.Tag == "*":
		case r.Tag == "+":
			return c.unexpected(cmd.verb, r)
		default:
			return nil
		}
	}
}

// A command is one that was sent and has not been answered yet.
type command struct {
	tag  string
	verb string    // in upper case
	bye  time.Time // when the server's BYE to our LOGOUT was received
}

func (c *command) isLogin() bool { return c.verb == "LOGIN" || c.verb == "AUTHENTICATE" }

// newTag makes a tag that nobody can guess, so that nobody can answer a command before it was sent.
func newTag() string { return rand.Text()[:8] }

// LogoutLine is a LOGOUT under a tag of its own, for [wire.Conn.Abort].
func LogoutLine() string { return newTag() + " LOGOUT" }

// begin sends the first line of a command, and writes shown in its place to the transcript.
func (c *Conn) begin(line, shown string) (*command, error) {
	tag := newTag()
	verb, _, _ := strings.Cut(line, " ")
	c.refusal = nil
	if err := c.wire.Begin(tag+" "+line, tag+" "+shown); err != nil {
		return nil, c.sendFailed(err)
	}
	return &command{tag: tag, verb: strings.ToUpper(verb)}, nil
}

// continueWith sends another line of the command under way.
func (c *Conn) continueWith(line, shown string) error {
	if err := c.wire.Continue(line, shown); err != nil {
		return c.sendFailed(err)
	}
	return nil
}

// sendFailed ends the conversation: because of a BYE, if the server sent one before it closed the connection, else of err.
func (c *Conn) sendFailed(err error) error {
	for c.Err() == nil && c.wire.Buffered() {
		line, readErr := c.wire.ReadLine()
		if readErr != nil {
			break
		}
		if r, ok := parseResponse(line); ok && r.Status() == BYE {
			c.log(r)
			return c.wire.End(c.statusError(r))
		}
	}
	return c.wire.Fail(err)
}

// nextResponse reads the next response that concerns cmd: an untagged one, a continuation request, or the tagged OK. A few
// lines that are no response, to cmd or any other command, are passed over: Exchange 2003 repeats its text without the tag.
func (c *Conn) nextResponse(cmd *command) (*Response, error) {
	r, err := c.readResponse()
	if err != nil && !cmd.bye.IsZero() {
		// Some servers close the connection after BYE, with no tagged answer.
		c.wire.AnsweredAt(cmd.bye)
		return &Response{Tag: cmd.tag, Name: string(OK)}, nil
	}
	if err != nil {
		return nil, err
	}
	switch s := r.Status(); {
	case r.Tag == "*":
		return r, c.checkUntagged(cmd, r)
	case r.Tag == "+":
		return r, nil
	case r.Tag != cmd.tag && s == "" && c.unrelated < maxUnrelated:
		c.unrelated++
		return c.nextResponse(cmd)
	case r.Tag != cmd.tag:
		return nil, c.unexpected(cmd.verb, r)
	}
	c.wire.Answered()
	if s := r.Status(); s == NO || s == BAD {
		return nil, c.statusError(r)
	} else if s != OK && (s != BYE || cmd.verb != "LOGOUT") { // wp.pl tags its BYE.
		return nil, c.unexpected(cmd.verb, r)
	}
	return r, nil
}

// checkUntagged looks at an untagged response: BYE ends everything but LOGOUT, NO and BAD may explain what follows. So may a
// line of text instead of a response, which hMailServer sends before it refuses a login.
func (c *Conn) checkUntagged(cmd *command, r *Response) error {
	switch s := r.Status(); {
	case s == NO || s == BAD:
		c.alert = c.statusError(r)
		c.refusal = c.alert
	case s == "" && cmd.isLogin() && r.isText():
		c.alert = &StatusError{Text: c.wire.Clean(strings.TrimSpace(string(bytes.TrimLeft(r.raw, "* "))))}
		c.refusal = c.alert
	case s == BYE && cmd.verb == "LOGOUT":
		cmd.bye = c.wire.Received()
	case s == BYE:
		return c.wire.End(c.statusError(r))
	}
	return nil
}

// unexpected ends the conversation because of r, which is no answer to what.
func (c *Conn) unexpected(what string, r *Response) error {
	line, _, _ := bytes.Cut(r.raw, []byte("\n"))
	return c.wire.Fail(fmt.Errorf("%w: %s was answered with %q", ErrProtocol, what, c.wire.Clean(strings.TrimRight(string(line), "\r"))))
}
