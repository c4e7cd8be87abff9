package schedule

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"
)

func TestDoRunsNow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRecorder()
		w := begin(t, Options{}, r.job("on demand", "s", 0, time.Second), r.job("a", "s", 10*time.Minute, time.Second))
		begun := time.Now()
		if err := w.Do(t.Context(), "on demand"); err != nil || time.Since(begun) != time.Second {
			t.Errorf("%v after %s, want nil after the run", err, time.Since(begun))
		}
		if state, ok := w.State("on demand"); !ok || state != (State{}) {
			t.Errorf("the state is %+v, %t", state, ok)
		}
		if err := w.Do(t.Context(), "b"); !errors.Is(err, ErrUnknown) {
			t.Errorf("%v for an unknown job", err)
		}
		if counts := w.Counts(); counts.Scheduled != 0 {
			t.Errorf("counts are %+v, want none: it was no slot", counts)
		}
	})
}

// A run for Do postpones the next slot like any run: it is the first one at least half an interval later.
func TestDoPostponesTheNextSlot(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRecorder()
		w := begin(t, Options{}, r.job("a", "s", 10*time.Minute, time.Second))
		wait(time.Hour)
		for _, before := range []time.Duration{time.Minute, 9 * time.Minute} {
			state, _ := w.State("a")
			wait(time.Until(state.NextRun) - before)
			if err := w.Do(t.Context(), "a"); err != nil {
				t.Error(err)
			}
			want := state.NextRun
			if before < 5*time.Minute {
				want = want.Add(10 * time.Minute)
			}
			if got, _ := w.State("a"); !got.NextRun.Equal(want) {
				t.Errorf("%s before the slot: the next run is at %s, want %s", before, got.NextRun, want)
			}
			wait(time.Until(want) + time.Minute)
		}
		w.stop()
		if counts := w.Counts(); counts.Started != uint64(r.count("a")-2) || counts.skipped() != 0 {
			t.Errorf("counts are %+v of %d runs, 2 by Do", counts, r.count("a"))
		}
	})
}

// Callers join the run under way, or the one that waits: a job never runs twice at a time.
func TestDoJoins(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRecorder()
		w := begin(t, Options{MaxConcurrent: 1}, r.job("a", "s", 0, 10*time.Second), r.job("b", "s", 10*time.Second, time.Second))
		results := make(chan error, 10)
		for range 5 {
			go func() { results <- w.Do(t.Context(), "a") }()
			synctest.Wait()
			go func() { results <- w.Do(t.Context(), "b") }()
			wait(time.Second)
		}
		for range 10 {
			if err := <-results; err != nil {
				t.Error(err)
			}
		}
		if r.most("") != 1 || r.count("a") != 1 || r.count("b") != 1 {
			t.Errorf("%d runs at once, %d of a, %d of b", r.most(""), r.count("a"), r.count("b"))
		}
		if len(w.delaysOf("b")) > 0 && w.delay("b") == 0 {
			t.Error("the slot of b came while it waited, and had no delay")
		}
	})
}

// A slot that comes while its job waits to run for Do is served by that run.
func TestSlotJoinsDo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRecorder()
		w := begin(t, Options{MaxConcurrent: 1}, r.job("a", "s", time.Minute, time.Second), r.job("long", "s", 0, 30*time.Second))
		wait(10 * time.Minute)
		count, counts := r.count("a"), w.Counts()
		state, _ := w.State("a")
		wait(time.Until(state.NextRun) - 10*time.Second)
		go func() { _ = w.Do(t.Context(), "long") }()
		wait(time.Second)
		if err := w.Do(t.Context(), "a"); err != nil {
			t.Error(err)
		}
		if got := w.Counts(); r.count("a") != count+1 || got.Started != counts.Started+1 || w.delay("a") != 20*time.Second {
			t.Errorf("%d runs with a delay of %s, counts are %+v", r.count("a")-count, w.delay("a"), got)
		}
	})
}

// A caller that joins a slot that waits doesn't hide its delay.
func TestDoJoinsSlot(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRecorder()
		w := begin(t, Options{MaxConcurrent: 1}, r.job("a", "s", time.Hour, time.Second), r.job("long", "s", 0, time.Minute))
		go func() { _ = w.Do(t.Context(), "long") }()
		wait(40 * time.Second)
		if err := w.Do(t.Context(), "a"); err != nil || w.delay("a") < 30*time.Second || w.Counts().Started != 1 {
			t.Errorf("%v, delay %s, counts are %+v", err, w.delay("a"), w.Counts())
		}
	})
}

// A slot that waits is served although a caller that joined it gives up.
func TestDoGivesUpASlot(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRecorder()
		w := begin(t, Options{MaxConcurrent: 1}, r.job("a", "s", time.Hour, time.Second), r.job("long", "s", 0, time.Minute))
		go func() { _ = w.Do(t.Context(), "long") }()
		wait(40 * time.Second)
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if err := w.Do(ctx, "a"); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("%v, want a deadline", err)
		}
		wait(20 * time.Second)
		if r.count("a") != 1 {
			t.Error("the slot wasn't served")
		}
	})
}

// Callers that still wait when the schedule stops get an error.
func TestDoAtTheStop(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRecorder()
		w := begin(t, Options{MaxConcurrent: 1, Grace: time.Second}, r.job("a", "s", 0, time.Minute), r.job("b", "s", 0, time.Minute))
		results := make(chan error, 2)
		for _, name := range []string{"a", "b"} {
			go func() { results <- w.Do(t.Context(), name) }()
		}
		wait(time.Second)
		w.stop()
		for range 2 {
			if err := <-results; !errors.Is(err, ErrCanceled) {
				t.Errorf("Do returned %v", err)
			}
		}
	})
}

// A job doesn't run if its only caller has given up waiting.
func TestDoGivesUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRecorder()
		w := begin(t, Options{MaxConcurrent: 1}, r.job("a", "s", 0, time.Minute), r.job("b", "s", 0, time.Second))
		go func() { _ = w.Do(t.Context(), "a") }()
		wait(time.Second)
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		if err := w.Do(ctx, "b"); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("%v, want a deadline", err)
		}
		wait(time.Hour)
		if r.count("b") != 0 {
			t.Error("it was run for nobody")
		}
		if err := w.Do(t.Context(), "b"); err != nil || r.count("b") != 1 {
			t.Errorf("%v, %d runs", err, r.count("b"))
		}
	})
}

// Do doesn't run jobs that are suspended or throttled, or whose server has its cooldown.
func TestDoIsBlocked(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRecorder()
		secret := "old"
		wrong := rejects(r, "wrong", 0, 0)
		wrong.Secret = func() string { return secret }
		throttled := r.jobWith("throttled", "t", 0, func(int) (time.Duration, Outcome) {
			return time.Second, Outcome{Throttled: true, Backoff: 7 * time.Minute}
		})
		w := begin(t, Options{}, wrong, throttled, r.job("other", "s", 0, time.Second))
		check := func(name string, reason Reason, atLeast, atMost time.Duration) {
			t.Helper()
			_, err := w.Schedule.Do(t.Context(), Request{Name: name, StartBy: time.Now().Add(time.Second)})
			blocked, ok := errors.AsType[*BlockedError](err)
			if !ok {
				t.Fatalf("Do(%s) = %v, want it blocked", name, err)
			}
			if until := time.Until(blocked.Until); blocked.Reason != reason || until < atLeast || until > atMost {
				t.Errorf("%s is blocked for %s: %v; want %s for %s to %s", name, until, blocked, reason, atLeast, atMost)
			}
		}
		for _, name := range []string{"wrong", "throttled"} {
			if err := w.Do(t.Context(), name); err != nil {
				t.Error(err)
			}
		}
		check("throttled", Throttled, 7*time.Minute, 7*time.Minute)
		check("other", Cooldown, 14*time.Second-time.Second, 15*time.Second)
		wait(cooldown)
		check("wrong", Backoff, 38*time.Second, 51*time.Second)
		if err := w.Do(t.Context(), "other"); err != nil {
			t.Error(err)
		}
		secret = "new"
		if err := w.Do(t.Context(), "wrong"); err != nil || r.count("wrong") != 2 {
			t.Errorf("%v with a new secret, %d runs", err, r.count("wrong"))
		}
		wait(time.Minute + 10*time.Second)
		if err := w.Do(t.Context(), "wrong"); err != nil || r.count("wrong") != 3 {
			t.Errorf("%v after a minute, %d runs", err, r.count("wrong"))
		}
	})
}

func TestBlockedErrorSaysWhy(t *testing.T) {
	for reason, want := range map[Reason]string{
		Backoff:   "the server rejected the last login: no other until 2026-03-14T12:00:00Z, so that the account isn't locked; correct the secret to end this",
		Throttled: "the server asked us to wait: no login until 2026-03-14T12:00:00Z",
		Cooldown:  "the server rejected a login just now: no other until 2026-03-14T12:00:00Z, because it would be delayed",
	} {
		if got := (&BlockedError{Until: at(12, 0, 0), Reason: reason}).Error(); got != want {
			t.Errorf("%s: %s", reason, got)
		}
	}
}

func TestDoAroundRun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRecorder()
		s := New(Options{Grace: time.Second})
		s.Set([]Job{r.job("a", "s", 0, 10*time.Second)})
		ctx, cancel := context.WithCancel(t.Context())
		results := make(chan error, 1)
		go func() {
			_, err := s.Do(t.Context(), Request{Name: "a"})
			results <- err
		}()
		wait(time.Second) // It waits for Run.
		go func() {
			<-time.After(2 * time.Second)
			cancel()
		}()
		s.Run(ctx)
		if err := <-results; !errors.Is(err, ErrCanceled) {
			t.Errorf("%v, of a run that was cut short", err)
		}
		if _, err := s.Do(t.Context(), Request{Name: "a"}); !errors.Is(err, ErrCanceled) {
			t.Errorf("%v after the end", err)
		}
		s.Set(nil)
		if _, ok := s.State("a"); !ok {
			t.Error("Set after the end did something")
		}
	})
}

// A run that can't start by StartBy fails; one that has started is waited for.
func TestStartBy(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRecorder()
		w := begin(t, Options{MaxConcurrent: 1}, r.job("a", "s", 0, time.Minute), r.job("b", "s", 0, time.Second))
		do := func(name string) error {
			_, err := w.Schedule.Do(t.Context(), Request{Name: name, StartBy: time.Now().Add(5 * time.Second)})
			return err
		}
		long := make(chan error, 1)
		go func() { long <- do("a") }()
		synctest.Wait()
		begun := time.Now()
		if err := do("b"); !errors.Is(err, ErrNoRoom) || time.Since(begun) != 5*time.Second {
			t.Errorf("%v after %s, want no room after 5s", err, time.Since(begun))
		}
		if err := <-long; err != nil || r.count("b") != 0 {
			t.Errorf("%v from what had started, %d runs of what nobody wanted", err, r.count("b"))
		}
	})
}
