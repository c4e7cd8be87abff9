package probe

import (
	"context"
	"crypto/tls"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"imap-exporter/internal/mailtest"
	"imap-exporter/internal/realtest/leak"
)

// assertNoLeak fails if a test's password is in anything that a probe returns, in any form.
func assertNoLeak(t *testing.T, r *Result) {
	t.Helper()
	if found, line := leak.Find([]byte(everythingOf(r))); line > 0 {
		t.Errorf("a credential shows: %s\n%s", found, everythingOf(r))
	}
}

// repetitions are the forms in which a repeated password is recognized and redacted.
func repetitions(secret string) map[string]string {
	plain := "\x00" + mailtest.DemoUser + "\x00" + secret
	return map[string]string{
		"as it is":              secret,
		"quoted":                strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(secret),
		"in capitals":           strings.ToUpper(secret),
		"SASL PLAIN":            base64.StdEncoding.EncodeToString([]byte(plain)),
		"base64":                base64.StdEncoding.EncodeToString([]byte(secret)),
		"base64 at offset 1":    base64.StdEncoding.EncodeToString([]byte("x" + secret)),
		"base64 at offset 2":    base64.RawURLEncoding.EncodeToString([]byte("xx" + secret + "??>")),
		"hexadecimal":           hex.EncodeToString([]byte(secret)),
		"hexadecimal, capitals": strings.ToUpper(hex.EncodeToString([]byte(secret))),
		"for a URL":             url.QueryEscape(secret),
		"for a URL's path":      url.PathEscape(secret),
	}
}

// A server knows the password from the probe before. Even if it repeats it ahead of the login, no output has it.
func TestServerRemembersThePassword(t *testing.T) {
	t.Parallel()
	const secret = `canary->\"?~remembered-secret`
	say := func(format string) func(string) mailtest.Handler {
		return func(text string) mailtest.Handler {
			return func(c *mailtest.Conn, cmd mailtest.Command) error {
				c.Raw(strings.ReplaceAll(fmt.Sprintf(format, text), "TAG", cmd.Tag))
				return c.Drop()
			}
		}
	}
	places := map[string]struct {
		verb    string
		handler func(string) mailtest.Handler
	}{
		"greeting":                {"GREETING", say("* BYE %s\r\n")},
		"code of the greeting":    {"GREETING", say("* BYE [%s] go\r\n")},
		"no greeting":             {"GREETING", say("%s\r\n")},
		"a refused CAPABILITY":    {"CAPABILITY", say("TAG NO %s\r\n")},
		"capabilities":            {"CAPABILITY", say("* CAPABILITY IMAP4rev1 %s\r\nTAG OK %[1]s\r\n")},
		"an alert":                {"CAPABILITY", say("* NO [ALERT] %s\r\n")},
		"another tag":             {"CAPABILITY", say("%s OK\r\n")},
		"a challenge":             {"LOGIN", say("+ %s\r\n")},
		"a login":                 {"LOGIN", say("TAG NO [%s] %[1]s\r\n")},
		"a referral":              {"LOGIN", say("TAG NO [REFERRAL imap://u:%s@mail.example.org/] elsewhere\r\n")},
		"a mailbox":               {"LIST", say("* LIST () \"/\" \"%s\"\r\nTAG OK\r\n")},
		"a quota root":            {"GETQUOTAROOT", say("* QUOTA \"%s\" (STORAGE 1 2)\r\nTAG OK\r\n")},
		"the answer to a mailbox": {"STATUS", say("TAG NO %s\r\n")},
		"a message":               {"FETCH", say("* 24 FETCH (BODY[HEADER]<0> \"%s\")\r\nTAG OK %[1]s\r\n")},
	}
	for where, place := range places {
		known := secret
		if !slices.Contains([]string{"GREETING", "CAPABILITY", "LOGIN"}, place.verb) {
			known = password // It must have been accepted.
		}
		for how, text := range repetitions(known) {
			_, target := serve(t, mailtest.Options{Handle: map[string]mailtest.Handler{place.verb: place.handler(text)}})
			target.Secret = func(context.Context) (string, error) { return known, nil }
			target.Mailboxes = []string{"*"}
			r := Run(t.Context(), target)
			if found, line := leak.Find([]byte(everythingOf(r))); line > 0 {
				t.Errorf("%s, %s: %s\n%s", where, how, found, everythingOf(r))
			}
		}
	}
}

// The names in a certificate are text from the server, too.
func TestPasswordInACertificate(t *testing.T) {
	config, err := testCA(t).ServerConfig(mailtest.CertOptions{Names: []string{password, password + ".example.org"}})
	if err != nil {
		t.Fatal(err)
	}
	_, target := serve(t, mailtest.Options{TLS: config})
	r := Run(t.Context(), target)
	if r.Err == nil || r.Err.Phase != PhaseTLS {
		t.Fatalf("got %v", r.Err)
	}
	assertNoLeak(t, r)
	target.TLSConfig = &tls.Config{InsecureSkipVerify: true, VerifyConnection: func(state tls.ConnectionState) error {
		return fmt.Errorf("a certificate for %v", state.PeerCertificates[0].DNSNames)
	}}
	assertNoLeak(t, fail(t, target, PhaseTLS, ReasonTLS))
}

// A panic whose message has the secret gets it into no output, whenever it happens.
func TestPanicWhileHoldingTheSecret(t *testing.T) {
	_, target := serve(t, mailtest.Options{})
	target.TLSConfig.VerifyConnection = func(tls.ConnectionState) error { panic("the password is " + password) }
	assertNoLeak(t, fail(t, target, PhaseTLS, ReasonInternal))
	target.TLSConfig.VerifyConnection = func(tls.ConnectionState) error { panic([]byte(password)) }
	assertNoLeak(t, fail(t, target, PhaseTLS, ReasonInternal))
	target.Secret = func(context.Context) (string, error) { panic("while reading " + password) }
	assertNoLeak(t, fail(t, target, PhaseAuth, ReasonInternal))
}

// Referrals to another server are never followed (RFC 2221, RFC 2193): it would get the password.
func TestReferralsAreNeverFollowed(t *testing.T) {
	t.Parallel()
	elsewhere, other := serve(t, mailtest.Options{})
	refer := func(format string) mailtest.Handler {
		return func(c *mailtest.Conn, cmd mailtest.Command) error {
			c.Raw(strings.NewReplacer("TAG", cmd.Tag, "URL", "imap://"+mailtest.DemoUser+";AUTH=*@"+other.Address+"/").Replace(format))
			return nil
		}
	}
	for name, c := range map[string]struct {
		verb, answer string
	}{
		"greeting":              {"GREETING", "* BYE [REFERRAL URL] elsewhere\r\n"},
		"greeting with OK":      {"GREETING", "* OK [REFERRAL URL] elsewhere\r\n"},
		"capabilities":          {"CAPABILITY", "* CAPABILITY IMAP4rev1 LOGIN-REFERRALS MAILBOX-REFERRALS\r\nTAG OK [REFERRAL URL]\r\n"},
		"a refused login":       {"LOGIN", "TAG NO [REFERRAL URL] elsewhere\r\n"},
		"an accepted login":     {"LOGIN", "TAG OK [REFERRAL URL] here, and elsewhere\r\n"},
		"a login cut off":       {"LOGIN", "* BYE [REFERRAL URL] elsewhere\r\n"},
		"a SASL login":          {"AUTHENTICATE", "TAG NO [REFERRAL URL] elsewhere\r\n"},
		"an untagged one":       {"LOGIN", "* OK [REFERRAL URL] elsewhere\r\nTAG OK\r\n"},
		"a mailbox":             {"EXAMINE", "TAG NO [REFERRAL URL] elsewhere\r\n"},
		"the counts of another": {"STATUS", "TAG NO [REFERRAL URL] elsewhere\r\n"},
		"a quota":               {"GETQUOTAROOT", "TAG NO [REFERRAL URL] elsewhere\r\n"},
	} {
		server, target := serve(t, mailtest.Options{Handle: map[string]mailtest.Handler{c.verb: refer(c.answer)}})
		target.Timeout = 2 * time.Second
		if c.verb == "AUTHENTICATE" {
			target.Auth = AuthPlain
		}
		Run(t.Context(), target)
		if total, _ := server.Connections(); total != 1 {
			t.Errorf("%s: %d connections, want 1", name, total)
		}
	}
	if total, _ := elsewhere.Connections(); total != 0 {
		t.Errorf("%d connections to where we were referred", total)
	}
}
