package imap

import (
	"bytes"
	"slices"
	"strings"
	"time"
)

// A Listing is what a LIST response says of one mailbox (RFC 9051, section 7.3.1).
type Listing struct {
	// Attributes are the name attributes, such as \Noselect, in lower case.
	Attributes []string
	// Name is the mailbox's name as it was sent; see [DecodeMailbox].
	Name string
}

// Listing reads a LIST response. Several servers don't quote names with blanks, so a name without quotes goes to the end of
// the line or to its extended data (RFC 5258, section 6). ok is false if it can't be read.
func (r *Response) Listing() (l Listing, ok bool) {
	p := parser{b: r.body}
	if !p.skipSpaces() {
		return Listing{}, false
	}
	attributes, err := p.value(0)
	if err != nil || !attributes.IsList() {
		return Listing{}, false
	}
	for _, a := range attributes.List {
		l.Attributes = append(l.Attributes, strings.ToLower(a.Text))
	}
	if !p.skipSpaces() {
		return Listing{}, false
	}
	if delimiter, err := p.value(0); err != nil || delimiter.IsList() || !p.skipSpaces() {
		return Listing{}, false
	}
	if p.b[0] == '"' || p.b[0] == '{' {
		name, err := p.value(0)
		l.Name = name.Text
		return l, err == nil
	}
	if !isLine(p.b) {
		return Listing{}, false
	}
	l.Name = string(withoutExtendedData(p.b))
	return l, true
}

// isLine reports whether b has no literal. What is searched for parentheses must have few of them, as a line does.
func isLine(b []byte) bool { return bytes.IndexByte(b, '\n') < 0 }

// skipSpaces goes to the next value, and reports whether there is one.
func (p *parser) skipSpaces() bool {
	p.b = bytes.TrimLeft(p.b, " ")
	return len(p.b) > 0
}

// withoutExtendedData cuts off a list of lists, which is no part of a name.
func withoutExtendedData(name []byte) []byte {
	for i, c := range name {
		if c != '(' || i == 0 {
			continue
		}
		values, err := parseValues(name[i:])
		if err == nil && len(values) == 1 && slices.ContainsFunc(values[0].List, Value.IsList) {
			name = name[:i]
			break
		}
	}
	return bytes.TrimRight(name, " ")
}

// NamedList reads a response that is a name and a list: STATUS (RFC 9051, section 7.3.4) and QUOTA (RFC 9208, section 4.2.1). The
// name is as it was sent. Several servers don't quote names with blanks, so that a name without quotes goes to the list.
// ok is false if it can't be read.
func (r *Response) NamedList() (name string, list []Value, ok bool) {
	values, err := r.Values()
	if err == nil && len(values) == 2 && !values[0].IsList() {
		return values[0].Text, values[1].List, values[1].IsList()
	}
	if !isLine(r.body) {
		return "", nil, false
	}
	for i, c := range r.body {
		if c != '(' {
			continue
		}
		if i == 0 {
			break // A list is no name.
		}
		values, err := parseValues(r.body[i:])
		if err == nil && len(values) == 1 && len(values[0].List) > 0 {
			return string(bytes.TrimRight(r.body[:i], " ")), values[0].List, true
		}
	}
	return "", nil, false
}

// dateLayouts are how servers write an INTERNALDATE: as RFC 9051, section 9, has it, and as a message's header has it.
var dateLayouts = []string{"_2-Jan-2006 15:04:05 -0700", "Mon, _2 Jan 2006 15:04:05 -0700"}

// parseDate reads an INTERNALDATE. ok is false for what can't be the date of a message that is there now: before there
// was mail, as servers say of messages that are gone or that have no date, or more than a day ahead.
func parseDate(s string, now time.Time) (date time.Time, ok bool) {
	for _, layout := range dateLayouts {
		if date, err := time.Parse(layout, s); err == nil {
			return date, date.Year() > 1970 && date.Before(now.AddDate(0, 0, 1))
		}
	}
	return time.Time{}, false
}
