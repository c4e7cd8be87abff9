package hostile

import (
	"crypto/tls"
	"regexp"
	"slices"
	"strings"

	"imap-exporter/internal/mailtest"
)

// Password and Token are the secrets of the account. They are easy to find in any output.
// Unquotable is a password that can only be sent as a literal.
const (
	Password   = "canary-hostile-secret"
	Token      = "canary-hostile-token-secret"
	Unquotable = "canary-größe-secret"
)

// Success is the result of a probe of a correct server.
const Success = "success"

// madeUp matches what servers of the table send in clear text, or about other mailboxes. Digits around it, as in a duration, or
// a colon before it, as in an address, are no match.
var madeUp = regexp.MustCompile(`(?m)(?:^|[^0-9.:])(718001|718002|54321)(?:[^0-9.]|$)|X-INJECTED`)

// MadeUp finds in text what a server of the table made up, and returns it with a little context; "" if there is nothing. No
// output may contain it.
func MadeUp(text string) string {
	found := madeUp.FindStringIndex(text)
	if found == nil {
		return ""
	}
	const around = 100
	return text[max(0, found[0]-around):min(len(text), found[1]+around)]
}

// A Case is a server, and the expected result of a probe.
type Case struct {
	Group, Name string
	// Mode says when TLS starts.
	Mode mailtest.Mode
	// Server changes the behaviour of an ordinary server.
	Server mailtest.Options
	// Account changes the settings of an ordinary account.
	Account Account
	// Want is Success, or phase and reason of the failure: "tls/timeout". Then is the result of later probes, if it differs.
	Want, Then string
	// Slow says that a probe takes its whole timeout, although it doesn't fail because of that.
	Slow bool
	// Values are the expected values by metric, without the prefix "imap_", summed over mailboxes and quota roots. The metrics
	// in Absent must have no value.
	Values map[string]float64
	Absent []string
	// Never are commands that must not be sent.
	Never []string
	// Source says where this behaviour of a well-known server was seen.
	Source string

	certificate func(*mailtest.CA) (*tls.Config, error) // nil: a good one
}

// An Account has the settings of a probe. The zero Account logs in by LOGIN, sends EXAMINE INBOX, fetches a header, counts
// INBOX and reads the quota.
type Account struct {
	// Auth is "login", "plain", "xoauth2" and so on.
	Auth string
	// Mailboxes are names and patterns.
	Mailboxes []string
	// SendID sends ID.
	SendID bool
	// Password replaces the constant Password or, with a bearer token, Token.
	Password string
}

// settle sets the defaults.
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

// Cases returns the table. Servers that refer a client to another server name elsewhere, a host:port.
func Cases(elsewhere string) []Case {
	cases := slices.Concat(
		withoutSTARTTLS(), preauth(), disguised(), referrals(elsewhere), buffered(), tampered(), spoofed(), others(),
		injected(), certificates(), handshakes(), endless(), nested(), slow(), crafted(), foreign(), characters(),
		broken(), literals(), quirks(), gateways(), oddities(), counts(), reports(),
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

// MayLogIn reports whether the probe may send the account's credential: only over verified TLS, and only if the server
// permits a login.
func (c *Case) MayLogIn() bool {
	switch c.Phase() {
	case "connect", "tls", "greeting", "starttls", "capability":
		return false
	}
	return c.Want != "auth/login_disabled" && c.Want != "auth/mechanism"
}

// TimesOut reports whether a probe takes its whole timeout.
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

// on is a server with another answer to one command.
func on(verb string, h mailtest.Handler) mailtest.Options {
	return mailtest.Options{Handle: map[string]mailtest.Handler{verb: h}}
}

// says is a server that answers one command with raw bytes.
func says(verb, raw string) mailtest.Options { return on(verb, answer(raw)) }
