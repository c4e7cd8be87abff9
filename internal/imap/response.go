package imap

import (
	"bytes"
	"slices"
	"strings"
)

// A Response is one response of a server: a line, and the literals in it.
type Response struct {
	// Tag is "*" for an untagged response, "+" for a continuation request, else the tag of the command it completes.
	Tag string
	// Number leads responses such as "* 23 EXISTS"; nil in all others.
	Number *uint32
	// Name is the response's name or status, in upper case.
	Name string
	// Code and Args are the response code of a status response, "[CODE args]", in upper case and as sent.
	Code, Args string
	// Text is the human-readable text of a status response or the challenge of a continuation request, as sent.
	Text string
	// body is what follows the name, without the line end; the literals are in place.
	body []byte
	// raw is everything.
	raw []byte
}

// Values are the values after the response's name.
func (r *Response) Values() ([]Value, error) { return parseValues(r.body) }

// Atoms are the values after the response's name, if all of them are atoms.
func (r *Response) Atoms() (atoms []string, ok bool) {
	body := string(r.body)
	return strings.Fields(body), !strings.ContainsAny(body, "(){}\"")
}

// Status is the Name of a status response, "" for any other.
func (r *Response) Status() Status {
	switch s := Status(r.Name); s {
	case OK, NO, BAD, BYE, PREAUTH:
		return s
	}
	return ""
}

// isText reports whether an untagged response is a sentence rather than data: words, of which the first is not the name of
// data that servers send (RFC 9051, section 7).
func (r *Response) isText() bool {
	names := []string{"CAPABILITY", "ENABLED", "ESEARCH", "FLAGS", "ID", "LIST", "LSUB", "NAMESPACE", "QUOTA", "QUOTAROOT", "SEARCH", "STATUS"}
	return r.Number == nil && len(r.body) > 0 && !slices.Contains(names, r.Name) && !bytes.ContainsAny(r.body, "(){}\"")
}

// parseResponse reads a whole response. Surplus spaces and missing texts, as some servers send them, are accepted.
func parseResponse(raw []byte) (*Response, bool) {
	r := &Response{raw: raw, body: bytes.TrimRight(raw, "\r\n")}
	if len(r.body) > 0 && r.body[0] == '+' {
		r.Tag, r.Text = "+", string(bytes.TrimLeft(r.body[1:], " "))
		return r, true
	}
	r.Tag = r.word()
	r.Name = strings.ToUpper(r.word())
	if n, ok := (Value{Text: r.Name}).Uint(32); ok && r.Tag == "*" {
		r.Number = new(uint32(n)) //nolint:gosec // It has 32 bits.
		r.Name = strings.ToUpper(r.word())
	}
	if r.Status() != "" {
		r.Code, r.Args, r.Text = splitCode(string(r.body))
	}
	return r, r.Tag != "" && r.Name != ""
}

// word removes the next word from the body and returns it.
func (r *Response) word() string {
	b := bytes.TrimLeft(r.body, " ")
	n := bytes.IndexAny(b, " (\"")
	if n < 0 {
		n = len(b)
	}
	r.body = bytes.TrimLeft(b[n:], " ")
	return string(b[:n])
}

// splitCode splits "[CODE args] text". An unterminated code is text.
func splitCode(s string) (code, args, text string) {
	if !strings.HasPrefix(s, "[") {
		return "", "", s
	}
	inner, text, ok := strings.Cut(s[1:], "]")
	if !ok {
		return "", "", s
	}
	code, args, _ = strings.Cut(inner, " ")
	return strings.ToUpper(code), strings.TrimSpace(args), strings.TrimLeft(text, " ")
}

// mayHaveLiterals reports whether a response that begins with line may contain literals. Status responses and continuation
// requests are text up to the end of the line, whatever it looks like.
func mayHaveLiterals(line []byte) bool {
	r, ok := parseResponse(line)
	return ok && r.Tag == "*" && r.Status() == ""
}
