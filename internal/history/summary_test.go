package history

import (
	"math"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"imap-exporter/probe"
)

func TestEveryPhaseHasRoom(t *testing.T) {
	if n := len(probe.IMAP.Phases); n > maxPhases {
		t.Errorf("%d phases, and a summary has room for %d", n, maxPhases)
	}
}

func TestCompactDurations(t *testing.T) {
	if compactDuration(0) == newCompactDuration(0) {
		t.Error("a phase that took no time is none")
	}
	for _, us := range []uint64{0, 1, 2, 999, 2047, 2048, 2049, 4095, 4097, 12345, 1e6, 3e6 + 1, 59_999_999, 6e8, 1 << 40} {
		d := time.Duration(us) * time.Microsecond
		got := newCompactDuration(d).expand()
		if diff := math.Abs(float64(got - d)); diff > 0.0005*float64(d) {
			t.Errorf("%v comes back as %v", d, got)
		}
	}
	if newCompactDuration(-time.Second).expand() != 0 {
		t.Error("a clock that was set back makes a phase negative")
	}
	if newCompactDuration(math.MaxInt64).expand() < time.Hour {
		t.Error("the longest duration comes back as a short one")
	}
}

func TestSummaries(t *testing.T) {
	s := New(Limits{Summaries: 3})
	if got := s.Summaries(key("a")); len(got) != 0 {
		t.Errorf("Summaries of an unknown account: %v", got)
	}
	for n := range 4 {
		s.Add(result("a", n, ""))
	}
	failed := result("a", 4, probe.ReasonRejected)
	failed.Duration = 1234567 * time.Nanosecond
	failed.Phases = []probe.Timing{
		{Phase: probe.PhaseConnect, Duration: 2 * time.Millisecond, OK: true}, {Phase: probe.PhaseAuth, Duration: 1024 * time.Millisecond},
	}
	s.Add(failed)
	at := func(n int) time.Time { return begin.Add(time.Duration(n) * time.Minute) }
	want := []Summary{
		{ID: at(2).UnixMilli(), Start: at(2)},
		{ID: at(3).UnixMilli(), Start: at(3)},
		{
			ID: IDOf(failed), Start: at(4), Duration: 1230 * time.Microsecond, Phase: probe.PhaseAuth, Reason: probe.ReasonRejected,
			Phases: failed.Phases,
		},
	}
	if diff := cmp.Diff(want, s.Summaries(key("a")), cmp.Comparer(time.Time.Equal)); diff != "" {
		t.Errorf("Summaries (-want +got):\n%s", diff)
	}
	if n := cap(s.accounts[key("a")].summaries); n > 3 {
		t.Errorf("there is room for %d summaries", n)
	}
}

func TestMedianDuration(t *testing.T) {
	var summaries []Summary
	if got := MedianDuration(summaries); got != 0 {
		t.Errorf("MedianDuration of nothing is %v", got)
	}
	for _, d := range []time.Duration{30 * time.Millisecond, 10 * time.Millisecond, 9 * time.Second, 20 * time.Millisecond} {
		summaries = append(summaries, Summary{Duration: d})
	}
	summaries = append(summaries, Summary{Duration: time.Millisecond, Reason: probe.ReasonRefused})
	if got := MedianDuration(summaries); got != 20*time.Millisecond {
		t.Errorf("MedianDuration is %v, want 20ms", got)
	}
}
