package probe

import (
	"context"

	"github.com/emersion/go-sasl"
)

// auth logs in. What crosses the network in clear text needs the Target's leave, and the server's.
func (s *session) auth(context.Context) error {
	if s.t.Auth == AuthNone || s.preauth {
		return nil
	}
	if s.t.TLSMode == TLSNone && !s.t.AllowPlaintextAuth {
		return refuse(ReasonPlaintextRefused, "without TLS no login is sent, unless allow_plaintext_auth: true says otherwise")
	}
	method, err := s.method()
	if err != nil {
		return err
	}
	switch {
	case starved(s.secretErr):
		return s.secretErr
	case s.secretErr != nil:
		return refuse(ReasonCredential, "%v", s.secretErr)
	}
	if method == AuthLogin {
		return s.gate.Login(s.t.Username, s.secret, s.caps["LITERAL+"])
	}
	return s.authenticate(s.mechanism(method, s.secret))
}

// readSecret reads the secret before anything is said: a server may know it from the probe before, and repeat it in its
// greeting. Whether it could be read is of interest only once it is needed.
func (s *session) readSecret(ctx context.Context) {
	if s.t.Secret != nil {
		s.secret, s.secretErr = s.t.Secret(ctx)
	}
}

// method is the way to log in that the Target wants and the server offers, best first.
func (s *session) method() (AuthMethod, error) {
	wanted := []AuthMethod{s.t.Auth}
	if s.t.Auth == AuthAuto {
		wanted = []AuthMethod{AuthSCRAMSHA256, AuthPlain, AuthLogin}
	}
	disabled := false
	for _, method := range wanted {
		switch {
		case s.disabled(method):
			disabled = true
		case method == AuthLogin, s.caps["AUTH="+mechanisms[method]]:
			return method, nil
		}
	}
	if disabled {
		return "", refuse(ReasonLoginDisabled, "the server announces LOGINDISABLED")
	}
	return "", refuse(ReasonMechanism, "the server doesn't offer auth: %s", s.t.Auth)
}

// mechanisms are the SASL names of the ways to log in; AuthLogin is a command of its own.
var mechanisms = map[AuthMethod]string{
	AuthPlain:       "PLAIN",
	AuthSCRAMSHA256: "SCRAM-SHA-256",
	AuthXOAuth2:     "XOAUTH2",
	AuthOAuthBearer: "OAUTHBEARER",
	AuthExternal:    "EXTERNAL",
}

// disabled applies LOGINDISABLED (RFC 9051, section 6.2.3): to LOGIN always, and without TLS to every mechanism that
// would show the credential to the network, which is what the server means by it.
func (s *session) disabled(method AuthMethod) bool {
	if !s.caps["LOGINDISABLED"] {
		return false
	}
	shows := method == AuthPlain || method == AuthXOAuth2 || method == AuthOAuthBearer
	return method == AuthLogin || s.t.TLSMode == TLSNone && shows
}

func (s *session) mechanism(method AuthMethod, secret string) sasl.Client {
	switch method {
	case AuthSCRAMSHA256:
		return &scramClient{username: s.t.Username, password: secret}
	case AuthXOAuth2:
		return &bearerClient{mechanism: mechanisms[method], initial: xoauth2(s.t.Username, secret)}
	case AuthOAuthBearer:
		return &bearerClient{mechanism: mechanisms[method], initial: oauthBearer(s.t, secret)}
	case AuthExternal:
		return sasl.NewExternalClient(s.t.Username)
	default:
		return sasl.NewPlainClient("", s.t.Username, secret)
	}
}

// A verifier is a mechanism that must have seen the server's proof by the time of its OK.
type verifier interface{ verify() error }

func (s *session) authenticate(client sasl.Client) error {
	err := s.gate.Authenticate(client, s.caps["SASL-IR"])
	if v, ok := client.(verifier); ok && err == nil {
		err = v.verify()
	}
	if b, ok := client.(*bearerClient); ok && err != nil {
		err = b.explain(err)
	}
	return err
}
