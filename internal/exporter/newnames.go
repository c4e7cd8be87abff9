package exporter

import (
	"slices"
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
	mu       sync.Mutex
	accounts map[account.Key]*knownNames
}

// knownNames are the names that an account had, and how many new ones it may have.
type knownNames struct {
	server    string
	mailboxes []string // of the configuration: another one may have other names
	lastSeen  map[labelName]time.Time
	// allowance is how many new names there may be at the moment updated. It grows by newNames each newNamesPeriod, up to newNames.
	allowance float64
	updated   time.Time
}

// A labelName is the name of a mailbox or of a quota root.
type labelName struct {
	root bool
	name string
}

// setAccounts forgets the names of all accounts but these, and of those whose server or mailboxes are configured anew.
func (l *nameLimiter) setAccounts(accounts []account.Account) {
	l.mu.Lock()
	defer l.mu.Unlock()
	kept := make(map[account.Key]*knownNames, len(l.accounts))
	for i := range accounts {
		a := &accounts[i]
		if known := l.accounts[a.Key()]; known != nil && known.server == a.Server && slices.Equal(known.mailboxes, a.Target.Mailboxes) {
			kept[a.Key()] = known
		}
	}
	l.accounts = kept
}

// limit returns the Result of a probe of t as it may be shown: with the names that are known, and as many new ones as there may
// be. Of a server that is no account's nothing is known: it has none.
func (l *nameLimiter) limit(t *probe.Target, r *probe.Result) *probe.Result {
	if len(r.Mailboxes) == 0 && (r.Quota == nil || len(r.Quota.Roots) == 0) {
		return r
	}
	admit := func(labelName) bool { return false }
	if t.Account != "" {
		l.mu.Lock()
		defer l.mu.Unlock()
		admit = l.known(t, r).admit(r.Start)
	}
	mailboxes := keep(r.Mailboxes, func(m probe.Mailbox) bool { return admit(labelName{false, m.Name}) })
	leftOut := len(r.Mailboxes) - len(mailboxes)
	quota := r.Quota
	if quota != nil {
		roots := keep(quota.Roots, func(q probe.QuotaRoot) bool { return admit(labelName{true, q.Name}) })
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

// known returns what is known of the account that was probed. The names of its first Result are all admitted.
func (l *nameLimiter) known(t *probe.Target, r *probe.Result) *knownNames {
	key := account.KeyOf(r)
	k := l.accounts[key]
	if k == nil {
		k = &knownNames{server: t.Server, mailboxes: t.Mailboxes, lastSeen: make(map[labelName]time.Time), allowance: newNames, updated: r.Start}
		for _, m := range r.Mailboxes {
			k.lastSeen[labelName{false, m.Name}] = r.Start
		}
		if r.Quota != nil {
			for _, root := range r.Quota.Roots {
				k.lastSeen[labelName{true, root.Name}] = r.Start
			}
		}
		if l.accounts == nil {
			l.accounts = make(map[account.Key]*knownNames)
		}
		l.accounts[key] = k
	}
	return k
}

// admit returns the function that says whether a name may be shown, for a probe that began at now.
func (k *knownNames) admit(now time.Time) func(labelName) bool {
	if since := now.Sub(k.updated); since > 0 {
		k.allowance = min(newNames, k.allowance+newNames*since.Hours()/newNamesPeriod.Hours())
		k.updated = now
	}
	return func(n labelName) bool {
		if _, known := k.lastSeen[n]; !known {
			if k.allowance < 1 {
				return false
			}
			k.allowance--
			if len(k.lastSeen) >= maxKnownNames {
				k.forgetOne()
			}
		}
		k.lastSeen[n] = now
		return true
	}
}

// forgetOne forgets the name that was not there for longest.
func (k *knownNames) forgetOne() {
	var oldest labelName
	var at time.Time
	for n, seen := range k.lastSeen {
		if at.IsZero() || seen.Before(at) {
			oldest, at = n, seen
		}
	}
	delete(k.lastSeen, oldest)
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
