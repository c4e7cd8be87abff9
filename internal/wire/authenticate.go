package wire

import (
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/emersion/go-sasl"
)

// Authenticate runs AUTHENTICATE with client's mechanism (RFC 9051, section 6.2.2). With initialResponse, the first
// response goes along with the command (RFC 4959). It is spoken by hand because go-imap's client can't send an empty
// response, which ends SCRAM and answers the error challenge of XOAUTH2.
func (g *Gate) Authenticate(client sasl.Client, initialResponse bool) error {
	mechanism, first, err := client.Start()
	if err != nil {
		return err
	}
	command := "AUTHENTICATE " + mechanism
	shown := command
	if first != nil && initialResponse {
		command, shown = command+" "+initial(first), shown+" "+blank
		first = nil
	}
	x, err := g.begin(command, shown)
	if err != nil {
		return err
	}
	for {
		r, err := g.answer(x)
		switch {
		case err != nil:
			return err
		case r.Tag == "*":
			continue
		case r.Tag != "+":
			return nil
		}
		begin := time.Now()
		response, err := respond(client, r.Text, first)
		g.sent = g.sent.Add(time.Since(begin)) // Our own work, such as SCRAM's key derivation, is not the server's time.
		first = nil
		if err != nil {
			return g.fail(err)
		}
		if err := g.more(base64.StdEncoding.EncodeToString(response), blank); err != nil {
			return err
		}
	}
}

// respond is the response to challenge: the first one, if it still waits to be sent, or what client makes of it.
func respond(client sasl.Client, challenge string, first []byte) ([]byte, error) {
	if first != nil {
		return first, nil
	}
	decoded, err := base64.StdEncoding.DecodeString(challenge)
	if err != nil {
		return nil, fmt.Errorf("%w: a challenge that isn't base64", ErrProtocol)
	}
	response, err := client.Next(decoded)
	if err != nil && !errors.Is(err, ErrTooLarge) {
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

// Login runs LOGIN (RFC 9051, section 6.2.3). What can't be quoted goes as a literal, which takes a round trip of its own
// unless the server has LITERAL+ (RFC 7888). It is spoken by hand because no literal then has to be told from a command.
func (g *Gate) Login(username, password string, literalPlus bool) error {
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
	x, err := g.begin(lines[0], "LOGIN "+blank)
	for rest := lines[1:]; err == nil; {
		var r *Response
		r, err = g.answer(x)
		switch {
		case err != nil, r.Tag == "*":
		case r.Tag == "+" && len(rest) > 0:
			err = g.more(rest[0], blank)
			rest = rest[1:]
		case r.Tag == "+" || len(rest) > 0:
			err = g.protocol(x.verb, r)
		default:
			return nil
		}
	}
	return err
}

// quotable reports whether s may be sent as a quoted string: short, and of printable ASCII.
func quotable(s string) bool {
	return len(s) <= 1024 && !strings.ContainsFunc(s, func(r rune) bool { return r < ' ' || r > '~' })
}
