package hostile

import (
	"crypto/tls"
	"regexp"
	"slices"
	"strings"

	"imap-exporter/internal/mailtest"
)

// Password and Token are the secrets of the account, distinctive, so that they are found wherever they should not be.
// Unquotable is a password that can only be sent as a literal.
const (
	Password   = "canary-hostile-secret"
	Token      = "canary-hostile-token-secret"
	Unquotable = "canary-größe-secret"
)

// Success is what a probe of an honest server comes to.
const Success = "success"

// madeUp is what servers of the table say in clear text, or of other mailboxes. Digits before or after it, as in a duration, or a
// colon before it, as in an address, make it something else.
var madeUp = regexp.MustCompile(`(?m)(?:^|[^0-9.:])(718001|718002|54321)(?:[^0-9.]|$)|X-INJECTED`)

// MadeUp finds in text what a server of the table made up, with a little of what is around it; "" if there is nothing. It must come
// out nowhere.
func MadeUp(text string) string {
	found := madeUp.FindStringIndex(text)
	if found == nil {
		return ""
	}
	const around = 100
	return text[max(0, found[0]-around):min(len(text), found[1]+around)]
}

// A Case is a server, and what a probe of it must come to.
type Case struct {
	Group, Name string
	// Mode says when TLS starts.
	Mode mailtest.Mode
	// Server changes what an ordinary server would do.
	Server mailtest.Options
	// Account changes what an ordinary account would ask for.
	Account Account
	// Want is Success, or phase and reason of the failure: "tls/timeout". Then is the same of later probes, where they differ.
	Want, Then string
	// Slow says that a probe takes all of its timeout, though it doesn't fail for that.
	Slow bool
	// Values are what the probe must have learnt, by metric without its prefix "imap_", summed up over mailboxes and quota roots;
	// Absent what it must not have learnt.
	Values map[string]float64
	Absent []string
	// Never are verbs that must not be sent.
	Never []string
	// Source is where the habit of a well-known server was seen.
	Source string

	certificate func(*mailtest.CA) (*tls.Config, error) // nil: a good one
}

// An Account is what a probe asks for. The zero Account logs in by LOGIN, examines INBOX, fetches a header, counts INBOX
// and asks for the quota.
type Account struct {
	// Auth is "login", "plain", "xoauth2" and so on.
	Auth string
	// Mailboxes are names and patterns.
	Mailboxes []string
	// SendID sends ID.
	SendID bool
	// Password is in place of Password or, with a bearer token, Token.
	Password string
}

// settle fills in what is ordinary.
func (a Account) settle() Account {
	if a.Auth == "" {
		a.Auth = "login"
	}
	if a.Mailboxes == nil {
		a.Mailboxes = []string{"INBOX"}
	}
	if a.Password == "" {
		a.Password = Password
		if a.Bearer() {
			a.Password = Token
		}
	}
	return a
}

// Bearer reports whether the account logs in with a token.
func (a Account) Bearer() bool { return a.Auth == "xoauth2" || a.Auth == "oauthbearer" }

// Cases returns the table. Servers that send a client elsewhere send it to elsewhere, a host:port.
func Cases(elsewhere string) []Case {
	cases := slices.Concat(
		withoutSTARTTLS(), preauth(), disguised(), referrals(elsewhere), buffered(), tampered(), spoofed(), others(),
		injected(), certificates(), handshakes(), endless(), nested(), slow(), crafted(), foreign(), characters(),
		broken(), literals(), quirks(), gateways(), oddities(), counts(),
	)
	for i := range cases {
		c := &cases[i]
		c.Account = c.Account.settle()
		if c.Mode == "" {
			c.Mode = mailtest.ModeImplicit
		}
		if c.Then == "" {
			c.Then = c.Want
		}
	}
	return cases
}

// Phase is where the probe must fail; "" for a success.
func (c *Case) Phase() string {
	phase, _, failed := strings.Cut(c.Want, "/")
	if !failed {
		return ""
	}
	return phase
}

// MayLogIn reports whether the probe may send the account's credential: not before TLS is there and verified, nor to a
// server that won't have it.
func (c *Case) MayLogIn() bool {
	switch c.Phase() {
	case "connect", "tls", "greeting", "starttls", "capability":
		return false
	}
	return c.Want != "auth/login_disabled" && c.Want != "auth/mechanism"
}

// TimesOut reports whether a probe takes all of its timeout.
func (c *Case) TimesOut() bool {
	return c.Slow || strings.HasSuffix(c.Want, "/timeout") || strings.HasSuffix(c.Then, "/timeout")
}

// in puts cases into a group.
func in(group string, cases ...Case) []Case {
	for i := range cases {
		cases[i].Group = group
	}
	return cases
}

// on is a server that answers one command in its own way.
func on(verb string, h mailtest.Handler) mailtest.Options {
	return mailtest.Options{Handle: map[string]mailtest.Handler{verb: h}}
}

// says is a server that answers one command with raw bytes.
func says(verb, raw string) mailtest.Options { return on(verb, answer(raw)) }
