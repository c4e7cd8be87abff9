package config

import (
	"maps"
	"slices"
	"strings"
	"time"

	"imap-exporter/internal/imap"
	"imap-exporter/internal/text"
	"imap-exporter/probe"
)

// Limits of a module's values.
const (
	minTimeout    = 100 * time.Millisecond
	maxTimeout    = 10 * time.Minute
	maxFetchBytes = 1 << 20
)

// defaultModule is the name of the module that always exists.
const defaultModule = "default"

// A module is how to probe: what accounts share.
type module struct {
	name  string
	times times
	// raw is the module as written, with the defaults, for Show.
	raw rawModule
	// anyTarget says that /probe may use it for servers of no account.
	anyTarget bool
	// target has all fields but the account's own. It is nil for a module with errors; its accounts then report none about it.
	target *probe.Target
}

// loadModules sets l.modules, with the built-in module default.
func (l *loader) loadModules(trees []rawModule, at position) {
	names := map[string]position{}
	l.modulesBroken = len(trees) == 0 && at.hasErrors()
	for i, raw := range trees {
		p := at.item(i)
		if p.key("name").hasErrors() || !checkName(p, raw.Name, names) {
			l.modulesBroken = true
			continue
		}
		m := &module{name: raw.Name}
		l.modules[m.name] = m
		if p.hasErrors() {
			continue
		}
		target := l.buildModule(m, &raw, p)
		if !p.hasErrors() {
			m.target, m.raw = target, m.shown(raw, target)
		}
	}
	if l.modules[defaultModule] == nil {
		m := &module{name: defaultModule}
		m.target = l.buildModule(m, &rawModule{}, at)
		m.raw = m.shown(rawModule{}, m.target)
		l.modules[defaultModule] = m
	}
}

// buildModule returns the module's target with defaults, and sets the other fields of m.
func (l *loader) buildModule(m *module, raw *rawModule, p position) *probe.Target {
	t := &probe.Target{
		IPFamily: choose(p.key("ip_family"), raw.IPFamily, probe.IPAuto, probe.IPAuto, probe.IPv4, probe.IPv6),
		TLSMode: choose(p.key("tls"), raw.TLS, probe.TLSImplicit,
			probe.TLSImplicit, probe.TLSStartTLS, probe.TLSNone),
		Auth: choose(p.key("auth"), raw.Auth, probe.AuthAuto,
			probe.AuthAuto, probe.AuthLogin, probe.AuthPlain, probe.AuthSCRAMSHA256,
			probe.AuthXOAuth2, probe.AuthOAuthBearer, probe.AuthExternal, probe.AuthNone),
		AllowPlaintextAuth: valueOr(raw.AllowPlaintextAuth, false),
		SendID:             valueOr(raw.SendID, false),
		ReadOnly:           valueOr(raw.ReadOnly, true),
	}
	m.times = times{
		interval:      time.Duration(valueOr(raw.Interval, Duration(60*time.Second))),
		timeout:       time.Duration(valueOr(raw.Timeout, Duration(20*time.Second))),
		retryInterval: time.Duration(valueOr(raw.RetryInterval, 0)),
	}
	m.times.check(p)
	t.Timeout = m.times.timeout
	t.TLSConfig = l.tlsConfig(raw.TLSConfig, t, p)
	if t.TLSMode == probe.TLSNone && t.AllowPlaintextAuth && t.Auth != probe.AuthNone {
		p.key("allow_plaintext_auth").warnf("with tls: none the login is not encrypted: anyone on the network path can read the password")
	}
	m.anyTarget = valueOr(raw.AllowAnyTarget, false)
	if m.anyTarget && (t.Auth != probe.AuthNone || t.TLSConfig != nil && len(t.TLSConfig.Certificates) > 0) {
		p.key("allow_any_target").errorf("needs auth: none, and no client certificate: callers of /probe must not choose where a credential goes")
	}
	if t.Auth == probe.AuthNone {
		rejectMailboxKeys(raw, p)
		t.Fetch = probe.FetchNone
		return t
	}
	setMailboxes(t, raw, p)
	t.Quota = valueOr(raw.Quota, true)
	return t
}

// times are when to probe, and how long a probe may take. A module has them, and an account may override them.
type times struct {
	// interval is 0 for probes on demand only, and retryInterval is 0 where it is the interval.
	interval, timeout, retryInterval time.Duration
}

func (t times) check(p position) {
	switch {
	case t.timeout < minTimeout || t.timeout > maxTimeout:
		p.key("timeout").errorf("must be from %s to %s", text.Duration(minTimeout), text.Duration(maxTimeout))
	case t.interval != 0 && t.interval < t.timeout:
		p.key("interval").errorf("is shorter than timeout, %s: write a longer interval or a shorter timeout", text.Duration(t.timeout))
	case t.retryInterval != 0 && t.interval == 0:
		p.key("retry_interval").errorf("needs an interval: with interval 0s, probes run on demand only")
	case t.retryInterval != 0 && t.retryInterval < t.timeout:
		p.key("retry_interval").errorf("is shorter than timeout, %s: write a longer one, or 0s to use interval", text.Duration(t.timeout))
	}
}

// override returns the times of an account.
func (t times) override(raw *rawAccount, p position) times {
	if raw.Interval == nil && raw.Timeout == nil && raw.RetryInterval == nil {
		return t
	}
	if raw.Interval != nil && *raw.Interval == 0 {
		t.retryInterval = 0
	}
	t.interval = time.Duration(valueOr(raw.Interval, Duration(t.interval)))
	t.timeout = time.Duration(valueOr(raw.Timeout, Duration(t.timeout)))
	t.retryInterval = time.Duration(valueOr(raw.RetryInterval, Duration(t.retryInterval)))
	t.check(p)
	return t
}

// rejectMailboxKeys reports keys that need a login.
func rejectMailboxKeys(raw *rawModule, p position) {
	for key, wanted := range map[string]bool{
		"select":    valueOr(raw.Select, "") != "",
		"fetch":     raw.Fetch != nil,
		"mailboxes": len(raw.Mailboxes) > 0,
		"quota":     valueOr(raw.Quota, false),
	} {
		if wanted {
			p.key(key).errorf("needs a login, and auth is none: delete this key or choose another auth")
		}
	}
}

// setMailboxes sets which mailboxes a probe reads, and how.
func setMailboxes(t *probe.Target, raw *rawModule, p position) {
	t.Select = imap.FoldInbox(valueOr(raw.Select, "INBOX"))
	checkMailbox(p.key("select"), t.Select)
	fetch := valueOr(raw.Fetch, rawFetch{})
	section, bytes := p.key("fetch").key("section"), p.key("fetch").key("bytes")
	fallback := probe.FetchHeader
	if t.Select == "" {
		fallback = probe.FetchNone
	}
	t.Fetch = choose(section, fetch.Section, fallback, probe.FetchHeader, probe.FetchText, probe.FetchFull, probe.FetchNone)
	if t.Select == "" && t.Fetch != probe.FetchNone {
		section.errorf("needs a selected mailbox: write select, or section: none")
	}
	t.FetchBytes = valueOr(fetch.Bytes, 65536)
	if t.FetchBytes < 1 || t.FetchBytes > maxFetchBytes {
		bytes.errorf("must be from 1 to %d (1 MiB)", maxFetchBytes)
	}
	t.Mailboxes = []string{"INBOX"}
	if raw.Mailboxes != nil {
		t.Mailboxes = mailboxes(raw.Mailboxes, p.key("mailboxes"))
	}
}

func mailboxes(names []string, p position) []string {
	if len(names) > probe.MaxMailboxes {
		p.errorf("has more than %d entries", probe.MaxMailboxes)
		return nil
	}
	seen := map[string]bool{}
	list := make([]string, len(names))
	for i, name := range names {
		at := p.item(i)
		list[i] = imap.FoldInbox(name)
		switch {
		case name == "":
			at.errorf("is empty: write a mailbox, or mailboxes: [] for none")
		case seen[list[i]]:
			at.errorf("is listed twice")
		default:
			checkMailbox(at, name)
		}
		seen[list[i]] = true
	}
	return list
}

func checkMailbox(p position, name string) {
	if !isPrintable(name) {
		p.errorf("must be printable text of at most %d characters", probe.MaxNameRunes)
	}
}

// usedModules returns the modules of accounts, sorted by name.
func (l *loader) usedModules(accounts []Account) []rawModule {
	used := map[string]bool{}
	for i := range accounts {
		used[accounts[i].Module] = true
	}
	var trees []rawModule
	for _, name := range slices.Sorted(maps.Keys(used)) {
		trees = append(trees, l.modules[name].raw)
	}
	return trees
}

func (l *loader) moduleNames() string {
	return strings.Join(slices.Sorted(maps.Keys(l.modules)), ", ")
}
