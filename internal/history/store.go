// Package history remembers how accounts did lately: the last Result of each, the time of its last success,
// and a few recent Results, of which failures outlive successes.
package history

import (
	"cmp"
	"slices"
	"sync"
	"time"

	"imap-exporter/probe"
)

// Limits say how many recent Results are kept for each account. A failure is only pushed out by another failure,
// so that it can still be looked at when the probes since then went well. The last Result is kept whatever the limits are.
type Limits struct {
	Successes int
	Failures  int
}

// A Store holds the history of all accounts. It is safe for concurrent use. The Results it is given and gives out are
// never changed, by it or by anybody else.
type Store struct {
	limits Limits

	mu       sync.RWMutex
	accounts map[string]*account
}

// account is the history of one account. In recent the newest is at the end.
type account struct {
	last        *probe.Result
	lastSuccess time.Time
	recent      []*probe.Result
}

// New returns an empty Store.
func New(limits Limits) *Store {
	return &Store{limits: limits, accounts: make(map[string]*account)}
}

// Add makes r the last Result of its account and reports whether it did so: a probe that we cut short ourselves
// (ReasonCanceled) says nothing about the server, so it is not kept. The last one added is the last Result, whatever its
// clock says: an account is never probed twice at a time.
func (s *Store) Add(r *probe.Result) bool {
	if r.Err != nil && r.Err.Reason == probe.ReasonCanceled {
		return false
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	a := s.accounts[r.Account]
	if a == nil {
		a = &account{}
		s.accounts[r.Account] = a
	}
	a.last = r
	limit := s.limits.Failures
	if r.OK() {
		a.lastSuccess = r.Start
		limit = s.limits.Successes
	}
	a.recent = append(a.recent, r)
	a.trim(r.OK(), limit)
	return true
}

// trim drops the oldest of the recent successes (ok) or failures (!ok) that are over the limit.
func (a *account) trim(ok bool, limit int) {
	excess := -limit
	for _, r := range a.recent {
		if r.OK() == ok {
			excess++
		}
	}
	a.recent = slices.DeleteFunc(a.recent, func(r *probe.Result) bool {
		if r.OK() != ok || excess <= 0 {
			return false
		}
		excess--
		return true
	})
}

// Last returns the last Result of an account, or nil.
func (s *Store) Last(name string) *probe.Result {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if a := s.accounts[name]; a != nil {
		return a.last
	}
	return nil
}

// LastSuccess returns when the last successful probe of an account began, even when its Result is gone.
// It is zero when there was none.
func (s *Store) LastSuccess(name string) time.Time {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if a := s.accounts[name]; a != nil {
		return a.lastSuccess
	}
	return time.Time{}
}

// Latest returns the last Result of each account, sorted by account.
func (s *Store) Latest() []*probe.Result {
	s.mu.RLock()
	latest := make([]*probe.Result, 0, len(s.accounts))
	for _, a := range s.accounts {
		latest = append(latest, a.last)
	}
	s.mu.RUnlock()
	slices.SortFunc(latest, func(a, b *probe.Result) int { return cmp.Compare(a.Account, b.Account) })
	return latest
}

// Recent returns what is kept of an account's Results, the newest first.
func (s *Store) Recent(name string) []*probe.Result {
	s.mu.RLock()
	defer s.mu.RUnlock()
	a := s.accounts[name]
	if a == nil {
		return nil
	}
	recent := slices.Clone(a.recent)
	slices.Reverse(recent)
	return recent
}

// Forget drops the history of an account, as when it moves to another server.
func (s *Store) Forget(name string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.accounts, name)
}

// Keep drops the history of all accounts but these.
func (s *Store) Keep(names []string) {
	keep := make(map[string]bool, len(names))
	for _, name := range names {
		keep[name] = true
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for name := range s.accounts {
		if !keep[name] {
			delete(s.accounts, name)
		}
	}
}
