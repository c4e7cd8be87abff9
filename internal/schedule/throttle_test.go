package schedule

import (
	"testing"
	"testing/synctest"
	"time"
)

// A throttled job doesn't log in for the time that the server named, an hour at most. Other jobs go on.
func TestThrottled(t *testing.T) {
	for _, test := range []struct{ asks, lasts time.Duration }{
		{0, 5 * time.Minute},
		{299961 * time.Millisecond, 299961 * time.Millisecond},
		{45 * time.Minute, 45 * time.Minute},
		{1e12 * time.Millisecond / 1000, time.Hour},
		{-time.Second, 5 * time.Minute},
	} {
		synctest.Test(t, func(t *testing.T) {
			r := newRecorder()
			job := r.jobWith("a", "s", 10*time.Second, func(n int) (time.Duration, Outcome) {
				return time.Second, Outcome{OK: n != 3, Throttled: n == 3, Backoff: test.asks}
			})
			job.RetryInterval = 3 * time.Second
			w := begin(t, Options{}, job, r.job("b", "s", 10*time.Second, time.Second))
			wait(50 * time.Second)
			state, _ := w.State("a")
			wait(2 * time.Hour)
			w.stop()
			gap := r.startsOf("a")[4].Sub(r.startsOf("a")[3]) - time.Second
			if gap < test.lasts || gap >= test.lasts+10*time.Second {
				t.Errorf("asked for %s: throttled for %s, want %s", test.asks, gap, test.lasts)
			}
			if !state.NextRun.Equal(r.startsOf("a")[4]) || state.Suspended {
				t.Errorf("asked for %s: the state was %+v, the next run at %s", test.asks, state, r.startsOf("a")[4])
			}
			counts := w.Counts()
			if want := uint64((test.lasts + time.Second) / (10 * time.Second)); counts.Skipped[Throttled] != want {
				t.Errorf("asked for %s: %d slots skipped, want %d", test.asks, counts.Skipped[Throttled], want)
			}
			if counts.Skipped[Overload]+counts.Skipped[Backoff] != 0 {
				t.Errorf("asked for %s: counts are %+v", test.asks, counts)
			}
		})
	}
}
