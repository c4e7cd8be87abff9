package config

import (
	"cmp"
	"crypto/tls"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"imap-exporter/internal/account"
	"imap-exporter/probe"
)

// loadAccounts reads the accounts of the configuration file and of account_files.
func (l *loader) loadAccounts(raw *rawConfig, root position) []Account {
	at := root.key("accounts")
	accounts := l.buildAccounts(raw.Accounts, at)
	files := root.key("account_files")
	none := len(raw.Accounts) == 0 && !at.hasErrors()
	for i, pattern := range raw.AccountFiles {
		for _, path := range l.glob(pattern, files.item(i)) {
			var more rawAccountFile
			in := l.read(path, &more)
			accounts = append(accounts, l.buildAccounts(more.Accounts, in.key("accounts"))...)
			none = none && len(more.Accounts) == 0 && !in.hasErrors()
		}
	}
	if none && !files.hasErrors() && !l.diagnostics.have(unknownKey(didYouMean("accounts"))) {
		at.errorf("is empty: an account needs a name, a server, a username and a password_file")
	}
	return accounts
}

// glob returns the files that an entry of account_files matches, without those read already.
func (l *loader) glob(pattern string, p position) []string {
	path := pattern
	if !filepath.IsAbs(path) {
		path = filepath.Join(l.dir, path)
	}
	paths := []string{path}
	if strings.ContainsAny(pattern, "*?[") {
		var err error
		if paths, err = l.sources.glob(path); err != nil {
			p.errorf("is not a valid pattern: *, ? and [a-z] stand for parts of a file's name")
		} else if len(paths) == 0 {
			p.warnf("no file matches")
		}
	} else if info, err := os.Stat(path); err != nil {
		p.errorf("%s: %s", path, fileError(pattern, err))
		return nil
	} else if info.IsDir() {
		p.errorf("%s: is a directory: write %s", path, filepath.Join(pattern, "*.yaml"))
		return nil
	}
	paths = slices.DeleteFunc(paths, func(path string) bool { return slices.Contains(l.files, path) })
	l.files = append(l.files, paths...)
	return paths
}

func (l *loader) buildAccounts(trees []rawAccount, at position) []Account {
	var accounts []Account
	for i, raw := range trees {
		p := at.item(i)
		if p.hasErrors() {
			continue
		}
		if a := l.buildAccount(&raw, p); !p.hasErrors() && a.Target != nil {
			accounts = append(accounts, a)
		}
	}
	return accounts
}

// buildAccount checks an account. Where its module has errors, it checks only what doesn't depend on the module.
func (l *loader) buildAccount(raw *rawAccount, p position) Account {
	checkName(p, raw.Name, l.accountNames)
	checkLabels(p.key("labels"), raw.Labels)
	if breaksLine(raw.Username) {
		p.key("username").errorf("has a line break or NUL, which IMAP cannot send")
	}
	name := raw.Module
	if name == "" {
		name = defaultModule
	}
	m := l.modules[name]
	if m == nil {
		if !l.modulesBroken {
			p.key("module").errorf("there is no such module: the known ones are %s", l.moduleNames())
		}
		return Account{}
	}
	if m.target == nil {
		return Account{}
	}
	times := m.times.override(raw, p)
	a := Account{Account: account.Account{
		Name: raw.Name, Interval: times.interval, RetryInterval: cmp.Or(times.retryInterval, times.interval), Module: m.name, Labels: raw.Labels,
	}}
	a.Target, a.server = l.target(m.target, raw, p)
	a.Target.Timeout = times.timeout
	a.Server = a.Target.Server
	a.probeModules = l.checkProbeModules(&a, raw.ProbeModules, p.key("probe_modules"))
	a.raw = *raw
	a.raw.Server, a.raw.Module = a.Server, m.name
	if raw.Password != nil {
		a.raw.Password = &Secret{}
	}
	a.Fingerprint, a.secret = secretFunc(a.Target.Secret).fingerprint, l.secretIdentity(raw)
	return a
}

// target returns a copy of a module's target, with the account's name, login, secret and server.
func (l *loader) target(shared *probe.Target, raw *rawAccount, p position) (*probe.Target, server) {
	t := *shared
	t.Account, t.Username = raw.Name, raw.Username
	if t.Username == "" && t.Auth != probe.AuthNone && t.Auth != probe.AuthExternal {
		p.key("username").errorf("is missing: auth %s needs it", t.Auth)
	}
	t.Secret = l.credential(raw, t.Auth, p)
	if t.TLSMode == probe.TLSNone && t.Auth != probe.AuthNone && !t.AllowPlaintextAuth {
		p.warnf("every probe will fail with plaintext_refused: the module has tls: none; encrypt, or permit it with allow_plaintext_auth: true")
	}
	s, ok := l.parseServer(raw.Server, t.TLSMode, p.key("server"))
	if !ok {
		return &t, s
	}
	warnOfPort(s, t.TLSMode, p.key("server"))
	setServer(&t, s)
	return &t, s
}

// setServer sets the server that a target connects to.
func setServer(t *probe.Target, s server) {
	t.Server, t.Address = s.label, s.address
	if t.TLSConfig != nil {
		t.TLSConfig = withServer(t.TLSConfig, s)
	}
}

// withServer returns a copy for one server. The embedded servers are verified by their own authority and name only.
func withServer(shared *tls.Config, s server) *tls.Config {
	c := shared.Clone()
	if s.roots != nil {
		c.RootCAs, c.ServerName = s.roots, s.name
	}
	if c.ServerName == "" {
		c.ServerName = s.name
	}
	return c
}
