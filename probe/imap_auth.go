package probe

import (
	"context"

	"github.com/emersion/go-sasl"
)

// auth logs in. A credential in clear text is sent only if the Target allows it, and the server.
func (s *imapSession) auth(context.Context) error {
	switch {
	case s.preauth:
		return nil
	case s.Target.Auth == AuthNone:
		return ErrDone
	}
	if s.Target.TLSMode == TLSNone && !s.Target.AllowPlaintextAuth {
		return Errorf(ReasonPlaintextRefused, "without TLS no login is sent, unless allow_plaintext_auth: true says otherwise")
	}
	method, err := s.method()
	if err != nil {
		return err
	}
	s.authMethod = method
	switch {
	case isFileLimit(s.secretErr):
		return s.secretErr
	case s.secretErr != nil:
		return Errorf(ReasonCredential, "%v", s.secretErr)
	}
	if method == AuthLogin {
		return s.conn.Login(s.Target.Username, s.secret, s.capabilities["LITERAL+"])
	}
	return s.authenticate(s.mechanism(method, s.secret))
}

// method is the best way to log in that the Target allows and the server offers.
func (s *imapSession) method() (AuthMethod, error) {
	candidates := []AuthMethod{s.Target.Auth}
	if s.Target.Auth == AuthAuto {
		candidates = []AuthMethod{AuthSCRAMSHA256, AuthPlain, AuthLogin}
	}
	disabled := false
	for _, method := range candidates {
		switch {
		case s.disabled(method):
			disabled = true
		case method == AuthLogin, s.capabilities["AUTH="+mechanisms[method]]:
			return method, nil
		}
	}
	if disabled {
		return "", Errorf(ReasonLoginDisabled, "the server announces LOGINDISABLED")
	}
	return "", Errorf(ReasonMechanism, "the server doesn't offer auth: %s", s.Target.Auth)
}

// mechanisms are the SASL names of the ways to log in; AuthLogin is a command of its own.
var mechanisms = map[AuthMethod]string{
	AuthPlain:       "PLAIN",
	AuthSCRAMSHA256: "SCRAM-SHA-256",
	AuthXOAuth2:     "XOAUTH2",
	AuthOAuthBearer: "OAUTHBEARER",
	AuthExternal:    "EXTERNAL",
}

// disabled applies LOGINDISABLED (RFC 9051, section 6.2.3): always to LOGIN, and without TLS to every mechanism that would
// show the credential to the network, which is what the server means by it.
func (s *imapSession) disabled(method AuthMethod) bool {
	if !s.capabilities["LOGINDISABLED"] {
		return false
	}
	shows := method == AuthPlain || method == AuthXOAuth2 || method == AuthOAuthBearer
	return method == AuthLogin || s.Target.TLSMode == TLSNone && shows
}

func (s *imapSession) mechanism(method AuthMethod, secret string) sasl.Client {
	switch method {
	case AuthSCRAMSHA256:
		return &scramClient{username: s.Target.Username, password: secret}
	case AuthXOAuth2:
		return &bearerClient{mechanism: mechanisms[method], initial: xoauth2(s.Target.Username, secret)}
	case AuthOAuthBearer:
		return &bearerClient{mechanism: mechanisms[method], initial: oauthBearer(s.Target, secret)}
	case AuthExternal:
		return sasl.NewExternalClient(s.Target.Username)
	default:
		return sasl.NewPlainClient("", s.Target.Username, secret)
	}
}

// A verifier is a mechanism in which the server must have proved itself before its OK.
type verifier interface{ verify() error }

func (s *imapSession) authenticate(client sasl.Client) error {
	s.bearer, _ = client.(*bearerClient)
	err := s.conn.Authenticate(client, s.capabilities["SASL-IR"])
	if v, ok := client.(verifier); ok && err == nil {
		err = v.verify()
	}
	return err
}
