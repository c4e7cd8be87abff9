package wire

import (
	"encoding/base64"
	"errors"
	"fmt"

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
		response, err := respond(client, r.Text, first)
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
