package config

import (
	"errors"
	"fmt"
	"maps"
	"net"
	"slices"
	"strings"

	"imap-exporter/probe"
)

// Errors of requests for /probe.
var (
	// ErrUnknownAccount means that no account has that name, and the module has no allow_any_target.
	ErrUnknownAccount = errors.New("there is no account of that name")
	// ErrUnknownModule means that no module has that name.
	ErrUnknownModule = errors.New("there is no module of that name")
	// ErrRefused means that this account can't be probed with that module.
	ErrRefused = errors.New("refused")
)

// Account returns the account of exactly that name, or nil.
func (c *Config) Account(name string) *Account {
	if i, ok := c.byName[name]; ok {
		return &c.Accounts[i]
	}
	return nil
}

// ModuleNames returns the names of all modules, sorted.
func (c *Config) ModuleNames() []string { return slices.Sorted(maps.Keys(c.modules)) }

// AccountWith returns the target of an account as another module probes it. The account's own name, server and
// credential stay, and the login must not become less safe: with TLS where the account's own module has it, to a server
// whose certificate is verified for the same name. Its errors are ErrUnknownModule and ErrRefused, with the why.
func (c *Config) AccountWith(a *Account, name string) (*probe.Target, error) {
	m := c.modules[name]
	if m == nil {
		return nil, ErrUnknownModule
	}
	if m.target.Auth != probe.AuthNone {
		if why := lessSafe(a, m.target); why != "" {
			return nil, fmt.Errorf("%w: module %s %s", ErrRefused, name, why)
		}
	}
	t := *m.target
	t.Account = a.Name
	if t.Auth != probe.AuthNone {
		t.Username, t.Secret = a.Target.Username, a.Target.Secret
	}
	setServer(&t, a.server.withTLSMode(t.TLSMode))
	return &t, nil
}

// lessSafe returns why a login with a module's target would be less safe than the account's own; "" if it isn't.
func lessSafe(a *Account, t *probe.Target) string {
	own := a.Target
	switch {
	case credentialOf(t.Auth) != credentialOf(own.Auth):
		return fmt.Sprintf("logs in with %s, the account with %s", credentialOf(t.Auth), credentialOf(own.Auth))
	case own.TLSMode == probe.TLSNone:
	case t.TLSMode == probe.TLSNone:
		return "would log in without TLS"
	case t.TLSConfig.InsecureSkipVerify && !own.TLSConfig.InsecureSkipVerify:
		return "doesn't verify the server's certificate"
	case t.TLSConfig.ServerName != "" && t.TLSConfig.ServerName != own.TLSConfig.ServerName:
		return "accepts another server's certificate"
	}
	return ""
}

// credentialOf returns the kind of credential that an authentication method needs.
func credentialOf(auth probe.AuthMethod) string {
	switch auth {
	case probe.AuthNone:
		return "nothing"
	case probe.AuthExternal:
		return "a client certificate"
	case probe.AuthXOAuth2, probe.AuthOAuthBearer:
		return "a token"
	default:
		return "a password"
	}
}

// AnyTarget returns the target of a server that is no account's, which a module with allow_any_target probes without a
// credential. Its Account is "". The errors are ErrUnknownAccount, where the module doesn't allow it or the text is no
// server, and ErrUnknownModule.
func (c *Config) AnyTarget(text, name string) (*probe.Target, error) {
	m := c.modules[name]
	switch {
	case name == "":
		return nil, ErrUnknownAccount
	case m == nil:
		return nil, ErrUnknownModule
	case !m.anyTarget:
		return nil, ErrUnknownAccount
	}
	nowhere := position{file: &parsedFile{diagnostics: &diagnostics{}}}
	s, ok := (&loader{}).parseServer(strings.ToLower(text), m.target.TLSMode, nowhere) // Demo servers are for accounts only.
	if !ok || isNumber(s.host) {
		return nil, ErrUnknownAccount
	}
	if s.host = strings.TrimSuffix(s.host, "."); s.name != "" { // example.org. and example.org are the same server.
		_, port, _ := net.SplitHostPort(s.label)
		s.name = strings.TrimSuffix(s.name, ".")
		s.label = net.JoinHostPort(s.host, port)
		s.address = s.label
	}
	t := *m.target
	setServer(&t, s)
	return &t, nil
}

// isNumber reports whether a host is neither a name nor a proper address, but what some resolvers take for an IPv4 address:
// 2130706433, 0x7f.1.
func isNumber(host string) bool {
	last := host[strings.LastIndexByte(strings.TrimSuffix(host, "."), '.')+1:]
	last = strings.TrimSuffix(last, ".")
	hex := strings.HasPrefix(last, "0x") && strings.Trim(last[2:], "0123456789abcdef") == ""
	return !isAddress(host) && (hex || strings.Trim(last, "0123456789") == "")
}
