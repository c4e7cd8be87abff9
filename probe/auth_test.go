package probe

import (
	"context"
	"crypto/tls"
	"encoding/base64"
	"fmt"
	"slices"
	"strings"
	"testing"

	"imap-exporter/internal/mailtest"
)

func TestAuthMethods(t *testing.T) {
	for _, saslIR := range []bool{true, false} {
		for _, method := range []AuthMethod{AuthAuto, AuthLogin, AuthPlain, AuthSCRAMSHA256, AuthXOAuth2, AuthOAuthBearer} {
			t.Run(fmt.Sprintf("%s, SASL-IR %t", method, saslIR), func(t *testing.T) {
				o := mailtest.Options{}
				if !saslIR {
					o.Capabilities = without("SASL-IR")
				}
				_, target := serve(t, o)
				target.Auth = method
				r := succeed(t, target)
				assertNoSecret(t, r)

				target.Secret = func(context.Context) (string, error) { return "canary-wrong-secret", nil }
				want := ReasonRejected
				if method == AuthXOAuth2 || method == AuthOAuthBearer {
					want = ReasonToken
				}
				r = fail(t, target, PhaseAuth, want)
				assertNoSecret(t, r)
				if last := r.Phases[len(r.Phases)-1]; last.Phase != PhaseLogout {
					t.Errorf("the last phase is %s, want logout: the connection still works", last.Phase)
				}
			})
		}
	}
}

// assertNoSecret fails if credentials are in anything that a probe returns.
func assertNoSecret(t *testing.T, r *Result) {
	t.Helper()
	all := everythingOf(r)
	for _, secret := range []string{password, "canary-wrong-secret"} {
		for offset := range 3 {
			encoded := base64.StdEncoding.EncodeToString([]byte(strings.Repeat("\x00", offset) + secret))
			if strings.Contains(all, secret) || strings.Contains(all, encoded[4:len(encoded)-4]) {
				t.Errorf("a credential shows in %s", all)
			}
		}
	}
}

// everythingOf returns all text in a Result.
func everythingOf(r *Result) string {
	all := fmt.Sprintf("%+v %+v %+v %v", r, r.Mailboxes, r.Quota, r.Err)
	for _, line := range r.Transcript {
		all += "\n" + line.Text
	}
	return all
}

func TestAutoTakesTheBest(t *testing.T) {
	for want, mechanisms := range map[string][]string{
		"AUTHENTICATE SCRAM-SHA-256": {"PLAIN", "SCRAM-SHA-256"},
		"AUTHENTICATE PLAIN":         {"PLAIN", "LOGIN"},
		"LOGIN":                      {},
	} {
		server, target := serve(t, mailtest.Options{Mechanisms: mechanisms})
		target.Auth = AuthAuto
		succeed(t, target)
		if line := server.Conversations()[0].Commands[1].Line; !strings.Contains(line, " "+want+" ") {
			t.Errorf("sent %s, want %s", strings.Fields(line)[1], want)
		}
	}
}

func TestExternal(t *testing.T) {
	ca := testCA(t)
	config, err := ca.ServerConfig(mailtest.CertOptions{Names: []string{"localhost"}})
	if err != nil {
		t.Fatal(err)
	}
	certificate, err := ca.Issue(mailtest.CertOptions{Names: []string{mailtest.DemoUser}, Client: true})
	if err != nil {
		t.Fatal(err)
	}
	_, target := serve(t, mailtest.Options{TLS: config})
	target.TLSConfig = &tls.Config{RootCAs: ca.Pool(), ServerName: "localhost", Certificates: []tls.Certificate{certificate}, MinVersion: tls.VersionTLS12}
	target.Auth, target.Secret, target.Username = AuthExternal, nil, ""
	succeed(t, target)
	target.TLSConfig = &tls.Config{RootCAs: ca.Pool(), ServerName: "localhost", MinVersion: tls.VersionTLS12}
	fail(t, target, PhaseAuth, ReasonMechanism)
}

// credentials beyond ASCII go as literals, which take a round trip of their own unless the server has LITERAL+.
func TestLoginBeyondASCII(t *testing.T) {
	for _, capabilities := range []func(mailtest.Stage, []string) []string{without("LITERAL+"), without()} {
		u := user()
		u.Name, u.Password = `jörg "the\cat"`, "canary-größe-secret"
		_, target := serve(t, mailtest.Options{Data: mailtest.Data{Users: []*mailtest.User{u}}, Capabilities: capabilities})
		target.Username = u.Name
		target.Secret = func(context.Context) (string, error) { return u.Password, nil }
		succeed(t, target)
	}
}

func TestNoCredentialInClear(t *testing.T) {
	disabled := func(_ mailtest.Stage, usual []string) []string { return append(usual, "LOGINDISABLED") }
	for name, c := range map[string]struct {
		auth         AuthMethod
		allow        bool
		capabilities func(mailtest.Stage, []string) []string
		want         Reason
	}{
		"not allowed":                 {AuthLogin, false, nil, ReasonPlaintextRefused},
		"not allowed, SCRAM":          {AuthSCRAMSHA256, false, nil, ReasonPlaintextRefused},
		"allowed, but LOGINDISABLED":  {AuthLogin, true, disabled, ReasonLoginDisabled},
		"PLAIN is no way round":       {AuthPlain, true, disabled, ReasonLoginDisabled},
		"bearer tokens are no way":    {AuthXOAuth2, true, disabled, ReasonLoginDisabled},
		"auto with nothing but LOGIN": {AuthAuto, true, func(mailtest.Stage, []string) []string { return []string{"IMAP4rev1", "LOGINDISABLED"} }, ReasonLoginDisabled},
	} {
		t.Run(name, func(t *testing.T) {
			server, target := serve(t, mailtest.Options{Mode: mailtest.ModePlain, Capabilities: c.capabilities})
			target.Auth, target.AllowPlaintextAuth = c.auth, c.allow
			r := fail(t, target, PhaseAuth, c.want)
			verbs := server.Conversations()[0].Verbs()
			if slices.Contains(verbs, "LOGIN") || slices.Contains(verbs, "AUTHENTICATE") {
				t.Errorf("sent %v", verbs)
			}
			if slices.Contains(phases(r), PhaseAuth) {
				t.Error("auth has a time, though nothing was sent")
			}
		})
	}
}

// LOGINDISABLED is about clear text; some servers still announce it after the login, and some together with PLAIN under TLS.
func TestLoginDisabledUnderTLS(t *testing.T) {
	disabled := func(_ mailtest.Stage, usual []string) []string { return append(usual, "LOGINDISABLED") }
	_, target := serve(t, mailtest.Options{Capabilities: disabled})
	target.Auth = AuthPlain
	succeed(t, target)
	target.Auth = AuthLogin
	fail(t, target, PhaseAuth, ReasonLoginDisabled)
}

func TestUnreadableSecret(t *testing.T) {
	server, target := serve(t, mailtest.Options{})
	target.Secret = func(context.Context) (string, error) { return "", errTest }
	r := fail(t, target, PhaseAuth, ReasonCredential)
	if !strings.Contains(r.Err.Text, errTest.Error()) {
		t.Errorf("text %q", r.Err.Text)
	}
	if verbs := server.Conversations()[0].Verbs(); !slices.Equal(verbs, []string{"CAPABILITY", "LOGOUT"}) {
		t.Errorf("sent %v", verbs)
	}
}

func TestMissingMechanism(t *testing.T) {
	_, target := serve(t, mailtest.Options{Mechanisms: []string{"PLAIN"}})
	target.Auth = AuthXOAuth2
	fail(t, target, PhaseAuth, ReasonMechanism)
}

// Credentials that a server repeats don't get into the log.
func TestServerRepeatsThePassword(t *testing.T) {
	_, target := serve(t, mailtest.Options{Handle: map[string]mailtest.Handler{
		"LOGIN": func(c *mailtest.Conn, cmd mailtest.Command) error {
			c.Line("* NO I got: %s", cmd.Line)
			c.Line("* NO that is %s", base64.StdEncoding.EncodeToString([]byte("\x00"+mailtest.DemoUser+"\x00"+cmd.Args[1])))
			return c.NO(cmd.Tag, "wrong password: "+cmd.Args[1])
		},
	}})
	r := fail(t, target, PhaseAuth, ReasonRejected)
	assertNoSecret(t, r)
	if !strings.Contains(r.Err.Text, "wrong password: ***") {
		t.Errorf("text %q", r.Err.Text)
	}
}

func TestBadServersOfSASL(t *testing.T) {
	challenge := func(lines ...string) mailtest.Handler {
		return func(c *mailtest.Conn, cmd mailtest.Command) error {
			for _, line := range lines {
				c.Line("+ %s", base64.StdEncoding.EncodeToString([]byte(line)))
				if answer, err := c.ReadLine(); err != nil || answer == "*" {
					return c.BAD(cmd.Tag, "canceled")
				}
			}
			return c.OK(cmd.Tag, "welcome")
		}
	}
	for name, c := range map[string]struct {
		auth   AuthMethod
		handle mailtest.Handler
		want   Reason
	}{
		"SCRAM without proof":        {AuthSCRAMSHA256, answer("%s OK welcome\r\n"), ReasonProtocol},
		"SCRAM with a foreign nonce": {AuthSCRAMSHA256, challenge("r=foreign,s=QSXCR+Q6sek8bf92,i=4096"), ReasonProtocol},
		"SCRAM iteration bomb":       {AuthSCRAMSHA256, challenge("r=x,s=QSXCR+Q6sek8bf92,i=2147483647"), ReasonTooLarge},
		"PLAIN asked for more":       {AuthPlain, challenge("again", "again"), ReasonProtocol},
		"a challenge without base64": {AuthPlain, answer("+ $$$\r\n"), ReasonProtocol},
		"expired token":              {AuthXOAuth2, refuseToken, ReasonToken},
	} {
		t.Run(name, func(t *testing.T) {
			_, target := serve(t, mailtest.Options{Handle: map[string]mailtest.Handler{"AUTHENTICATE": c.handle}})
			target.Auth = c.auth
			fail(t, target, PhaseAuth, c.want)
		})
	}
}

// refuseToken refuses a bearer token with an error challenge and a NO without a code.
func refuseToken(c *mailtest.Conn, cmd mailtest.Command) error {
	c.Line("+ %s", base64.StdEncoding.EncodeToString([]byte(`{"status":"401","schemes":"bearer"}`)))
	if _, err := c.ReadLine(); err != nil {
		return err
	}
	return c.NO(cmd.Tag, "no")
}
