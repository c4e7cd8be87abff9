package schedule

import (
	"testing"
	"testing/synctest"
	"time"
)

func TestRetryInterval(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRecorder()
		job := r.jobWith("a", "s", time.Minute, func(n int) (time.Duration, Outcome) {
			return time.Second, Outcome{OK: n != 2 && n != 3}
		})
		job.RetryInterval = 7 * time.Second
		runFor(t, 10*time.Minute, Options{}, job)
		got := gaps(r.startsOf("a"))
		if got[1] != time.Minute || got[2] != 7*time.Second || got[3] != 7*time.Second || got[5] != time.Minute {
			t.Errorf("gaps are %v, want 1m 7s 7s … 1m from the second on", got[:6])
		}
		if got[4] < 30*time.Second || got[4] >= 90*time.Second {
			t.Errorf("the gap after recovery is %s", got[4])
		}
		if back := r.startsOf("a")[5].Sub(r.startsOf("a")[2]); back%time.Minute != 0 {
			t.Errorf("after recovery the job is %s from its regular slots", back%time.Minute)
		}
	})
}

// While a failing run takes longer than the RetryInterval, the slots that pass are counted, each once.
func TestSlowRetries(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRecorder()
		job := r.jobWith("a", "s", time.Minute, func(int) (time.Duration, Outcome) { return 12 * time.Second, Outcome{} })
		job.RetryInterval = 5 * time.Second
		w := begin(t, Options{}, job)
		wait(time.Until(w.stateOf("a").NextRun) + 10*time.Minute - time.Second)
		w.stop()
		// The first run fails after 12 s and is not yet a retry; from then on each takes three slots.
		if got := w.Counts(); got.Started != 40 || got.Skipped[Overload] != 39*2 {
			t.Errorf("counts are %+v, want 40 started, 78 skipped", got)
		}
		for i, gap := range gaps(r.startsOf("a")) {
			if gap != 15*time.Second {
				t.Errorf("gap %d is %s, want 15s", i, gap)
			}
		}
	})
}

// A failing run that takes longer than the RetryInterval delays no regular slot.
func TestRetryNeverDelays(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRecorder()
		job := r.jobWith("a", "s", time.Minute, func(n int) (time.Duration, Outcome) {
			return 58 * time.Second, Outcome{OK: n < 3}
		})
		job.RetryInterval = 50 * time.Second
		begin(t, Options{}, job)
		wait(10 * time.Minute)
		if gap := gaps(r.startsOf("a"))[3]; gap != time.Minute {
			t.Errorf("the run after the first failure began after %s", gap)
		}
	})
}

// A slot that passed during a run isn't counted again when the run returns the job to its regular slots.
func TestSlotAtTheEndOfARetryIsCountedOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRecorder()
		job := r.jobWith("a", "s", 10*time.Second, func(n int) (time.Duration, Outcome) {
			switch n {
			case 2:
				return time.Second, Outcome{}
			case 3: // At +5 s, until +10 s, where both a retry and a regular slot are.
				return 5 * time.Second, Outcome{OK: true}
			}
			return time.Second, Outcome{OK: true}
		})
		job.RetryInterval = 5 * time.Second
		w := begin(t, Options{}, job)
		wait(time.Minute)
		if gap := gaps(r.startsOf("a"))[3]; gap != 15*time.Second || w.Counts().Skipped[Overload] != 1 {
			t.Errorf("the run after the last retry began after %s; counts are %+v", gap, w.Counts())
		}
	})
}
