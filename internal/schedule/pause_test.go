package schedule

import (
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// unavailableAfter makes a job whose logins the server can't check any more after so many.
func unavailableAfter(r *recorder, name string, interval time.Duration, checked int) Job {
	return r.jobWith(name, "s", interval, func(n int) (time.Duration, Outcome) {
		return time.Second, Outcome{OK: n < checked, Unavailable: n >= checked}
	})
}

// While the server can't check logins, the pauses grow to 15 min. Slots meanwhile are skipped, and nothing is suspended.
func TestPausesGrow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRecorder()
		job := unavailableAfter(r, "a", 10*time.Second, 3)
		job.RetryInterval = 3 * time.Second
		w := begin(t, Options{}, job)
		wait(2 * time.Hour)
		starts := gaps(r.startsOf("a")[3:])
		for i, minutes := range []int{1, 2, 5, 10, 15, 15, 15} {
			pause := time.Duration(minutes) * time.Minute * 9 / 10
			if gap := starts[i]; gap < pause || gap > pause+10*time.Second {
				t.Errorf("after %d failures the pause is %s, want %s", i+1, gap, pause)
			}
		}
		state, _ := w.State("a")
		if state.Suspended || !state.NextLogin.IsZero() {
			t.Errorf("the state is %+v", state)
		}
		if reason := reasonOf(w.Do(t.Context(), "a")); reason != Unavailable {
			t.Errorf("Do is blocked by %q", reason)
		}
		counts := w.Counts()
		checkSum(t, counts)
		if counts.Skipped[Unavailable] != counts.skipped() || counts.Started != uint64(r.count("a")) {
			t.Errorf("counts are %+v of %d runs", counts, r.count("a"))
		}
		runs := r.count("a")
		wait(time.Until(state.NextRun) - time.Millisecond)
		if r.count("a") != runs {
			t.Error("the pause ended before the next run")
		}
		wait(2 * time.Millisecond)
		if r.count("a") != runs+1 {
			t.Errorf("it didn't run at %s", state.NextRun)
		}
	})
}

// One failure doesn't cost a job that runs every minute a slot.
func TestFirstPauseIsShorterThanAMinute(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRecorder()
		job := r.jobWith("a", "s", time.Minute, func(n int) (time.Duration, Outcome) {
			return 5 * time.Second, Outcome{OK: n%3 != 1, Unavailable: n%3 == 1}
		})
		w := begin(t, Options{}, job)
		wait(time.Hour)
		if counts := w.Counts(); counts.skipped() > 0 || counts.Started < 60 {
			t.Errorf("counts are %+v", counts)
		}
	})
}

// A login that is accepted ends all pauses on the server, if it had failed before: the server checks logins again.
func TestFirstSuccessEndsPauses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRecorder()
		var repaired atomic.Bool
		begun := time.Now()
		failingAfter := func(d time.Duration) func(int) (time.Duration, Outcome) {
			return func(int) (time.Duration, Outcome) {
				fails := !repaired.Load() && time.Since(begun) > d
				return time.Second, Outcome{OK: !fails, Unavailable: fails}
			}
		}
		a, b := r.jobWith("a", "s", 10*time.Second, failingAfter(0)), r.jobWith("b", "s", 10*time.Second, failingAfter(7*time.Minute))
		w := begin(t, Options{}, a, b, r.job("healthy", "s", 10*time.Second, time.Second))
		wait(2*time.Hour + 5*time.Minute)
		if n := r.count("a"); n > 14 {
			t.Errorf("%d logins in two hours: those of another account, which the server checks, must not end the pauses", n)
		}
		repaired.Store(true)
		repairedAt, runs := time.Now(), r.count("a")+r.count("b")
		for r.count("a")+r.count("b") == runs {
			wait(time.Second)
		}
		if waited := time.Since(repairedAt); waited > 15*time.Minute {
			t.Errorf("the first login came after %s", waited)
		}
		countA, countB := r.count("a"), r.count("b")
		wait(time.Minute)
		if r.count("a") < countA+5 || r.count("b") < countB+5 {
			t.Errorf("after a success a ran %d times in a minute, b %d times", r.count("a")-countA, r.count("b")-countB)
		}
		repaired.Store(false)
		wait(20 * time.Second)
		countA = r.count("a")
		wait(time.Minute)
		if r.count("a") != countA+1 {
			t.Error("the pauses don't begin with a minute again")
		}
		if state, _ := w.State("a"); w.stateOf("a") != state {
			t.Errorf("the observer was told %+v, the state is %+v", w.stateOf("a"), state)
		}
	})
}

// A caller whose kind of login the server can't check pauses only that kind, and a pause is no rejection.
func TestPauseOfACallersKey(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRecorder()
		w := begin(t, Options{}, r.job("a", "s", 10*time.Second, time.Second))
		wait(time.Minute)
		failing := alwaysEnds(r, "failing", Outcome{Unavailable: true})
		for range 10 * 60 {
			<-w.request(t, "a", "other", failing)
			wait(time.Second)
		}
		if counts := w.Counts(); counts.skipped() > 0 || r.count("failing") != 4 {
			t.Errorf("counts are %+v; the caller logged in %d times in 10 minutes, want 4: at 0, 1, 3 and 8", counts, r.count("failing"))
		}
		if reason := reasonOf(<-w.request(t, "a", "other", failing)); reason != Unavailable {
			t.Errorf("the caller is blocked by %q", reason)
		}
	})
}

// A suspended login that the server can't check is tried again after the pause: it was not rejected once more.
func TestPauseIsNoRejection(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRecorder()
		w := begin(t, Options{}, r.jobWith("a", "s", 10*time.Second, func(n int) (time.Duration, Outcome) {
			return time.Second, Outcome{Rejected: n == 0, Unavailable: n > 0}
		}))
		wait(8 * time.Minute)
		if n := r.count("a"); n != 4 { // Rejected; +1 min unavailable, +1, +2.
			t.Errorf("%d logins in 8 minutes, want 4; after %v", n, since(r.startsOf("a")))
		}
		if state, _ := w.State("a"); !state.Suspended {
			t.Errorf("the state is %+v", state)
		}
	})
}
