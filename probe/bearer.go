package probe

import (
	"encoding/json"
	"errors"
	"net"

	"imap-exporter/internal/imap"
)

// xoauth2 is the initial response of XOAUTH2, as Google and Microsoft document it.
func xoauth2(username, token string) string {
	return "user=" + username + "\x01auth=Bearer " + token + "\x01\x01"
}

// oauthBearer is the initial response of OAUTHBEARER (RFC 7628, section 3.1).
func oauthBearer(t *Target, token string) string {
	response := "n,a=" + saslName(t.Username) + ",\x01"
	if host, port, err := net.SplitHostPort(t.Server); err == nil {
		response += "host=" + host + "\x01port=" + port + "\x01"
	}
	return response + "auth=Bearer " + token + "\x01\x01"
}

// A bearerClient sends a bearer token, and remembers the error challenge with which a server refuses it.
type bearerClient struct {
	mechanism string
	initial   string
	refusal   string // "status" of the error challenge
	refused   bool
}

// Start gives the mechanism and the token.
func (c *bearerClient) Start() (mechanism string, initial []byte, err error) {
	return c.mechanism, []byte(c.initial), nil
}

// Next takes the error challenge. The tagged NO comes only after an answer to it: for OAUTHBEARER a single ^A
// (RFC 7628, section 3.2.3), for XOAUTH2 an empty one, for which ^A does as well.
func (c *bearerClient) Next(challenge []byte) ([]byte, error) {
	if c.refused {
		return nil, errors.New("a second error challenge")
	}
	c.refused = true
	var body struct {
		Status string `json:"status"`
	}
	if json.Unmarshal(challenge, &body) == nil {
		c.refusal = body.Status
	}
	return []byte{1}, nil
}

// explain gives a NO without a response code the reason ReasonToken, if the error challenge says that the token is refused.
func (c *bearerClient) explain(err error) error {
	var status *imap.StatusError
	if c.refused && errors.As(err, &status) && status.Code == "" && (c.refusal == "invalid_token" || c.refusal == "401" || c.refusal == "400") {
		return Errorf(ReasonToken, "the server refuses the bearer token (%s): %s", c.refusal, status.Text)
	}
	return err
}
