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

// AccountWith returns the target of an account as another module probes it, for a caller of /probe. The account keeps its own
// name, server and credential. The module must be its own or one of its probe_modules. The errors are ErrUnknownModule and ErrRefused, with the
// reason.
func (c *Config) AccountWith(a *Account, name string) (*probe.Target, error) {
	if c.modules[name] == nil {
		return nil, ErrUnknownModule
	}
	if name != a.Module && !slices.Contains(a.probeModules, name) {
		return nil, fmt.Errorf("%w: module %s isn't among the account's probe_modules", ErrRefused, name)
	}
	return c.TargetWith(a, name)
}

// TargetWith is AccountWith for whoever may read the configuration: the account's probe_modules don't matter, but the login
// must not become weaker all the same.
func (c *Config) TargetWith(a *Account, name string) (*probe.Target, error) {
	m := c.modules[name]
	if m == nil {
		return nil, ErrUnknownModule
	}
	t := targetWith(a, m)
	if why := weaker(t, a.Target); why != "" {
		return nil, fmt.Errorf("%w: module %s %s", ErrRefused, name, why)
	}
	return t, nil
}

// targetWith returns the target of an account as another module probes it.
func targetWith(a *Account, m *module) *probe.Target {
	t := *m.target
	t.Account = a.Name
	if t.Auth != probe.AuthNone {
		t.Username, t.Secret = a.Target.Username, a.Target.Secret
	}
	setServer(&t, a.server.withTLSMode(t.TLSMode))
	return &t
}

// checkProbeModules checks the probe_modules of an account, and returns them.
func (l *loader) checkProbeModules(a *Account, names []string, p position) []string {
	for i, name := range names {
		at, m := p.item(i), l.modules[name]
		switch {
		case slices.Contains(names[:i], name):
			at.errorf("is listed twice")
		case m == nil && l.modulesBroken:
		case m == nil:
			at.errorf("there is no such module: the known ones are %s", l.moduleNames())
		case m.target == nil || a.server.label == "": // An error is reported already.
		default:
			if why := weaker(targetWith(a, m), a.Target); why != "" {
				at.errorf("module %s %s: callers of /probe must not make a login weaker", name, why)
			}
		}
	}
	return names
}

// weaker returns why a probe of t would protect the credential less than one of own, the account's own target; "" if it
// wouldn't. A caller of /probe chooses the module, so that must not show the password to anybody who doesn't see it otherwise.
func weaker(t, own *probe.Target) string {
	if why := weakerTLS(t, own); why != "" || t.Auth == probe.AuthNone {
		return why
	}
	switch {
	case credentialOf(t.Auth) != credentialOf(own.Auth):
		return fmt.Sprintf("logs in with %s, and the account with %s", credentialOf(t.Auth), credentialOf(own.Auth))
	case mechanismStrength(t.Auth) < mechanismStrength(own.Auth):
		return fmt.Sprintf("has auth: %s, and the account's module %s, which protects the password better", t.Auth, own.Auth)
	}
	return ""
}

// weakerTLS compares who sees the login, who is taken for the server, and as whom the exporter connects.
func weakerTLS(t, own *probe.Target) string {
	plain := own.TLSMode == probe.TLSNone
	switch {
	case t.TLSMode != probe.TLSNone && len(t.TLSConfig.Certificates) > 0 && (plain || !sameCertificates(t.TLSConfig, own.TLSConfig)):
		return "has another client certificate"
	case t.Auth == probe.AuthNone:
		return ""
	case plain && t.TLSMode == probe.TLSNone && t.AllowPlaintextAuth && !own.AllowPlaintextAuth, !plain && t.TLSMode == probe.TLSNone:
		return "would log in without TLS"
	case plain:
		return ""
	case !sameCertificates(t.TLSConfig, own.TLSConfig):
		return "has no client certificate"
	case t.TLSConfig.MinVersion < own.TLSConfig.MinVersion:
		return "accepts older versions of TLS"
	case own.TLSConfig.InsecureSkipVerify:
		return ""
	case t.TLSConfig.InsecureSkipVerify:
		return "doesn't verify the server's certificate"
	case t.TLSConfig.ServerName != own.TLSConfig.ServerName:
		return "accepts another server's certificate"
	case !sameRoots(t.TLSConfig.RootCAs, own.TLSConfig.RootCAs):
		return "trusts other authorities"
	}
	return ""
}

// mechanismStrength orders the ways to log in with the same kind of credential: SCRAM never shows the password to the server,
// auto does only where the server offers nothing better, and the others always do (inside TLS).
func mechanismStrength(auth probe.AuthMethod) int {
	switch auth {
	case probe.AuthSCRAMSHA256:
		return 3
	case probe.AuthAuto:
		return 2
	default:
		return 1
	}
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
