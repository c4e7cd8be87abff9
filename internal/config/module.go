package config

import (
	"maps"
	"slices"
	"strings"
	"time"

	"imap-exporter/probe"
)

// The bounds of a module's numbers.
const (
	minTimeout    = 100 * time.Millisecond
	maxTimeout    = 10 * time.Minute
	maxFetchBytes = 1 << 20
)

// defaultModule is the name of the module that always exists.
const defaultModule = "default"

// A module is how to probe, for any account.
type module struct {
	name          string
	interval      time.Duration
	retryInterval time.Duration
	// tree is what was written, and the defaults.
	tree moduleTree
	// anyTarget says that /probe may probe with it what is no account.
	anyTarget bool
	// target has everything but what an account adds. It is nil for a module with faults of its own, for which an account is not blamed.
	target *probe.Target
}

// loadModules fills l.modules, the built-in one included.
func (l *loader) loadModules(trees []moduleTree, at place) {
	names := map[string]place{}
	l.modulesBroken = len(trees) == 0 && at.broken()
	for i, tree := range trees {
		p := at.item(i)
		if p.key("name").broken() || !checkName(p, tree.Name, names) {
			l.modulesBroken = true
			continue
		}
		m := &module{name: tree.Name}
		l.modules[m.name] = m
		if p.broken() {
			continue
		}
		target := l.finishModule(m, &tree, p)
		if !p.broken() {
			m.target, m.tree = target, m.shown(tree, target)
		}
	}
	if l.modules[defaultModule] == nil {
		m := &module{name: defaultModule}
		m.target = l.finishModule(m, &moduleTree{}, at)
		m.tree = m.shown(moduleTree{}, m.target)
		l.modules[defaultModule] = m
	}
}

// finishModule fills the defaults in and checks the whole.
func (l *loader) finishModule(m *module, tree *moduleTree, p place) *probe.Target {
	t := &probe.Target{
		IPFamily: choose(p.key("ip_family"), tree.IPFamily, probe.IPAuto, probe.IPAuto, probe.IPv4, probe.IPv6),
		TLSMode: choose(p.key("tls"), tree.TLS, probe.TLSImplicit,
			probe.TLSImplicit, probe.TLSStartTLS, probe.TLSNone),
		Auth: choose(p.key("auth"), tree.Auth, probe.AuthAuto,
			probe.AuthAuto, probe.AuthLogin, probe.AuthPlain, probe.AuthSCRAMSHA256,
			probe.AuthXOAuth2, probe.AuthOAuthBearer, probe.AuthExternal, probe.AuthNone),
		AllowPlaintextAuth: or(tree.AllowPlaintextAuth, false),
		SendID:             or(tree.SendID, false),
		ReadOnly:           or(tree.ReadOnly, true),
	}
	m.finishTimes(t, tree, p)
	t.TLSConfig = l.tlsConfig(tree.TLSConfig, t, p)
	if t.TLSMode == probe.TLSNone && t.AllowPlaintextAuth && t.Auth != probe.AuthNone {
		p.key("allow_plaintext_auth").warn("with tls: none the login is not encrypted: anyone between can read the password")
	}
	m.anyTarget = or(tree.AllowAnyTarget, false)
	if m.anyTarget && (t.Auth != probe.AuthNone || t.TLSConfig != nil && len(t.TLSConfig.Certificates) > 0) {
		p.key("allow_any_target").refuse("needs auth: none, and no client certificate: callers of /probe must not choose where a credential goes")
	}
	if t.Auth == probe.AuthNone {
		refuseMailboxKeys(tree, p)
		t.Fetch = probe.FetchNone
		return t
	}
	finishMailboxes(t, tree, p)
	t.Quota = or(tree.Quota, true)
	return t
}

func (m *module) finishTimes(t *probe.Target, tree *moduleTree, p place) {
	m.interval = time.Duration(or(tree.Interval, Duration(60*time.Second)))
	t.Timeout = time.Duration(or(tree.Timeout, Duration(20*time.Second)))
	m.retryInterval = time.Duration(or(tree.RetryInterval, 0))
	switch {
	case t.Timeout < minTimeout || t.Timeout > maxTimeout:
		p.key("timeout").refuse("must be from %s to %s", short(minTimeout), short(maxTimeout))
	case m.interval != 0 && m.interval < t.Timeout:
		p.key("interval").refuse("is shorter than timeout, %s: write a longer interval or a shorter timeout", short(t.Timeout))
	case m.retryInterval != 0 && m.interval == 0:
		p.key("retry_interval").refuse("needs an interval: with interval 0s, probes run on demand only")
	case m.retryInterval != 0 && m.retryInterval < t.Timeout:
		p.key("retry_interval").refuse("is shorter than timeout, %s: write a longer one, or 0s to use interval", short(t.Timeout))
	}
	if m.retryInterval == 0 {
		m.retryInterval = m.interval
	}
}

// refuseMailboxKeys reports what nobody can do who isn't logged in.
func refuseMailboxKeys(tree *moduleTree, p place) {
	for key, wanted := range map[string]bool{
		"select":    or(tree.Select, "") != "",
		"fetch":     tree.Fetch != nil,
		"mailboxes": len(tree.Mailboxes) > 0,
		"quota":     or(tree.Quota, false),
	} {
		if wanted {
			p.key(key).refuse("needs a login, and auth is none: delete this key or choose another auth")
		}
	}
}

// finishMailboxes fills in what is done once logged in.
func finishMailboxes(t *probe.Target, tree *moduleTree, p place) {
	t.Select = inbox(or(tree.Select, "INBOX"))
	checkMailbox(p.key("select"), t.Select)
	fetch := or(tree.Fetch, fetchTree{})
	section, bytes := p.key("fetch").key("section"), p.key("fetch").key("bytes")
	fallback := probe.FetchHeader
	if t.Select == "" {
		fallback = probe.FetchNone
	}
	t.Fetch = choose(section, fetch.Section, fallback, probe.FetchHeader, probe.FetchText, probe.FetchFull, probe.FetchNone)
	if t.Select == "" && t.Fetch != probe.FetchNone {
		section.refuse("needs a selected mailbox: write select, or section: none")
	}
	t.FetchBytes = or(fetch.Bytes, 65536)
	if t.FetchBytes < 1 || t.FetchBytes > maxFetchBytes {
		bytes.refuse("must be from 1 to %d (1 MiB)", maxFetchBytes)
	}
	t.Mailboxes = []string{"INBOX"}
	if tree.Mailboxes != nil {
		t.Mailboxes = mailboxes(tree.Mailboxes, p.key("mailboxes"))
	}
}

func mailboxes(names []string, p place) []string {
	if len(names) > probe.MaxMailboxes {
		p.refuse("has more than %d entries", probe.MaxMailboxes)
		return nil
	}
	seen := map[string]bool{}
	list := make([]string, len(names))
	for i, name := range names {
		at := p.item(i)
		list[i] = inbox(name)
		switch {
		case name == "":
			at.refuse("is empty: write a mailbox, or mailboxes: [] for none")
		case seen[list[i]]:
			at.refuse("is listed twice")
		default:
			checkMailbox(at, name)
		}
		seen[list[i]] = true
	}
	return list
}

// inbox writes INBOX, whose case does not matter, in capitals (RFC 9051, section 5.1).
func inbox(name string) string {
	if strings.EqualFold(name, "INBOX") {
		return "INBOX"
	}
	return name
}

func checkMailbox(p place, name string) {
	if !isPrintable(name) {
		p.refuse("must be printable text of at most %d characters", probe.MaxNameRunes)
	}
}

// short writes a duration without zero parts: 20s, 10m.
func short(d time.Duration) string {
	s := d.String()
	if cut, ok := strings.CutSuffix(s, "m0s"); ok {
		s = cut + "m"
	}
	if cut, ok := strings.CutSuffix(s, "h0m"); ok {
		s = cut + "h"
	}
	return s
}

// usedModules returns the modules of accounts, sorted by name.
func (l *loader) usedModules(accounts []Account) []moduleTree {
	used := map[string]bool{}
	for i := range accounts {
		used[accounts[i].Module] = true
	}
	var trees []moduleTree
	for _, name := range slices.Sorted(maps.Keys(used)) {
		trees = append(trees, l.modules[name].tree)
	}
	return trees
}

func (l *loader) moduleNames() string {
	return strings.Join(slices.Sorted(maps.Keys(l.modules)), ", ")
}
