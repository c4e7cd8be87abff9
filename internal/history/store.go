// Package history remembers how accounts did lately: the last Result of each account, how its last probes came out and
// what they took, and a few recent Results with their conversations, of which failures outlive successes.
package history

import (
	"cmp"
	"slices"
	"sync"
	"time"

	"imap-exporter/probe"
)

// Limits say how much is kept. The last Result of each account is kept whatever they are.
type Limits struct {
	// Beats is how many of its last probes are kept in short for each account.
	Beats int
	// Successes and Failures are how many recent Results are kept for each account, with their conversations. A failure
	// is only pushed out by another failure, so that it can still be looked at when the probes since then went well.
	Successes, Failures int
	// Bytes bounds the recent Results of all accounts together. Where it doesn't suffice, the oldest are gone sooner,
	// and successes before failures. 0: no bound.
	Bytes int
}

// A Store holds the history of all accounts. It is safe for concurrent use. The Results it is given and gives out are
// never changed, by it or by anybody else.
type Store struct {
	limits Limits

	mu       sync.RWMutex
	accounts map[string]*account
	recent   pool
	counts   Counts
}

// Counts are how many accounts did how at their last probe.
type Counts struct{ OK, Failing int }

// account is the history of one account. In beats and recent the newest is at the end.
type account struct {
	last        *probe.Result
	since       time.Time
	lastSuccess time.Time
	beats       []beat
	recent      []*detail
}

// New returns an empty Store.
func New(limits Limits) *Store {
	return &Store{limits: limits, accounts: make(map[string]*account)}
}

// Add makes r the last Result of its account and reports whether it did so: a probe that we cut short ourselves
// (ReasonCanceled) says nothing about the server, so it is not kept. The last one added is the last Result, whatever its
// clock says: an account is never probed twice at a time. Its Transcript isn't part of the last Result, but of Recent's.
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
	before := a.last
	a.last = slim(r, before)
	s.count(before, -1)
	s.count(a.last, +1)
	if before == nil || before.OK() != r.OK() {
		a.since = r.Start
	}
	if r.OK() {
		a.lastSuccess = r.Start
	}
	a.beat(newBeat(r), s.limits.Beats)
	s.remember(a, newDetail(a.last, r.Transcript))
	return true
}

// count adds n accounts whose last Result this is.
func (s *Store) count(r *probe.Result, n int) {
	switch {
	case r == nil:
	case r.OK():
		s.counts.OK += n
	default:
		s.counts.Failing += n
	}
}

// slim returns r without its transcript, and with the capabilities of the Result before where they are the same: they
// are most of a Result, and hardly ever change.
func slim(r, before *probe.Result) *probe.Result {
	if r.Transcript == nil && (before == nil || len(r.Capabilities) == 0) {
		return r
	}
	slimmed := *r
	slimmed.Transcript = nil
	slimmed.Capabilities = slices.Clone(r.Capabilities)
	for i, c := range slimmed.Capabilities {
		slimmed.Capabilities[i].Names = namesBefore(before, c)
	}
	return &slimmed
}

func namesBefore(before *probe.Result, c probe.Capabilities) []string {
	if before == nil {
		return c.Names
	}
	for _, old := range before.Capabilities {
		if old.Stage == c.Stage && slices.Equal(old.Names, c.Names) {
			return old.Names
		}
	}
	return c.Names
}

// remember keeps d, and drops what is over the limits.
func (s *Store) remember(a *account, d *detail) {
	limit := s.limits.Failures
	if d.result.OK() {
		limit = s.limits.Successes
	}
	if limit <= 0 {
		return
	}
	a.recent = append(a.recent, d)
	s.recent.add(d)
	same := 0
	for _, other := range a.recent {
		if other.result.OK() == d.result.OK() {
			same++
		}
	}
	if same > limit {
		i := slices.IndexFunc(a.recent, func(other *detail) bool { return other.result.OK() == d.result.OK() })
		s.forget(a, a.recent[i])
	}
	for s.limits.Bytes > 0 {
		oldest := s.recent.excess(s.limits.Bytes)
		if oldest == nil {
			return
		}
		s.forget(s.accounts[oldest.result.Account], oldest)
	}
}

// forget drops a recent Result.
func (s *Store) forget(a *account, d *detail) {
	s.recent.remove(d)
	i := slices.Index(a.recent, d)
	a.recent = slices.Delete(a.recent, i, i+1)
}

// Last returns the last Result of an account, without its transcript, or nil.
func (s *Store) Last(name string) *probe.Result {
	last, _ := s.LastSince(name)
	return last
}

// LastSince returns the last Result of an account, without its transcript, and the start of the first one of those that
// came out as it did, all in a row: since when the account is failing, or not. It returns nil before the first one.
func (s *Store) LastSince(name string) (last *probe.Result, since time.Time) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if a := s.accounts[name]; a != nil {
		return a.last, a.since
	}
	return nil, time.Time{}
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

// Counts returns how many accounts did how at their last probe.
func (s *Store) Counts() Counts {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.counts
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

// Recent returns what is kept of an account's Results, the newest first, without their transcripts.
func (s *Store) Recent(name string) []*probe.Result {
	s.mu.RLock()
	defer s.mu.RUnlock()
	a := s.accounts[name]
	if a == nil {
		return nil
	}
	recent := make([]*probe.Result, 0, len(a.recent))
	for _, d := range slices.Backward(a.recent) {
		recent = append(recent, d.result)
	}
	return recent
}

// Result returns a recent Result of an account by its ID, and the conversation; nil when it isn't kept any more. The last
// Result is always there, but perhaps without its conversation.
func (s *Store) Result(name string, id int64) (*probe.Result, []probe.TranscriptLine) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	a := s.accounts[name]
	if a == nil {
		return nil, nil
	}
	for _, d := range slices.Backward(a.recent) {
		if IDOf(d.result) == id {
			return d.result, d.transcript
		}
	}
	if a.last != nil && IDOf(a.last) == id {
		return a.last, nil
	}
	return nil, nil
}

// Forget drops the history of an account, as when it moves to another server.
func (s *Store) Forget(name string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.drop(name)
}

func (s *Store) drop(name string) {
	a := s.accounts[name]
	if a == nil {
		return
	}
	for _, d := range a.recent {
		s.recent.remove(d)
	}
	s.count(a.last, -1)
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
			s.drop(name)
		}
	}
}
