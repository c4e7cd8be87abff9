package imap

import (
	"errors"
	"reflect"
	"strings"
	"testing"

	"imap-exporter/internal/wire"
)

func atom(s string) Value        { return Value{Text: s, Atom: true} }
func str(s string) Value         { return Value{Text: s} }
func list(values ...Value) Value { return Value{List: append([]Value{}, values...)} }

func TestParseValues(t *testing.T) {
	for in, want := range map[string][]Value{
		"":                              {},
		"INBOX":                         {atom("INBOX")},
		"  a   b  ":                     {atom("a"), atom("b")},
		`"a b" "q\"u\\o" NIL "NIL"`:     {str("a b"), str(`q"u\o`), atom("NIL"), str("NIL")},
		"(a (b) ()) c":                  {list(atom("a"), list(atom("b")), list()), atom("c")},
		"{3}\r\na\r\n {0}\r\n x":        {str("a\r\n"), str(""), atom("x")},
		"{2+}\n((":                      {str("((")},
		`BODY[HEADER]<0> {1}` + "\r\nx": {atom("BODY[HEADER]<0>"), str("x")},
		`(STORAGE 1 2)`:                 {list(atom("STORAGE"), atom("1"), atom("2"))},
	} {
		got, err := parseValues([]byte(in))
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%q: got %+v, %v, want %+v", in, got, err, want)
		}
	}
	for _, in := range []string{"(", ")", "(a", "a)", `"a`, `"a\`, "{3}\r\nab", "{x}\r\n", "{3", "a\rb", "{18446744073709551616}\r\nx", "{-1}\r\n"} {
		if got, err := parseValues([]byte(in)); !errors.Is(err, errSyntax) {
			t.Errorf("%q: got %+v, %v, want an error", in, got, err)
		}
	}
	if _, err := parseValues([]byte(strings.Repeat("(", 100))); !errors.Is(err, wire.ErrTooLarge) {
		t.Errorf("nesting: %v", err)
	}
}

func TestUint(t *testing.T) {
	for _, c := range []struct {
		v    Value
		bits int
		want uint64
		ok   bool
	}{
		{atom("0"), 32, 0, true},
		{atom("4294967295"), 32, 4294967295, true},
		{str("7"), 32, 7, true},
		{atom("4294967296"), 32, 0, false},
		{atom("-1"), 32, 0, false},
		{atom("+1"), 32, 0, false},
		{atom("NIL"), 32, 0, false},
		{atom("1.5"), 32, 0, false},
		{list(), 32, 0, false},
	} {
		if n, ok := c.v.Uint(c.bits); ok != c.ok || ok && n != c.want {
			t.Errorf("%+v: got %d, %t", c.v, n, ok)
		}
	}
}

func TestParseResponse(t *testing.T) {
	number := uint32(23)
	for in, want := range map[string]Response{
		"* OK [UIDNEXT 5] next\r\n":    {Tag: "*", Name: "OK", Code: "UIDNEXT", Args: "5", Text: "next"},
		"*  ok   [alert]\r\n":          {Tag: "*", Name: "OK", Code: "ALERT"},
		"* NO [ALERT unterminated\r\n": {Tag: "*", Name: "NO", Text: "[ALERT unterminated"},
		"a1 NO\r\n":                    {Tag: "a1", Name: "NO"},
		"* 23 exists\n":                {Tag: "*", Number: &number, Name: "EXISTS"},
		"+ Y2hhbGxlbmdl\r\n":           {Tag: "+", Text: "Y2hhbGxlbmdl"},
		"+\r\n":                        {Tag: "+"},
		"* STATUS(a)\r\n":              {Tag: "*", Name: "STATUS"},
	} {
		got, ok := parseResponse([]byte(in))
		got.raw, got.body = nil, nil
		if !ok || !reflect.DeepEqual(*got, want) {
			t.Errorf("%q: got %+v, want %+v", in, *got, want)
		}
	}
	for _, in := range []string{"*\r\n", "a1\r\n", "\"x\" y\r\n", "(\r\n", "* (\r\n"} {
		if r, ok := parseResponse([]byte(in)); ok {
			t.Errorf("%q: got %+v", in, r)
		}
	}
}

func TestMayHaveLiterals(t *testing.T) {
	for line, want := range map[string]bool{
		"* LIST () \"/\" {3}\r\n":            true,
		"* 5 FETCH (BODY[] {3}\r\n":          true,
		"* OK text that ends in {3}\r\n":     false,
		"a1 NO {3}\r\n":                      false,
		"+ {3}\r\n":                          false,
		"* BYE [UNAVAILABLE] later {99}\r\n": false,
	} {
		if got := mayHaveLiterals([]byte(line)); got != want {
			t.Errorf("%q: got %t", line, got)
		}
	}
}
