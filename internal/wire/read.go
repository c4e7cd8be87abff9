package wire

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
)

// next reads one response, blank lines apart.
func (g *Gate) next() (*Response, error) {
	if g.err != nil {
		return nil, g.err
	}
	for {
		if g.responses++; g.responses > maxResponses {
			return nil, g.fail(fmt.Errorf("%w: more than %d responses", ErrTooLarge, maxResponses))
		}
		raw, err := g.readRaw()
		if err != nil {
			return nil, g.fail(err)
		}
		if len(bytes.TrimSpace(raw)) == 0 {
			continue
		}
		r, ok := parseResponse(raw)
		g.note(r)
		if !ok {
			return nil, g.protocol("a command", r)
		}
		return r, nil
	}
}

// note writes r to the transcript: of a message, which is private, only its size.
func (g *Gate) note(r *Response) {
	first, _, _ := bytes.Cut(r.raw, []byte("\n"))
	line := strings.TrimRight(string(first), "\r")
	switch {
	case r.Name == "FETCH" && r.Number != nil:
		line = fmt.Sprintf("* %d FETCH (… %d bytes)", *r.Number, len(r.raw))
	case r.Tag == "+":
		line = "+ " + blank
	}
	g.transcript.add(false, line)
}

// readRaw reads one line, and as long as it ends in a literal's size, that literal and the line that goes on behind it.
func (g *Gate) readRaw() ([]byte, error) {
	line, err := g.readLine(maxLine)
	if err != nil {
		return nil, err
	}
	raw := bytes.Clone(line)
	if !bytes.ContainsAny(line, "{(") || !hasLiterals(raw) {
		return raw, nil
	}
	text, opened, literals := len(raw), bytes.Count(raw, []byte("(")), 0
	for {
		if opened > maxNesting {
			return nil, fmt.Errorf("%w: more than %d parentheses in a response", ErrTooLarge, maxNesting)
		}
		n, ok := literalSize(line)
		if !ok {
			return raw, nil
		}
		if literals++; literals > maxLiterals {
			return nil, fmt.Errorf("%w: more than %d literals in a response", ErrTooLarge, maxLiterals)
		}
		if raw, err = g.readLiteral(raw, n); err != nil {
			return nil, err
		}
		if line, err = g.readLine(maxLine - text); err != nil {
			return nil, err
		}
		raw = append(raw, line...)
		text += len(line)
		opened += bytes.Count(line, []byte("("))
	}
}

// readLine reads up to the next line feed. The line is valid until the next read.
func (g *Gate) readLine(limit int) ([]byte, error) {
	line, err := g.in.ReadSlice('\n')
	for errors.Is(err, bufio.ErrBufferFull) && len(line) <= limit {
		var more []byte
		line = bytes.Clone(line) // The next read overwrites the buffer.
		more, err = g.in.ReadSlice('\n')
		line = append(line, more...)
	}
	if len(line) > limit {
		return nil, fmt.Errorf("%w: a line of more than %d bytes", ErrTooLarge, maxLine)
	}
	return line, err
}

// readLiteral appends a literal of n bytes to raw. Memory grows with what arrives, not with what is announced, and
// what can't fit into the socket's budget is refused at once.
func (g *Gate) readLiteral(raw []byte, n int64) ([]byte, error) {
	if n > g.socket.left+int64(g.in.Buffered()) {
		return nil, fmt.Errorf("%w: a literal of %d bytes", ErrTooLarge, n)
	}
	buf := bytes.NewBuffer(raw)
	if _, err := io.CopyN(buf, g.in, n); err != nil {
		return nil, err
	}
	return buf.Bytes(), nil
}
