package wire

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
)

// Limits on what a server sends. Real servers stay far below them.
const (
	MaxLine  = 16 << 10 // bytes of one line
	maxLines = 10_000   // lines in one conversation, those that go on behind a literal apart
)

// ReadLine reads up to the next line feed, which the line includes. It is valid until the next read. An error ends the
// conversation.
func (c *Conn) ReadLine() ([]byte, error) {
	if c.err != nil {
		return nil, c.err
	}
	if c.lines++; c.lines > maxLines {
		return nil, c.Fail(fmt.Errorf("%w: more than %d responses", ErrTooLarge, maxLines))
	}
	return c.ReadRest(MaxLine)
}

// ReadRest is ReadLine for a line that goes on behind a literal, of which limit bytes are left.
func (c *Conn) ReadRest(limit int) ([]byte, error) {
	line, err := c.in.ReadSlice('\n')
	for errors.Is(err, bufio.ErrBufferFull) && len(line) <= limit {
		var more []byte
		line = bytes.Clone(line) // The next read overwrites the buffer.
		more, err = c.in.ReadSlice('\n')
		line = append(line, more...)
	}
	if len(line) > limit {
		err = fmt.Errorf("%w: a line of more than %d bytes", ErrTooLarge, MaxLine)
	}
	if err != nil {
		return nil, c.Fail(err)
	}
	return line, nil
}

// ReadLiteral reads n bytes of any value and appends them to b. It allocates memory for bytes that arrive, not for bytes that
// are announced, and refuses at once what exceeds the Socket's budget.
func (c *Conn) ReadLiteral(b []byte, n int64) ([]byte, error) {
	if n > c.socket.left+int64(c.in.Buffered()) {
		return nil, c.Fail(fmt.Errorf("%w: a literal of %d bytes", ErrTooLarge, n))
	}
	buf := bytes.NewBuffer(b)
	if _, err := io.CopyN(buf, c.in, n); err != nil {
		return nil, c.Fail(err)
	}
	return buf.Bytes(), nil
}

// Buffered reports whether something was received that has not been read.
func (c *Conn) Buffered() bool { return c.in.Buffered() > 0 }
