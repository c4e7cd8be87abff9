// Package history decides which Results count, and keeps the recent ones: the last Result of each account, summaries of its
// last probes, and a few recent Results with their transcripts, of which failures outlive successes.
package history

import (
	"slices"
	"sync"
	"time"

	"imap-exporter/internal/account"
	"imap-exporter/probe"
)

// Limits say how much is kept. The last Result of each account is always kept.
type Limits struct {
	// Summaries is how many of its last probes are kept as a Summary for each account.
	Summaries int
	// Successes and Failures are how many recent Results are kept for each account, with their transcripts. Only another
	// failure displaces a failure, so that it can still be examined after many successes.
	Successes, Failures int
	// Bytes limits the recent Results of all accounts together. Beyond it, the oldest are dropped earlier, successes before
	// failures. 0 means no limit.
	Bytes int
}

// A Store holds the history of all accounts. It is safe for concurrent use. The Results that it returns are never changed.
type Store struct {
	limits Limits

	mu sync.RWMutex
	// servers has the server of each account whose Results are kept; nil keeps the Results of all accounts.
	servers  map[account.Key]string
	accounts map[account.Key]*accountHistory
	recent   recentResults
	counts   Counts
}

// Counts are how many accounts' last probes succeeded and failed.
type Counts struct{ OK, Failing int }

// accountHistory is the history of one account. In summaries and recent the newest is at the end.
type accountHistory struct {
	last      *probe.Result
	since     time.Time
	summaries []compactSummary
	recent    []*recentResult
}

// New returns an empty Store, which keeps the Results of any account until SetAccounts is called.
func New(limits Limits) *Store {
	return &Store{limits: limits, accounts: make(map[account.Key]*accountHistory)}
}

// Add decides whether a Result counts. If so, a copy becomes the last one of its account, without its Transcript and the
// cause of its Error, and Add returns the copy and the last one before it; nil: there was none. Else kept is nil.
//
// A probe that we canceled says nothing about the server and doesn't count, nor does one of an account that was removed, or
// moved to another server, while the probe ran. The Result that is added last is the last one, whatever its start time:
// probes of an account never overlap.
func (s *Store) Add(r *probe.Result) (previous, kept *probe.Result) {
	if r.Err != nil && r.Err.Reason == probe.ReasonCanceled {
		return nil, nil
	}
	key := account.KeyOf(r)
	s.mu.Lock()
	defer s.mu.Unlock()
	if server, ok := s.servers[key]; s.servers != nil && (!ok || server != r.Server) {
		return nil, nil
	}
	h := s.accounts[key]
	if h == nil {
		h = &accountHistory{}
		s.accounts[key] = h
	}
	previous = h.last
	slim := *r
	slim.Transcript = nil
	var bytes int
	h.last, bytes = copyResult(&slim, previous)
	s.count(previous, -1)
	s.count(h.last, +1)
	if previous == nil || previous.OK() != r.OK() {
		h.since = r.Start
	}
	h.summarize(newCompactSummary(r), s.limits.Summaries)
	s.keepRecent(h, newRecentResult(h.last, bytes, r.Transcript))
	return previous, h.last
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

// keepRecent keeps r, and drops Results beyond the limits.
func (s *Store) keepRecent(h *accountHistory, r *recentResult) {
	limit := s.limits.Failures
	if r.result.OK() {
		limit = s.limits.Successes
	}
	if limit <= 0 {
		return
	}
	h.recent = append(h.recent, r)
	s.recent.add(r)
	same := 0
	for _, other := range h.recent {
		if other.result.OK() == r.result.OK() {
			same++
		}
	}
	if same > limit {
		i := slices.IndexFunc(h.recent, func(other *recentResult) bool { return other.result.OK() == r.result.OK() })
		s.dropRecent(h, h.recent[i])
	}
	for s.limits.Bytes > 0 {
		oldest := s.recent.excess(s.limits.Bytes)
		if oldest == nil {
			return
		}
		s.dropRecent(s.accounts[account.KeyOf(oldest.result)], oldest)
	}
}

// dropRecent drops a recent Result.
func (s *Store) dropRecent(h *accountHistory, r *recentResult) {
	s.recent.remove(r)
	i := slices.Index(h.recent, r)
	h.recent = slices.Delete(h.recent, i, i+1)
}

// Last returns the last Result of an account, without its transcript, or nil.
func (s *Store) Last(key account.Key) *probe.Result {
	last, _ := s.LastSince(key)
	return last
}

// LastSince returns the last Result of an account, without its transcript, and since when the account has been failing or
// succeeding: the start of the first of the consecutive probes with the same outcome. It returns nil before the first one.
func (s *Store) LastSince(key account.Key) (last *probe.Result, since time.Time) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if h := s.accounts[key]; h != nil {
		return h.last, h.since
	}
	return nil, time.Time{}
}

// Counts returns how many accounts' last probes succeeded and failed.
func (s *Store) Counts() Counts {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.counts
}

// Recent returns what is kept of an account's Results, the newest first, without their transcripts.
func (s *Store) Recent(key account.Key) []*probe.Result {
	s.mu.RLock()
	defer s.mu.RUnlock()
	h := s.accounts[key]
	if h == nil {
		return nil
	}
	recent := make([]*probe.Result, 0, len(h.recent))
	for _, r := range slices.Backward(h.recent) {
		recent = append(recent, r.result)
	}
	return recent
}

// Result returns a recent Result of an account by its ID, and its transcript; nil if it is no longer kept. The last Result
// is always kept, but perhaps without its transcript.
func (s *Store) Result(key account.Key, id int64) (*probe.Result, []probe.TranscriptLine) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	h := s.accounts[key]
	if h == nil {
		return nil, nil
	}
	for _, r := range slices.Backward(h.recent) {
		if IDOf(r.result) == id {
			return r.result, r.transcript
		}
	}
	if IDOf(h.last) == id {
		return h.last, nil
	}
	return nil, nil
}

// SetAccounts drops the history of all other accounts, and of those whose server has changed. From now on, only Results of
// these accounts are kept.
func (s *Store) SetAccounts(accounts []account.Account) {
	servers := make(map[account.Key]string, len(accounts))
	for i := range accounts {
		servers[accounts[i].Key()] = accounts[i].Server
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.servers = servers
	for key, h := range s.accounts {
		if server, ok := servers[key]; ok && server == h.last.Server {
			continue
		}
		for _, r := range h.recent {
			s.recent.remove(r)
		}
		s.count(h.last, -1)
		delete(s.accounts, key)
	}
}
