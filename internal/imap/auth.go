package imap

import (
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/emersion/go-sasl"

	"imap-exporter/internal/wire"
)

// Authenticate runs AUTHENTICATE with client's mechanism (RFC 9051, section 6.2.2). With initialResponse, the first
// response is sent along with the command (RFC 4959). go-imap's client can't send an empty response,
// which ends SCRAM and answers the error challenge of XOAUTH2.
func (c *Conn) Authenticate(client sasl.Client, initialResponse bool) error {
	mechanism, first, err := client.Start()
	if err != nil {
		return err
	}
	command := "AUTHENTICATE " + mechanism
	shown := command
	if first != nil && initialResponse {
		command, shown = command+" "+initial(first), shown+" "+wire.Redacted
		first = nil
	}
	cmd, err := c.begin(command, shown)
	if err != nil {
		return err
	}
	for {
		r, err := c.nextResponse(cmd)
		switch {
		case err != nil:
			return err
		case r.Tag == "*":
			continue
		case r.Tag != "+":
			return nil
		}
		began := time.Now()
		response, err := respond(client, r.Text, first)
		c.wire.Exclude(time.Since(began)) // Our own work, such as SCRAM's key derivation, is not the server's time.
		first = nil
		if err != nil {
			return c.wire.Fail(err)
		}
		if err := c.continueWith(base64.StdEncoding.EncodeToString(response), wire.Redacted); err != nil {
			return err
		}
	}
}

// respond returns the response to challenge: the first one, if it hasn't been sent yet, else client's answer.
func respond(client sasl.Client, challenge string, first []byte) ([]byte, error) {
	if first != nil {
		return first, nil
	}
	decoded, err := base64.StdEncoding.DecodeString(challenge)
	if err != nil {
		return nil, fmt.Errorf("%w: a challenge that isn't base64", ErrProtocol)
	}
	response, err := client.Next(decoded)
	if err != nil && !errors.Is(err, wire.ErrTooLarge) {
		return nil, fmt.Errorf("%w: %w", ErrProtocol, err)
	}
	return response, err
}

// initial is the initial response as it is sent: "=" stands for an empty one.
func initial(response []byte) string {
	if len(response) == 0 {
		return "="
	}
	return base64.StdEncoding.EncodeToString(response)
}

// Login runs LOGIN (RFC 9051, section 6.2.3). What can't be quoted is sent as a literal, which takes a round trip of its own
// unless the server has LITERAL+ (RFC 7888).
func (c *Conn) Login(username, password string, literalPlus bool) error {
	lines := []string{"LOGIN"}
	for _, s := range []string{username, password} {
		line := &lines[len(lines)-1]
		switch {
		case quotable(s):
			*line += " " + Quote(s)
		case literalPlus:
			*line += fmt.Sprintf(" {%d+}\r\n%s", len(s), s)
		default:
			*line += fmt.Sprintf(" {%d}", len(s))
			lines = append(lines, s)
		}
	}
	cmd, err := c.begin(lines[0], "LOGIN "+wire.Redacted)
	for rest := lines[1:]; err == nil; {
		var r *Response
		r, err = c.nextResponse(cmd)
		switch {
		case err != nil, r.Tag == "*":
		case r.Tag == "+" && len(rest) > 0:
			err = c.continueWith(rest[0], wire.Redacted)
			rest = rest[1:]
		case r.Tag == "+" || len(rest) > 0:
			err = c.unexpected(cmd.verb, r)
		default:
			return nil
		}
	}
	return err
}

// quotable reports whether s may be sent as a quoted string: short, and printable ASCII.
func quotable(s string) bool {
	return len(s) <= 1024 && !strings.ContainsFunc(s, func(r rune) bool { return r < ' ' || r > '~' })
}
