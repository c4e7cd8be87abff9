package exporter

import (
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"imap-exporter/internal/account"
	"imap-exporter/probe"
)

const (
	// newNames is how many new names of mailboxes and quota roots an account may have in newNamesPeriod, beside those of its first
	// probe. More are left out: a server that renames them at each probe would make series without end in Prometheus.
	newNames       = 16
	newNamesPeriod = time.Hour
	// maxKnownNames is how many names of an account are known at a time, so that they may come and go; the one that was not
	// there for longest is forgotten first.
	maxKnownNames = 4 * (probe.MaxMailboxes + probe.MaxQuotaRoots)
)

// newNamesNote is the note of a Result of which names were left out. It has no number, so that it is logged once.
const newNamesNote = "names: mailboxes or quota roots were left out: an account may have 16 new names in an hour"

// A nameLimiter leaves out of Results what would be too many new series. Its zero value is ready.
type nameLimiter struct {
	mu    sync.Mutex
	known map[nameScope]*knownNames
}

// A nameScope is what has names of its own: an account at a server, with what the module that it is probed with asks for.
type nameScope struct {
	account           account.Key
	server, mailboxes string
}

// knownNames are the names that there were, and how many new ones there may be.
type knownNames struct {
	names []knownName
	// allowance is how many new names there may be at the moment updated. It grows by newNames each newNamesPeriod, up to newNames.
	allowance float64
	updated   time.Time
}

// A labelName is the name of a mailbox or of a quota root.
type labelName struct {
	name string
	root bool
}

// A knownName is a labelName, and when it was there last, as Unix time. There are few of most accounts, so that a list takes less
// memory than a map.
type knownName struct {
	labelName
	seen int64
}

// setAccounts forgets the names of all accounts but these, and of those that have moved to another server.
func (l *nameLimiter) setAccounts(accounts []account.Account) {
	servers := make(map[account.Key]string, len(accounts))
	for i := range accounts {
		servers[accounts[i].Key()] = accounts[i].Server
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	maps.DeleteFunc(l.known, func(s nameScope, _ *knownNames) bool { return servers[s.account] != s.server })
}

// limit returns the Result of a probe of t as it may be shown: with the names that are known, and as many new ones as there may
// be. A server that is no account's has none. A failed probe has no series of names, and may have stopped before most of them.
func (l *nameLimiter) limit(t *probe.Target, r *probe.Result) *probe.Result {
	if !r.OK() || len(r.Mailboxes) == 0 && (r.Quota == nil || len(r.Quota.Roots) == 0) {
		return r
	}
	admit := func(labelName) bool { return false }
	if t.Account != "" {
		l.mu.Lock()
		defer l.mu.Unlock()
		admit = l.namesOf(t, r).admit(r.Start)
	}
	mailboxes := keep(r.Mailboxes, func(m probe.Mailbox) bool { return admit(labelName{m.Name, false}) })
	leftOut := len(r.Mailboxes) - len(mailboxes)
	quota := r.Quota
	if quota != nil {
		roots := keep(quota.Roots, func(q probe.QuotaRoot) bool { return admit(labelName{q.Name, true}) })
		leftOut += len(quota.Roots) - len(roots)
		quota = &probe.Quota{Supported: quota.Supported, Roots: roots}
	}
	if leftOut == 0 {
		return r
	}
	limited := *r
	limited.Mailboxes, limited.Quota, limited.NamesLeftOut = mailboxes, quota, leftOut
	limited.Notes = append(slices.Clone(r.Notes), newNamesNote)
	return &limited
}

// namesOf returns what is known of the account that was probed. The names of its first Result are all admitted.
func (l *nameLimiter) namesOf(t *probe.Target, r *probe.Result) *knownNames {
	scope := nameScope{account.KeyOf(r), t.Server, strings.Join(t.Mailboxes, "\x00")}
	if k := l.known[scope]; k != nil {
		return k
	}
	k := &knownNames{allowance: newNames, updated: r.Start}
	for _, m := range r.Mailboxes {
		k.add(labelName{m.Name, false}, r.Start)
	}
	if r.Quota != nil {
		for _, root := range r.Quota.Roots {
			k.add(labelName{root.Name, true}, r.Start)
		}
	}
	if l.known == nil {
		l.known = make(map[nameScope]*knownNames)
	}
	l.known[scope] = k
	return k
}

// admit returns the function that says whether a name may be shown, for a probe that began at now.
func (k *knownNames) admit(now time.Time) func(labelName) bool {
	if since := now.Sub(k.updated); since > 0 {
		k.allowance = min(newNames, k.allowance+newNames*since.Hours()/newNamesPeriod.Hours())
		k.updated = now
	}
	return func(n labelName) bool {
		i := slices.IndexFunc(k.names, func(known knownName) bool { return known.labelName == n })
		switch {
		case i >= 0:
			k.names[i].seen = now.Unix()
		case k.allowance < 1:
			return false
		default:
			k.allowance--
			k.add(n, now)
		}
		return true
	}
}

// add makes a name known. If there are too many, it takes the place of the one that was not there for longest.
func (k *knownNames) add(n labelName, now time.Time) {
	added := knownName{labelName{strings.Clone(n.name), n.root}, now.Unix()}
	if len(k.names) < maxKnownNames {
		k.names = append(k.names, added)
		return
	}
	oldest := 0
	for i := range k.names {
		if k.names[i].seen < k.names[oldest].seen {
			oldest = i
		}
	}
	k.names[oldest] = added
}

// keep returns the elements that may be kept, in the slice itself if that is all of them.
func keep[T any](all []T, may func(T) bool) []T {
	var kept []T
	for _, one := range all {
		if may(one) {
			kept = append(kept, one)
		}
	}
	if len(kept) == len(all) {
		return all
	}
	return kept
}
