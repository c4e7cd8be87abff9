package probe

import (
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"regexp"

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
	mechanism  string
	initial    string
	challenged bool
	status     string // of the error challenge: "401", "invalid_token"
}

// Start gives the mechanism and the token.
func (c *bearerClient) Start() (mechanism string, initial []byte, err error) {
	return c.mechanism, []byte(c.initial), nil
}

// Next takes the error challenge. The tagged NO comes only after an answer to it: for OAUTHBEARER a single ^A
// (RFC 7628, section 3.2.3), for XOAUTH2 an empty one, for which ^A does as well.
func (c *bearerClient) Next(challenge []byte) ([]byte, error) {
	if c.challenged {
		return nil, errors.New("a second error challenge")
	}
	c.challenged = true
	var body struct {
		Status string `json:"status"`
	}
	if json.Unmarshal(challenge, &body) == nil {
		c.status = body.Status
	}
	return []byte{1}, nil
}

// issuerFailed are the statuses of an error challenge that blame the server or the issuer, and not the token.
var issuerFailed = regexp.MustCompile(`^(5\d\d|server_error|temporarily_unavailable)$`)

// reason is r, the reason for an answer to the login, or says what a refused login means: there was nothing but the token to
// refuse. An account that is locked, or not authorized though no error challenge came, is not the token's fault.
func (c *bearerClient) reason(r Reason, e *imap.StatusError) Reason {
	refused := r == ReasonRejected && !refusesAccount(e.Text) && (c.challenged || e.Code != "AUTHORIZATIONFAILED") ||
		r == ReasonCommandRejected && c.challenged
	switch {
	case refused && issuerFailed.MatchString(c.status):
		return ReasonUnavailable
	case refused:
		return ReasonToken
	}
	return r
}

// describe says that the token was refused, and how.
func (c *bearerClient) describe(err error) error {
	if c.status == "" {
		return fmt.Errorf("the server refuses the bearer token: %w", err)
	}
	return fmt.Errorf("the server refuses the bearer token (%s): %w", c.status, err)
}
