package probe

import (
	"context"
	"crypto/tls"
	"time"
)

// A Target is one account on one server, and how to probe it: complete, validated values.
// It is never changed once made, so it may be probed and read concurrently.
type Target struct {
	// Protocol is what the server speaks. Nil is IMAP.
	Protocol *Protocol
	// Account is the configured name of the account, never its login.
	Account string
	// Server is the configured host:port, the label of every metric. The certificate is checked against TLSConfig.ServerName.
	Server string
	// Address is the host:port to dial: Server, but for the embedded demo servers.
	Address string
	// Timeout bounds the whole probe.
	Timeout time.Duration
	// IPFamily chooses among the resolved addresses.
	IPFamily IPFamily

	// TLSMode says when TLS starts.
	TLSMode TLSMode
	// TLSConfig holds roots, server name, client certificate and minimum version. Nil with TLSNone.
	TLSConfig *tls.Config

	// Auth is how to log in.
	Auth AuthMethod
	// AllowPlaintextAuth permits a login without TLS.
	AllowPlaintextAuth bool
	// Username is the login name.
	Username string
	// Secret reads the password or bearer token, anew for each login. Nil where Auth needs none.
	Secret func(context.Context) (string, error)

	// SendID sends ID before the mailbox is selected.
	SendID bool
	// Select is the mailbox to select; "" for none.
	Select string
	// ReadOnly uses EXAMINE in place of SELECT.
	ReadOnly bool
	// Fetch is the part of the newest message to fetch, and FetchBytes how much of it at most.
	Fetch      FetchSection
	FetchBytes int64
	// Mailboxes are names and LIST patterns (with * or %) of the mailboxes whose counts are read.
	Mailboxes []string
	// Quota asks for the quota roots of the selected mailbox, or of INBOX.
	Quota bool
}

// IPFamily is a choice of address family.
type IPFamily string

// The address families: as the resolver orders them, IPv4 only, IPv6 only.
const (
	IPAuto IPFamily = "auto"
	IPv4   IPFamily = "4"
	IPv6   IPFamily = "6"
)

// TLSMode says when TLS starts.
type TLSMode string

// The TLS modes. STARTTLS is required where it is asked for, never opportunistic.
const (
	TLSImplicit TLSMode = "implicit"
	TLSStartTLS TLSMode = "starttls"
	TLSNone     TLSMode = "none"
)

// AuthMethod is a way to log in.
type AuthMethod string

// The ways to log in. AuthAuto takes the best that the server offers: SCRAM-SHA-256, PLAIN, LOGIN.
const (
	AuthAuto        AuthMethod = "auto"
	AuthLogin       AuthMethod = "login"
	AuthPlain       AuthMethod = "plain"
	AuthSCRAMSHA256 AuthMethod = "scram-sha-256"
	AuthXOAuth2     AuthMethod = "xoauth2"
	AuthOAuthBearer AuthMethod = "oauthbearer"
	AuthExternal    AuthMethod = "external"
	AuthNone        AuthMethod = "none"
)

// FetchSection is a part of a message.
type FetchSection string

// The sections: BODY.PEEK[HEADER], BODY.PEEK[TEXT], BODY.PEEK[], or no FETCH of a body.
const (
	FetchHeader FetchSection = "header"
	FetchText   FetchSection = "text"
	FetchFull   FetchSection = "full"
	FetchNone   FetchSection = "none"
)
