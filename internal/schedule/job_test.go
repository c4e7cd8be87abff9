package schedule

import (
	"fmt"
	"testing"
	"time"
)

func newJob(name string, interval time.Duration) *job {
	return &job{Job: Job{Name: name, Interval: interval}, hash: hash(name), server: &server{}}
}

// at returns the time of day of a fixed date.
func at(hour, minute, second int) time.Time {
	return time.Date(2026, 3, 14, hour, minute, second, 0, time.UTC)
}

// The example of the package comment.
func TestFirstSlotsExample(t *testing.T) {
	const interval = 10 * time.Minute
	for _, test := range []struct{ start, first, second, third time.Time }{
		{at(12, 0, 0), at(12, 0, 12), at(12, 7, 12), at(12, 17, 12)},
		{at(12, 4, 0), at(12, 4, 12), at(12, 17, 12), at(12, 27, 12)},
		{at(12, 6, 50), at(12, 7, 12), at(12, 17, 12), at(12, 27, 12)},
	} {
		t.Run(test.start.Format(time.TimeOnly), func(t *testing.T) {
			j := newJob("", interval)
			j.hash = 7*time.Minute + 12*time.Second
			j.slot = j.first(test.start)
			for i, want := range []time.Time{test.first, test.second, test.third} {
				if !j.slot.Equal(want) {
					t.Errorf("slot %d is at %s, want %s", i+1, j.slot.Format(time.TimeOnly), want.Format(time.TimeOnly))
				}
				j.slot = j.next()
			}
		})
	}
}

// What the package comment promises of the first slots holds for any name, interval and start.
func TestFirstSlotsOfAnyJob(t *testing.T) {
	for _, interval := range []time.Duration{time.Second, 7 * time.Second, 30 * time.Second, time.Minute, 10 * time.Minute, time.Hour} {
		for i := range 500 {
			j := newJob(fmt.Sprintf("account-%d", i), interval)
			start := at(12, 0, 0).Add(time.Duration(i) * 1237 * time.Millisecond)

			first := j.first(start)
			if wait := first.Sub(start); wait < 0 || wait >= min(interval, 30*time.Second) {
				t.Errorf("%s every %s: first slot %s after the start", j.Name, interval, wait)
			}
			j.slot = first
			second := j.next()
			if gap := second.Sub(first); gap < interval/2 || gap >= interval*3/2 {
				t.Errorf("%s every %s: second slot %s after the first", j.Name, interval, gap)
			}
			if phase := time.Duration(second.UnixNano()) % interval; phase != j.spread(interval) {
				t.Errorf("%s every %s: second slot at phase %s, want %s", j.Name, interval, phase, j.spread(interval))
			}
			j.slot = second
			if gap := j.next().Sub(second); gap != interval {
				t.Errorf("%s every %s: third slot %s after the second", j.Name, interval, gap)
			}
		}
	}
}

func TestSpreadIsEven(t *testing.T) {
	perSecond := make([]int, 60)
	for i := range 6000 {
		perSecond[newJob(fmt.Sprintf("account-%04d", i), time.Minute).spread(time.Minute)/time.Second]++
	}
	for second, n := range perSecond {
		if n < 60 || n > 140 {
			t.Errorf("%d of 6000 jobs start in second %d, want about 100", n, second)
		}
	}
}

func TestAdvance(t *testing.T) {
	for _, test := range []struct {
		name    string
		failing bool
		now     time.Time
		slot    time.Time
		skipped int
	}{
		{"before the next slot", false, at(12, 0, 59), at(12, 1, 0), 0},
		{"on the next slot", false, at(12, 1, 0), at(12, 1, 0), 0},
		{"after the next slot", false, at(12, 1, 1), at(12, 2, 0), 1},
		{"on the one after", false, at(12, 2, 0), at(12, 2, 0), 1},
		{"after a day asleep", false, at(12, 0, 1).AddDate(0, 0, 1), at(12, 1, 0).AddDate(0, 0, 1), 24 * 60},
		{"failing", true, at(12, 0, 1), at(12, 0, 5), 0},
		{"failing, slowly", true, at(12, 0, 12), at(12, 0, 15), 2},
	} {
		t.Run(test.name, func(t *testing.T) {
			j := newJob("", time.Minute)
			j.hash, j.slot, j.failing, j.RetryInterval = 0, at(12, 0, 0), test.failing, 5*time.Second
			if skipped := j.advance(test.now); skipped != test.skipped || !j.slot.Equal(test.slot) {
				t.Errorf("skipped %d slots to %s, want %d to %s", skipped, j.slot, test.skipped, test.slot)
			}
		})
	}
}

func TestLongRetryIntervalIsIgnored(t *testing.T) {
	j := newJob("", time.Minute)
	j.hash, j.slot, j.failing, j.RetryInterval = 0, at(12, 0, 0), true, time.Hour
	if got, want := j.next(), at(12, 1, 0); !got.Equal(want) {
		t.Errorf("next slot at %s, want %s", got, want)
	}
}
