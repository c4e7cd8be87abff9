package imap

import (
	"bytes"
	"fmt"
	"strings"

	"imap-exporter/internal/wire"
)

// Limits on the size and nesting of a response. Real servers stay far below them.
const (
	maxLiterals = 64 // literals in one response
	maxNesting  = 64 // '(' in one response
)

// readResponse reads one response, and passes over blank lines. Its errors are final.
func (c *Conn) readResponse() (*Response, error) {
	for {
		raw, err := c.readRaw()
		if err != nil {
			return nil, c.wire.Fail(err)
		}
		if len(bytes.TrimSpace(raw)) == 0 {
			continue
		}
		r, ok := parseResponse(raw)
		c.log(r)
		if !ok {
			return nil, c.unexpected("a command", r)
		}
		return r, nil
	}
}

// log writes r to the transcript: of a message, which is private, only its size.
func (c *Conn) log(r *Response) {
	first, _, _ := bytes.Cut(r.raw, []byte("\n"))
	line := strings.TrimRight(string(first), "\r")
	switch {
	case r.Name == "FETCH" && r.Number != nil:
		line = fmt.Sprintf("* %d FETCH (… %d bytes)", *r.Number, len(r.raw))
	case r.Tag == "+":
		line = "+ " + wire.Redacted
	}
	c.wire.LogReceived(line)
}

// readRaw reads one line, and as long as it ends in a literal's size, that literal and the line that goes on behind it.
func (c *Conn) readRaw() ([]byte, error) {
	line, err := c.wire.ReadLine()
	if err != nil {
		return nil, err
	}
	raw := bytes.Clone(line)
	if !bytes.ContainsAny(line, "{(") || !mayHaveLiterals(raw) {
		return raw, nil
	}
	text, opened, literals := len(raw), bytes.Count(raw, []byte("(")), 0
	for {
		if opened > maxNesting {
			return nil, fmt.Errorf("%w: more than %d parentheses in a response", wire.ErrTooLarge, maxNesting)
		}
		n, ok, err := literalSize(line)
		switch {
		case err != nil:
			return nil, err
		case !ok:
			return raw, nil
		}
		if literals++; literals > maxLiterals {
			return nil, fmt.Errorf("%w: more than %d literals in a response", wire.ErrTooLarge, maxLiterals)
		}
		if raw, err = c.wire.ReadLiteral(raw, n); err != nil {
			return nil, err
		}
		if line, err = c.wire.ReadRest(wire.MaxLine - text); err != nil {
			return nil, err
		}
		raw = append(raw, line...)
		text += len(line)
		opened += bytes.Count(line, []byte("("))
	}
}
