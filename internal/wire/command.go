package wire

import (
	"bytes"
	"crypto/rand"
	"fmt"
	"strings"
	"time"
)

// A Reply is the answer to one command.
type Reply struct {
	// Untagged are the untagged responses that came before the tagged OK.
	Untagged []*Response
	// OK is the tagged response.
	OK *Response
}

// Do sends one command by hand and waits for its answer. A tagged NO or BAD is a *StatusError, and the conversation goes on.
func (g *Gate) Do(command string) (*Reply, error) {
	x, err := g.begin(command, command)
	if err != nil {
		return nil, err
	}
	return g.await(x)
}

// An exchange is one command under way.
type exchange struct {
	tag  string
	verb string
	bye  time.Time // when the server said BYE to our LOGOUT
}

// newTag makes a tag that nobody can guess, so that nobody can answer a command before it was sent.
func newTag() string { return rand.Text()[:8] }

// begin sends command, and shown of it to the transcript.
func (g *Gate) begin(command, shown string) (*exchange, error) {
	if g.err != nil {
		return nil, g.err
	}
	tag := newTag()
	verb, _, _ := strings.Cut(command, " ")
	g.transcript.add(true, tag+" "+shown)
	g.sent = time.Now()
	if err := g.write(tag + " " + command + "\r\n"); err != nil {
		return nil, err
	}
	g.sent = g.socket.Sent()
	return &exchange{tag: tag, verb: strings.ToUpper(verb)}, nil
}

// more sends another line of the command under way. Its time goes on from the command's first line.
func (g *Gate) more(line, shown string) error {
	g.transcript.add(true, shown)
	return g.write(line + "\r\n")
}

func (g *Gate) write(s string) error {
	if _, err := g.conn.Write([]byte(s)); err != nil {
		if bye := g.lastWords(); bye != nil {
			err = bye
		}
		return g.fail(err)
	}
	return nil
}

// lastWords finds a BYE among what was received before the connection broke.
func (g *Gate) lastWords() error {
	for g.in.Buffered() > 0 {
		raw, err := g.readLine(maxLine)
		if err != nil {
			break
		}
		if r, ok := parseResponse(raw); ok && r.Status() == BYE {
			g.note(r)
			return g.statusError(r)
		}
	}
	return nil
}

// await reads until the tagged answer of x.
func (g *Gate) await(x *exchange) (*Reply, error) {
	reply := &Reply{}
	for {
		r, err := g.answer(x)
		switch {
		case err != nil:
			return nil, err
		case r.Tag == "*":
			reply.Untagged = append(reply.Untagged, r)
		case r.Tag == "+":
			return nil, g.protocol(x.verb, r)
		default:
			reply.OK = r
			return reply, nil
		}
	}
}

// answer reads the next response that concerns x: an untagged one, a continuation request, or the tagged OK. A few lines
// that are no response, to x or any other command, are passed over: Exchange 2003 repeats its text without the tag.
func (g *Gate) answer(x *exchange) (*Response, error) {
	r, err := g.next()
	if err != nil && !x.bye.IsZero() {
		// Some servers close the connection after BYE, with no tagged answer.
		g.account(x.bye, 0)
		return &Response{Tag: x.tag, Name: string(OK)}, nil
	}
	if err != nil {
		return nil, err
	}
	switch s := r.Status(); {
	case r.Tag == "*":
		return r, g.notice(x, r)
	case r.Tag == "+":
		return r, nil
	case r.Tag != x.tag && s == "" && g.strays < maxStray:
		g.strays++
		return g.answer(x)
	case r.Tag != x.tag:
		return nil, g.protocol(x.verb, r)
	}
	g.answered()
	if s := r.Status(); s == NO || s == BAD {
		return nil, g.statusError(r)
	} else if s != OK && (s != BYE || x.verb != "LOGOUT") { // wp.pl takes leave with the tag.
		return nil, g.protocol(x.verb, r)
	}
	return r, nil
}

// notice looks at an untagged response: BYE ends everything but LOGOUT, NO and BAD may explain what follows.
func (g *Gate) notice(x *exchange, r *Response) error {
	switch s := r.Status(); {
	case s == NO || s == BAD:
		g.alert = g.statusError(r).Error()
	case s == BYE && x.verb == "LOGOUT":
		x.bye = g.socket.Arrived()
	case s == BYE:
		return g.fail(g.statusError(r))
	}
	return nil
}

func (g *Gate) statusError(r *Response) *StatusError {
	return &StatusError{Status: r.Status(), Code: g.Clean(r.Code), Text: g.Clean(r.Text)}
}

// protocol refuses r, which is no answer to what.
func (g *Gate) protocol(what string, r *Response) error {
	line, _, _ := bytes.Cut(r.raw, []byte("\n"))
	return g.fail(fmt.Errorf("%w: %s was answered with %q", ErrProtocol, what, g.Clean(strings.TrimRight(string(line), "\r"))))
}
