package imap

import (
	"bytes"
	"errors"
	"fmt"
	"strconv"

	"imap-exporter/internal/wire"
)

// maxDepth bounds nested lists. What we ask for nests twice.
const maxDepth = 8

var errSyntax = errors.New("not an IMAP value")

// A Value is an atom, a string (quoted or literal), or a parenthesised list (RFC 9051, section 4).
type Value struct {
	// Text is the atom or string.
	Text string
	// Atom is true for an unquoted Text, so that NIL differs from "NIL".
	Atom bool
	// List is the list's elements; not nil for a list, even an empty one.
	List []Value
}

// IsList reports whether v is a list.
func (v Value) IsList() bool { return v.List != nil }

// Uint is v's value as a number of at most bits bits. ok is false for anything else, NIL and negative numbers included.
func (v Value) Uint(bits int) (n uint64, ok bool) {
	if v.Text == "" || v.Text[0] < '0' || v.Text[0] > '9' {
		return 0, false // Most are words, for which ParseUint would allocate an error.
	}
	n, err := strconv.ParseUint(v.Text, 10, bits)
	return n, err == nil && !v.IsList()
}

// parseValues reads all values of b, which is one response without its trailing CRLF. Surplus spaces are accepted.
func parseValues(b []byte) ([]Value, error) {
	p := parser{b: b}
	values, err := p.values(0)
	if err == nil && len(p.b) > 0 {
		err = errSyntax
	}
	return values, err
}

type parser struct{ b []byte }

// values reads up to the end, or to the ')' that closes the list.
func (p *parser) values(depth int) ([]Value, error) {
	if depth > maxDepth {
		return nil, wire.ErrTooLarge
	}
	values := []Value{}
	for {
		p.b = bytes.TrimLeft(p.b, " ")
		if len(p.b) == 0 || p.b[0] == ')' {
			return values, nil
		}
		v, err := p.value(depth)
		if err != nil {
			return nil, err
		}
		values = append(values, v)
	}
}

func (p *parser) value(depth int) (Value, error) {
	switch p.b[0] {
	case '(':
		p.b = p.b[1:]
		list, err := p.values(depth + 1)
		if err != nil {
			return Value{}, err
		}
		if len(p.b) == 0 {
			return Value{}, errSyntax
		}
		p.b = p.b[1:]
		return Value{List: list}, nil
	case '"':
		return p.quoted()
	case '{':
		return p.literal()
	}
	n := bytes.IndexAny(p.b, " ()\"{\r\n")
	switch n {
	case -1:
		n = len(p.b)
	case 0:
		return Value{}, errSyntax
	}
	v := Value{Text: string(p.b[:n]), Atom: true}
	p.b = p.b[n:]
	return v, nil
}

func (p *parser) quoted() (Value, error) {
	var text []byte
	for i := 1; i < len(p.b); i++ {
		switch p.b[i] {
		case '"':
			p.b = p.b[i+1:]
			return Value{Text: string(text)}, nil
		case '\\':
			i++
			if i == len(p.b) {
				return Value{}, errSyntax
			}
		}
		text = append(text, p.b[i])
	}
	return Value{}, errSyntax
}

func (p *parser) literal() (Value, error) {
	eol := bytes.IndexByte(p.b, '\n')
	if eol < 0 {
		return Value{}, errSyntax
	}
	n, ok, err := literalSize(p.b[:eol+1])
	rest := p.b[eol+1:]
	if !ok || err != nil || n > int64(len(rest)) {
		return Value{}, errSyntax
	}
	p.b = rest[n:]
	return Value{Text: string(rest[:n])}, nil
}

// literalSize is n when line ends in {n} or {n+} before its line end. If n doesn't fit, ok is true, and err names it.
func literalSize(line []byte) (n int64, ok bool, err error) {
	line = bytes.TrimRight(line, "\r\n")
	if !bytes.HasSuffix(line, []byte("}")) {
		return 0, false, nil
	}
	open := bytes.LastIndexByte(line, '{')
	if open < 0 {
		return 0, false, nil
	}
	digits := bytes.TrimSuffix(line[open+1:len(line)-1], []byte("+"))
	u, err := strconv.ParseUint(string(digits), 10, 63)
	switch {
	case errors.Is(err, strconv.ErrRange):
		return 0, true, fmt.Errorf("%w: a literal of %s bytes", wire.ErrTooLarge, digits)
	case err != nil:
		return 0, false, nil
	}
	return int64(u), true, nil
}
