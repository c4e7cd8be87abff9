package history

import (
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"imap-exporter/probe"
)

// begin is when the first probe of a test starts.
var begin = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)

// result is the n-th probe of an account, failed for a reason or, with "", successful.
func result(account string, n int, reason probe.Reason) *probe.Result {
	r := &probe.Result{Account: account, Start: begin.Add(time.Duration(n) * time.Minute)}
	if reason != "" {
		r.Err = &probe.Error{Phase: probe.PhaseAuth, Reason: reason}
	}
	return r
}

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
	fresh := result("a", 60, "")
	s.Add(fresh)
	if got := s.Last("a"); got != fresh {
		t.Errorf("Last = the probe at minute %v, want the one at 60", minutes([]*probe.Result{got}))
	}
	if got := minutes(s.Recent("a")); !slices.Equal(got, []int{60, 0}) {
		t.Errorf("Recent = %v, want the newest first: [60 0]", got)
	}
}

func TestTheClockMayStepBack(t *testing.T) {
	s := New(Limits{})
	s.Add(result("a", 60, ""))
	s.Add(result("a", 0, probe.ReasonTimeout))
	if got := s.Last("a"); got.OK() {
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
	if got, want := minutes(s.Recent("a")), []int{99, 98, 97, 50, 7}; !slices.Equal(got, want) {
		t.Errorf("Recent = %v, want %v", got, want)
	}
}

func TestNothingRecentIsKeptWithoutLimits(t *testing.T) {
	s := New(Limits{})
	s.Add(result("a", 0, ""))
	s.Add(result("a", 1, probe.ReasonBye))
	if got := s.Recent("a"); len(got) != 0 {
		t.Errorf("Recent = %v, want none", minutes(got))
	}
	if s.Last("a") == nil {
		t.Error("Last is gone")
	}
}

func TestLastSuccessOutlivesItsResult(t *testing.T) {
	s := New(Limits{Failures: 1})
	if got := s.LastSuccess("a"); !got.IsZero() {
		t.Errorf("LastSuccess of an unknown account = %v, want zero", got)
	}
	s.Add(result("a", 0, probe.ReasonDNS))
	if got := s.LastSuccess("a"); !got.IsZero() {
		t.Errorf("LastSuccess before any success = %v, want zero", got)
	}
	s.Add(result("a", 1, ""))
	s.Add(result("a", 2, probe.ReasonDNS))
	s.Add(result("a", 3, probe.ReasonDNS))
	if got, want := s.LastSuccess("a"), begin.Add(time.Minute); !got.Equal(want) {
		t.Errorf("LastSuccess = %v, want %v", got, want)
	}
}

func TestCanceledIsNotKept(t *testing.T) {
	s := New(Limits{Failures: 1})
	if s.Add(result("a", 0, probe.ReasonCanceled)) {
		t.Error("Add of a canceled Result = true")
	}
	if s.Last("a") != nil || len(s.Recent("a")) != 0 || len(s.Latest()) != 0 {
		t.Error("a canceled Result was kept")
	}
	if !s.Add(result("a", 1, probe.ReasonDNS)) {
		t.Error("Add of a failed Result = false")
	}
}

func TestLatestIsSorted(t *testing.T) {
	s := New(Limits{})
	for _, name := range []string{"c", "a", "b"} {
		s.Add(result(name, 0, probe.ReasonDNS))
		s.Add(result(name, 1, ""))
	}
	var got []string
	for _, r := range s.Latest() {
		got = append(got, fmt.Sprint(r.Account, r.OK()))
	}
	if want := []string{"atrue", "btrue", "ctrue"}; !slices.Equal(got, want) {
		t.Errorf("Latest = %v, want %v", got, want)
	}
}

func TestForgetAndKeep(t *testing.T) {
	s := New(Limits{Successes: 1})
	for _, name := range []string{"a", "b", "c"} {
		s.Add(result(name, 0, ""))
	}
	s.Forget("a")
	s.Keep([]string{"c", "d"})
	for _, name := range []string{"a", "b", "d"} {
		if s.Last(name) != nil || s.Recent(name) != nil || !s.LastSuccess(name).IsZero() {
			t.Errorf("account %s is still known", name)
		}
	}
	if got := s.Latest(); len(got) != 1 || got[0].Account != "c" {
		t.Errorf("Latest = %v, want the one of c", got)
	}
}

func TestRecentIsTheCallersOwn(t *testing.T) {
	s := New(Limits{Successes: 2})
	s.Add(result("a", 0, ""))
	s.Add(result("a", 1, ""))
	s.Recent("a")[0] = nil
	if got := minutes(s.Recent("a")); !slices.Equal(got, []int{1, 0}) {
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
				s.Recent(name)
				s.Latest()
				s.LastSuccess(name)
				if n%50 == 49 {
					s.Keep([]string{name})
				}
			}
		})
	}
	wg.Wait()
}
