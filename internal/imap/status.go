package imap

import (
	"slices"
	"strings"

	"imap-exporter/internal/wire"
)

// ErrProtocol means that what the server sent is not IMAP, or not an answer to what was asked. It is a wire.ErrProtocol.
var ErrProtocol error = protocolError{}

type protocolError struct{}

func (protocolError) Error() string { return "not a valid IMAP answer" }
func (protocolError) Unwrap() error { return wire.ErrProtocol }

// Status is the first word of a status response (RFC 9051, section 7.1).
type Status string

// The statuses.
const (
	OK      Status = "OK"
	NO      Status = "NO"
	BAD     Status = "BAD"
	BYE     Status = "BYE"
	PREAUTH Status = "PREAUTH"
)

// A StatusError is an answer other than OK: a tagged NO or BAD, a BYE, or a greeting that is no OK.
type StatusError struct {
	// Status is "" for a line of text that is no response.
	Status Status
	// Code is the response code (RFC 5530) in upper case, "" if there is none.
	Code string
	// Text is the server's text: printable, cut, free of secrets.
	Text string
}

// Error gives the answer as the server worded it.
func (e *StatusError) Error() string {
	code := e.Code
	if code != "" {
		code = "[" + code + "]"
	}
	words := []string{string(e.Status), code, e.Text}
	return strings.Join(slices.DeleteFunc(words, func(word string) bool { return word == "" }), " ")
}

func (c *Conn) statusError(r *Response) *StatusError {
	return &StatusError{Status: r.Status(), Code: c.wire.Clean(r.Code), Text: c.wire.Clean(r.Text)}
}
