package schedule

import (
	"errors"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// reusable makes a job without an interval whose outcomes may be reused for a time, and report their number.
func reusable(r *recorder, name string, takes, reuseFor time.Duration, o Outcome) Job {
	return r.jobWith(name, "s", 0, func(n int) (time.Duration, Outcome) {
		o.Report, o.ReuseFor = n, reuseFor
		return takes, o
	})
}

// However many callers ask, one after another, a job runs once in the time for which its outcome may be reused.
func TestOutcomeIsReused(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRecorder()
		w := begin(t, Options{}, reusable(r, "a", time.Second, 5*time.Second, Outcome{OK: true}))
		begun := time.Now()
		answers := map[any]int{}
		for time.Since(begun) < 18*time.Second { // A run of 1 s, reused for 5 s, three times.
			outcome, err := w.Schedule.Do(t.Context(), Request{Name: "a"})
			if err != nil {
				t.Fatal(err)
			}
			answers[outcome.Report]++
			wait(10 * time.Millisecond)
		}
		if r.count("a") != 3 || answers[0] < 400 || answers[1] < 400 || answers[2] < 400 {
			t.Errorf("%d runs in 18 s, answers by run: %v", r.count("a"), answers)
		}
	})
}

// An outcome is reused only for requests with the same key, and not for those that want one of a run that ended later.
func TestOutcomeIsReusedForTheSameRequest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRecorder()
		job := reusable(r, "a", time.Second, 5*time.Second, Outcome{OK: true})
		w := begin(t, Options{}, job)
		for i, test := range []struct {
			request Request
			runs    int
		}{
			{Request{Name: "a"}, 1},
			{Request{Name: "a"}, 1},
			{Request{Name: "a", Key: "other", Run: job.Run}, 2},
			{Request{Name: "a"}, 2},
			{Request{Name: "a", EndedAfter: time.Now().Add(time.Hour)}, 3},
			{Request{Name: "a", EndedAfter: time.Now()}, 3},
			{Request{Name: "a"}, 3},
		} {
			if _, err := w.Schedule.Do(t.Context(), test.request); err != nil {
				t.Error(err)
			}
			if n := r.count("a"); n != test.runs {
				t.Errorf("request %d: %d runs, want %d", i, n, test.runs)
			}
		}
	})
}

// What is reused is forgotten in time, with its job, and when the job changes.
func TestReusableOutcomesAreForgotten(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRecorder()
		job := reusable(r, "a", time.Second, 5*time.Second, Outcome{OK: true})
		w := begin(t, Options{}, job, reusable(r, "b", time.Second, 20*time.Second, Outcome{OK: true}))
		left := func() (n int) {
			w.update(func(time.Time) { n = len(w.reusable.items) + len(w.jobs["b"].reusable) })
			return n
		}
		for _, name := range []string{"a", "b"} {
			if err := w.Do(t.Context(), name); err != nil {
				t.Error(err)
			}
		}
		w.Set([]Job{job, reusable(r, "b", time.Second, 20*time.Second, Outcome{OK: true})})
		if err := w.Do(t.Context(), "b"); err != nil || r.count("b") != 2 {
			t.Errorf("%v, %d runs: a reload must not leave old outcomes", err, r.count("b"))
		}
		if n := left(); n != 2 {
			t.Errorf("%d are remembered, want that of b", n)
		}
		wait(20*time.Second + maxTimer)
		if n := left(); n != 0 {
			t.Errorf("%d are remembered after a minute", n)
		}
		_ = w.Do(t.Context(), "a")
		w.Set(nil)
		if len(w.reusable.items) != 0 {
			t.Error("that of a removed job is remembered")
		}
	})
}

// An outcome that nobody asked for, one that must not be reused, and that of a canceled run aren't remembered.
func TestWhatIsNotReused(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRecorder()
		slots := reusable(r, "slots", time.Second, time.Hour, Outcome{OK: true})
		slots.Interval = 10 * time.Second
		w := begin(t, Options{}, slots, reusable(r, "never", time.Second, 0, Outcome{OK: true}),
			reusable(r, "canceled", time.Second, time.Minute, Outcome{Canceled: true}))
		wait(time.Minute)
		for range 2 {
			if err := w.Do(t.Context(), "never"); err != nil {
				t.Error(err)
			}
			if err := w.Do(t.Context(), "canceled"); !errors.Is(err, ErrCanceled) {
				t.Error(err)
			}
		}
		unconfigured := reusable(r, "unconfigured", time.Second, time.Minute, Outcome{OK: true})
		for range 2 {
			if _, err := w.Schedule.Do(t.Context(), Request{UnconfiguredServer: "s", Run: unconfigured.Run, NoLogin: true}); err != nil {
				t.Error(err)
			}
		}
		if len(w.reusable.items) != 0 || r.count("unconfigured") != 2 || r.count("never") != 2 || r.count("canceled") != 2 {
			t.Errorf("%d outcomes are remembered, %d and %d runs", len(w.reusable.items), r.count("never"), r.count("canceled"))
		}
	})
}

// A suspended or paused job is blocked although it has an outcome, so that its caller learns why; a new secret is tried.
func TestBlockedDespiteOutcome(t *testing.T) {
	for _, outcome := range []Outcome{{Rejected: true}, {Unavailable: true}, {Throttled: true}} {
		synctest.Test(t, func(t *testing.T) {
			r := newRecorder()
			var secret atomic.Value
			secret.Store("old")
			job := reusable(r, "a", time.Second, time.Minute, outcome)
			job.Secret = func() string { return secret.Load().(string) }
			w := begin(t, Options{}, job)
			if err := w.Do(t.Context(), "a"); err != nil {
				t.Error(err)
			}
			if reason := reasonOf(w.Do(t.Context(), "a")); reason == "" || reason == Cooldown {
				t.Errorf("%+v: blocked by %q", outcome, reason)
			}
			secret.Store("new")
			if err := w.Do(t.Context(), "a"); outcome.Rejected && (err != nil || r.count("a") != 2) {
				t.Errorf("%v, %d runs: the new secret wasn't tried", err, r.count("a"))
			}
		})
	}
}

// Whoever may ignore pauses doesn't wait for the end of one, but of every other block.
func TestIgnorePause(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRecorder()
		w := begin(t, Options{}, unavailableAfter(r, "a", 0, 0), rejects(r, "b", 0, 0))
		do := func(name string) error {
			_, err := w.Schedule.Do(t.Context(), Request{Name: name, IgnorePause: true})
			return err
		}
		for range 3 {
			if err := do("a"); err != nil {
				t.Error(err)
			}
		}
		if err := do("b"); err != nil || reasonOf(do("b")) != Backoff || r.count("a") != 3 {
			t.Errorf("%v, %d runs of a", err, r.count("a"))
		}
	})
}
