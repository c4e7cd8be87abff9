package schedule

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"
)

// Reloads without changes change nothing, whenever they come: the runs start as on a schedule without reloads.
func TestReloadChangesNothing(t *testing.T) {
	starts := func(reload time.Duration) (all map[string][]time.Time, counts Counts) {
		synctest.Test(t, func(t *testing.T) {
			r := newRecorder()
			var jobs []Job
			for i := range 20 {
				job := r.jobWith(fmt.Sprintf("job-%d", i), fmt.Sprintf("server-%d", i%4), 10*time.Second, func(n int) (time.Duration, Outcome) {
					// Some hang, some fail, some are rejected, some are throttled.
					return time.Duration(1+(n*i)%12) * 990 * time.Millisecond,
						Outcome{OK: n%5 > 1, Rejected: i%7 == 0 && n%9 < 2, Throttled: i%5 == 0 && n%11 == 0}
				})
				job.RetryInterval = 3 * time.Second
				jobs = append(jobs, job)
			}
			w := begin(t, Options{MaxConcurrent: 6}, jobs...)
			for stop := time.Now().Add(2 * time.Hour); time.Now().Before(stop); {
				wait(reload)
				w.Set(jobs)
			}
			w.stop()
			all, counts = r.starts, w.Counts()
			checkSum(t, counts)
		})
		return all, counts
	}
	undisturbed, undisturbedCounts := starts(2 * time.Hour)
	reloaded, reloadedCounts := starts(7200 * time.Millisecond)
	for name, want := range undisturbed {
		if fmt.Sprint(reloaded[name]) != fmt.Sprint(want) {
			t.Errorf("%s ran %d times with reloads, %d times without", name, len(reloaded[name]), len(want))
		}
	}
	if fmt.Sprint(reloadedCounts) != fmt.Sprint(undisturbedCounts) {
		t.Errorf("counts are %+v with reloads, %+v without", reloadedCounts, undisturbedCounts)
	}
}

// After a reload the new Run and the new Secret are used, and the new Secret ends a suspension.
func TestReloadBringsNewRunAndSecret(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRecorder()
		job := rejects(r, "a", 10*time.Second, 0)
		job.Secret = func() string { return "old" }
		w := begin(t, Options{}, job)
		wait(time.Hour)
		count := r.count("a")
		better := r.job("a", "s", 10*time.Second, time.Second)
		better.Secret = func() string { return "old" }
		w.Set([]Job{better})
		wait(time.Minute)
		if r.count("a") != count {
			t.Fatalf("the reload ended the suspension")
		}
		better.Secret = func() string { return "new" }
		w.Set([]Job{better})
		wait(10 * time.Second)
		if state, _ := w.State("a"); r.count("a") != count+1 || state.Suspended {
			t.Errorf("%d runs after the reload, %+v", r.count("a")-count, state)
		}
	})
}

// A new job has its first slot within 30 s, and so has one with another interval; all others keep theirs.
func TestReloadAddsAndChanges(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRecorder()
		old, changed := r.job("old", "s", 10*time.Minute, time.Second), r.job("changed", "s", 10*time.Minute, time.Second)
		w := begin(t, Options{}, old, changed)
		wait(33 * time.Minute)
		changed.Interval = time.Hour
		reloaded := time.Now()
		w.Set([]Job{old, changed, r.job("new", "s", 10*time.Minute, time.Second)})
		wait(30 * time.Second)
		for _, name := range []string{"changed", "new"} {
			starts := r.startsOf(name)
			if len(starts) == 0 || starts[len(starts)-1].Before(reloaded) {
				t.Errorf("%s didn't run within 30 s", name)
			}
			if w.stateOf(name) != must(w.State(name)) {
				t.Errorf("the observer doesn't know the state of %s", name)
			}
		}
		wait(2 * time.Hour)
		for i, gap := range gaps(r.startsOf("old"))[1:] {
			if gap != 10*time.Minute {
				t.Errorf("old: gap %d is %s", i, gap)
			}
		}
		if n := len(gaps(r.startsOf("changed"))); n > 3+1+2 {
			t.Errorf("changed ran %d times", n)
		}
		changed.Interval = 0
		w.Set([]Job{changed})
		wait(2 * time.Hour)
		if state, ok := w.State("changed"); !ok || !state.NextRun.IsZero() {
			t.Errorf("without an interval the state is %+v, %t", state, ok)
		}
		w.stop()
		checkSum(t, w.Counts())
	})
}

func must(s State, _ bool) State { return s }

// The run of a removed job is canceled. If the job is added again at once, its next run waits for the end of that run.
func TestReloadRemoves(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRecorder()
		job := Job{Name: "a", Server: "s", Interval: 10 * time.Second, Run: func(ctx context.Context) Outcome {
			r.begin("a")
			defer r.end("a")
			select {
			case <-time.After(9 * time.Second):
				return Outcome{OK: true}
			case <-ctx.Done():
				pause(2 * time.Second) // It takes its time.
				return Outcome{Canceled: true}
			}
		}}
		other := r.job("b", "s", 10*time.Second, time.Second)
		w := begin(t, Options{}, job, other)
		for range 50 {
			for r.now("a") == 0 {
				wait(time.Second)
			}
			wait(5 * time.Second)
			for r.now("a") == 0 {
				wait(time.Second)
			}
			result := make(chan error, 1)
			go func() { result <- w.Do(t.Context(), "a") }()
			synctest.Wait()
			w.Set([]Job{other})
			if err := <-result; !errors.Is(err, ErrCanceled) {
				t.Errorf("Do returned %v when its job was removed", err)
			}
			if err := w.Do(t.Context(), "a"); !errors.Is(err, ErrUnknown) {
				t.Errorf("Do returned %v after its job was removed", err)
			}
			moved := job
			moved.Server = "elsewhere"
			w.Set([]Job{other, moved})
			w.Set([]Job{other, job})
			count, began := r.count("a"), time.Now()
			err := w.Do(t.Context(), "a")
			if took := time.Since(began); err != nil || r.count("a") != count+1 || took != 11*time.Second {
				t.Errorf("Do returned %v %s after its job was back, of which 2 s were the end of the old run", err, took)
			}
		}
		if r.most("a") != 1 {
			t.Errorf("%d runs of one job at once", r.most("a"))
		}
		for r.now("a") == 0 {
			wait(time.Second)
		}
		w.Set(nil)
		wait(time.Minute)
		counts := w.Counts()
		checkSum(t, counts)
		wait(time.Hour)
		w.update(func(time.Time) {
			if len(w.jobs)+len(w.removedRuns)+len(w.servers)+len(w.slots.items)+len(w.ready.items)+len(w.delayed.items) > 0 {
				t.Errorf("something is left of removed jobs: %d %d %d", len(w.jobs), len(w.removedRuns), len(w.servers))
			}
		})
		if got := w.Counts(); got.Scheduled != counts.Scheduled || w.InFlight() != 0 {
			t.Errorf("counts went from %+v to %+v without jobs", counts, got)
		}
	})
}

// The run of a removed job still counts for its server: for the limits, and for the cooldown if it is rejected.
func TestRemovedRunCountsForItsServer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRecorder()
		stubborn := Job{Name: "a", Server: "s", Run: func(context.Context) Outcome {
			pause(10 * time.Second)
			return Outcome{Rejected: true}
		}}
		w := begin(t, Options{MaxConcurrentPerServer: 1}, stubborn)
		go func() { _ = w.Do(t.Context(), "a") }()
		wait(time.Second)
		w.Set(nil)
		w.Set([]Job{r.job("b", "s", 0, time.Second)})
		began := time.Now()
		if err := w.Do(t.Context(), "b"); err != nil || time.Since(began) != 9*time.Second+cooldown+time.Second {
			t.Errorf("%v after %s", err, time.Since(began))
		}
	})
}

// The slot of a job that was removed and added again is served when its former run has ended.
func TestSlotWaitsForRunOfRemovedJob(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRecorder()
		job := Job{Name: "a", Server: "s", Interval: time.Hour, Run: func(context.Context) Outcome {
			r.begin("a")
			defer r.end("a")
			pause(50 * time.Second)
			return Outcome{OK: true}
		}}
		w := begin(t, Options{}, job)
		for r.now("a") == 0 {
			wait(time.Second)
		}
		began := r.startsOf("a")[0]
		w.Set(nil)
		w.Set([]Job{job})
		wait(time.Minute)
		if starts := r.startsOf("a"); len(starts) != 2 || starts[1].Sub(began) != 50*time.Second || w.delay("a") < 20*time.Second || r.most("a") != 1 {
			t.Errorf("it began at %v, delay %s", since(starts), w.delay("a"))
		}
	})
}

// A job that loses its interval loses the slot that waits, but not its callers.
func TestReloadRemovesInterval(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRecorder()
		long, job := r.job("long", "s", 0, time.Minute), r.job("a", "s", 10*time.Second, time.Second)
		w := begin(t, Options{MaxConcurrent: 1}, long)
		go func() { _ = w.Do(t.Context(), "long") }()
		wait(time.Second)
		lonely := r.job("lonely", "s", 10*time.Second, time.Second)
		w.Set([]Job{long, job, lonely})
		wait(25 * time.Second)
		result := make(chan error, 1)
		go func() { result <- w.Do(t.Context(), "a") }()
		synctest.Wait()
		job.Interval, lonely.Interval = 0, 0
		before := w.Counts()
		w.Set([]Job{long, job, lonely})
		if err := <-result; err != nil || r.count("a") != 1 {
			t.Errorf("%v, %d runs", err, r.count("a"))
		}
		wait(time.Hour)
		if after := w.Counts(); after.Scheduled != before.Scheduled || r.count("lonely") != 0 {
			t.Errorf("counts went from %+v to %+v, %d lonely runs", before, after, r.count("lonely"))
		}
	})
}

// The slot that a removed job was waiting for doesn't count.
func TestReloadDropsWaitingSlots(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRecorder()
		long := r.job("long", "s", time.Hour, 50*time.Minute)
		w := begin(t, Options{MaxConcurrent: 1}, long)
		wait(30 * time.Second)
		w.Set([]Job{long, r.job("a", "s", 10*time.Second, time.Second)})
		wait(35 * time.Second)
		before := w.Counts() // One slot waits, and three were skipped because of it.
		w.Set([]Job{long})
		wait(40 * time.Second)
		w.stop()
		after := w.Counts()
		checkSum(t, after)
		if before.Skipped[Overload] < 2 || after.Scheduled != before.Scheduled || r.count("a") != 0 {
			t.Errorf("counts were %+v before the removal and %+v after, %d runs", before, after, r.count("a"))
		}
	})
}

func TestFirstOfTwoJobsWithOneNameCounts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRecorder()
		begin(t, Options{}, r.job("a", "first", 10*time.Second, time.Second), r.job("a", "second", 10*time.Second, time.Second))
		wait(time.Minute)
		if r.most("first") != 1 || r.most("second") != 0 {
			t.Errorf("runs at once: %v", r.mostAtOnce)
		}
	})
}
