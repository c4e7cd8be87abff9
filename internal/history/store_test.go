package history

import (
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"imap-exporter/internal/account"
	"imap-exporter/probe"
)

// begin is when the first probe of a test starts.
var begin = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)

// result is the n-th probe of an account, failed for a reason or, with "", successful.
func result(name string, n int, reason probe.Reason) *probe.Result {
	r := &probe.Result{Account: name, Start: begin.Add(time.Duration(n) * time.Minute)}
	if reason != "" {
		r.Err = &probe.Error{Phase: probe.PhaseAuth, Reason: reason}
	}
	return r
}

// key is that of an account.
func key(name string) account.Key { return account.Key{Account: name, Service: probe.IMAP.Name} }

// minutes gives the Results' starts in minutes after begin.
func minutes(results []*probe.Result) []int {
	var at []int
	for _, r := range results {
		at = append(at, int(r.Start.Sub(begin)/time.Minute))
	}
	return at
}

func TestLastIsTheNewest(t *testing.T) {
	s := New(Limits{Successes: 2, Failures: 2})
	s.Add(result("a", 0, probe.ReasonTimeout))
	s.Add(result("a", 60, ""))
	if got := s.Last(key("a")); !got.Start.Equal(begin.Add(time.Hour)) {
		t.Errorf("Last = the probe at minute %v, want the one at 60", minutes([]*probe.Result{got}))
	}
	if got := minutes(s.Recent(key("a"))); !slices.Equal(got, []int{60, 0}) {
		t.Errorf("Recent = %v, want the newest first: [60 0]", got)
	}
}

func TestTheClockMayStepBack(t *testing.T) {
	s := New(Limits{})
	s.Add(result("a", 60, ""))
	s.Add(result("a", 0, probe.ReasonTimeout))
	if got := s.Last(key("a")); got.OK() {
		t.Error("Last is the one with the later start, want the one added last")
	}
}

func TestFailuresOutliveSuccesses(t *testing.T) {
	s := New(Limits{Successes: 3, Failures: 2})
	for n := range 100 {
		reason := probe.Reason("")
		if n == 5 || n == 7 || n == 50 {
			reason = probe.ReasonTimeout
		}
		s.Add(result("a", n, reason))
	}
	if got, want := minutes(s.Recent(key("a"))), []int{99, 98, 97, 50, 7}; !slices.Equal(got, want) {
		t.Errorf("Recent = %v, want %v", got, want)
	}
}

func TestNothingRecentIsKeptWithoutLimits(t *testing.T) {
	s := New(Limits{})
	s.Add(result("a", 0, ""))
	s.Add(result("a", 1, probe.ReasonBye))
	if got := s.Recent(key("a")); len(got) != 0 {
		t.Errorf("Recent = %v, want none", minutes(got))
	}
	if s.Last(key("a")) == nil {
		t.Error("Last is gone")
	}
}

func TestCanceledIsNotKept(t *testing.T) {
	s := New(Limits{Failures: 1})
	if _, kept := s.Add(result("a", 0, probe.ReasonCanceled)); kept != nil {
		t.Error("Add kept a canceled Result")
	}
	if s.Last(key("a")) != nil || len(s.Recent(key("a"))) != 0 || s.Counts() != (Counts{}) {
		t.Error("a canceled Result was kept")
	}
	if _, kept := s.Add(result("a", 1, probe.ReasonDNS)); kept == nil {
		t.Error("Add didn't keep a failed Result")
	}
}

func TestAddReturnsThePreviousOne(t *testing.T) {
	s := New(Limits{})
	first, second := result("a", 0, probe.ReasonDNS), result("a", 1, "")
	previous, kept := s.Add(first)
	if previous != nil || kept != s.Last(key("a")) || !kept.Start.Equal(first.Start) {
		t.Errorf("the first Add returns %v, %v", previous, kept)
	}
	if before, last := s.Add(second); before != kept || last != s.Last(key("a")) || !last.Start.Equal(second.Start) {
		t.Errorf("the second Add returns %v, %v", before, last)
	}
}

// The history of a removed account is dropped, and a probe that was running when it was removed doesn't count.
// The same holds for one that moved to another server.
func TestSetAccounts(t *testing.T) {
	s := New(Limits{Successes: 1})
	for _, name := range []string{"gone", "moved", "stays"} {
		s.Add(result(name, 0, ""))
	}
	s.SetAccounts([]account.Account{{Name: "stays"}, {Name: "moved", Server: "elsewhere"}, {Name: "new"}})
	for _, name := range []string{"gone", "moved", "new"} {
		if s.Last(key(name)) != nil || s.Recent(key(name)) != nil {
			t.Errorf("account %s is still known", name)
		}
	}
	for name, counts := range map[string]bool{"gone": false, "moved": false, "stays": true, "new": true} {
		if _, kept := s.Add(result(name, 1, "")); (kept != nil) != counts {
			t.Errorf("a later Result of account %s: kept %v", name, kept)
		}
	}
	if got := s.Counts(); got != (Counts{OK: 2}) {
		t.Errorf("counts %+v", got)
	}
}

func TestRecentIsTheCallersOwn(t *testing.T) {
	s := New(Limits{Successes: 2})
	s.Add(result("a", 0, ""))
	s.Add(result("a", 1, ""))
	s.Recent(key("a"))[0] = nil
	if got := minutes(s.Recent(key("a"))); !slices.Equal(got, []int{1, 0}) {
		t.Errorf("Recent = %v, want [1 0]", got)
	}
}

func TestConcurrentUse(t *testing.T) {
	s := New(Limits{Successes: 2, Failures: 2})
	var wg sync.WaitGroup
	for worker := range 4 {
		wg.Go(func() {
			name := fmt.Sprint("account", worker)
			for n := range 200 {
				s.Add(result(name, n, ""))
				s.Recent(key(name))
				s.Last(key(name))
				if n%50 == 49 {
					s.SetAccounts([]account.Account{{Name: name}})
				}
			}
		})
	}
	wg.Wait()
}
