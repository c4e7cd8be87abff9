package schedule

import (
	"context"
	"fmt"
	"testing"
	"testing/synctest"
	"time"
)

func TestRunsEveryInterval(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRecorder()
		counts := runFor(t, time.Hour, Options{}, r.job("a", "s", 10*time.Second, time.Second), r.job("b", "s", time.Minute, time.Second))
		for name, want := range map[string]time.Duration{"a": 10 * time.Second, "b": time.Minute} {
			for i, gap := range gaps(r.startsOf(name)[1:]) {
				if gap != want {
					t.Errorf("%s: gap %d after the second probe is %s, want %s", name, i, gap, want)
				}
			}
		}
		if a, b := len(r.startsOf("a")), len(r.startsOf("b")); a != 360 || b < 60 || b > 61 {
			t.Errorf("a started %d times in an hour, b %d times", a, b)
		}
		if want := uint64(len(r.all())); counts.Started != want || counts.skipped() != 0 {
			t.Errorf("counts are %+v, want %d started", counts, want)
		}
	})
}

func TestIntervalZeroNeverRuns(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRecorder()
		if counts := runFor(t, time.Hour, Options{}, r.job("a", "s", 0, 0)); counts.Scheduled != 0 {
			t.Errorf("counts are %+v, want none", counts)
		}
	})
}

func TestSlowJobSkipsSlotsAndNeverOverlaps(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRecorder()
		// Each probe runs into the third slot after its own.
		counts := runFor(t, 20*time.Minute, Options{}, r.job("a", "s", 10*time.Second, 25*time.Second))
		for i, gap := range gaps(r.startsOf("a")) {
			if gap != 30*time.Second {
				t.Errorf("gap %d is %s, want 30s", i, gap)
			}
		}
		if r.most("a") != 1 {
			t.Errorf("%d probes ran at once", r.most("a"))
		}
		if counts.Started != 40 || counts.Skipped[Overload] != 80 {
			t.Errorf("counts are %+v, want 40 started of 120", counts)
		}
	})
}

// A slot that passed during a run is skipped, even when the end of the run is noticed first.
func TestSlotBeforeTheEndOfARunIsSkipped(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		hang := make(chan struct{})
		w := begin(t, Options{}, Job{Name: "a", Server: "s", Interval: 10 * time.Second, Run: func(context.Context) Outcome {
			<-hang
			return Outcome{OK: true}
		}})
		wait(10 * time.Second)
		w.sleep(30 * time.Second)
		close(hang)
		synctest.Wait()
		if counts := w.Counts(); counts.Started != 1 || counts.Skipped[Overload] != 3 {
			t.Errorf("counts are %+v, want 1 started and 3 skipped", counts)
		}
	})
}

func TestStopGivesGraceThenCuts(t *testing.T) {
	for _, test := range []struct{ takes, ends time.Duration }{{2 * time.Second, time.Second}, {time.Hour, 3 * time.Second}} {
		synctest.Test(t, func(t *testing.T) {
			r := newRecorder()
			w := begin(t, Options{MaxConcurrent: 1, Grace: 3 * time.Second},
				r.job("a", "s", 10*time.Second, test.takes), r.job("b", "s", 10*time.Second, test.takes))
			for len(r.all()) == 0 {
				wait(time.Second)
			}
			stopping := r.startsOf(r.all()[0])[0].Add(time.Second)
			wait(time.Until(stopping))
			w.stop()
			if took := time.Since(stopping); took != test.ends {
				t.Errorf("runs of %s: stopped after %s, want %s", test.takes, took, test.ends)
			}
			if len(r.all()) != 1 || w.InFlight() != 0 {
				t.Errorf("runs of %s: %d were started, %d still run", test.takes, len(r.all()), w.InFlight())
			}
			checkSum(t, w.Counts())
		})
	}
}

// Every slot up to the stop is started or skipped, whatever the load; those of jobs that still wait then count too.
func TestEverySlotIsCounted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRecorder()
		var jobs []Job
		var slots uint64
		start := time.Now()
		for i := range 50 {
			job := r.job(fmt.Sprintf("job-%d", i), fmt.Sprintf("server-%d", i%3), 20*time.Second, time.Duration(i)*time.Second)
			jobs = append(jobs, job)
			slots += slotsUntil(job, start, start.Add(5*time.Minute))
		}
		counts := runFor(t, 5*time.Minute, Options{MaxConcurrent: 7, MaxConcurrentPerServer: 3}, jobs...)
		if counts.Scheduled != slots || counts.Started != uint64(len(r.all())) || counts.Skipped[Shutdown] == 0 {
			t.Errorf("counts are %+v, want %d slots and %d started", counts, slots, len(r.all()))
		}
	})
}

// A server that hangs for 40 % of the slots is available for 60 %: runs that hang don't suppress the slots in which it
// would have been found hanging (coordinated omission).
func TestNoCoordinatedOmission(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRecorder()
		succeeded := 0
		job := r.jobWith("a", "s", 10*time.Second, func(n int) (time.Duration, Outcome) {
			if n%7 == 6 { // Six slots are served, then a run hangs through four.
				return 35 * time.Second, Outcome{}
			}
			succeeded++
			return time.Second, Outcome{OK: true}
		})
		w := begin(t, Options{}, job)
		wait(time.Until(w.stateOf("a").NextRun) + 1000*10*time.Second - time.Nanosecond)
		if counts := w.Counts(); counts.Scheduled != 1000 || succeeded != 600 {
			t.Errorf("%d of %d slots succeeded, want 600 of 1000: %+v", succeeded, counts.Scheduled, counts)
		}
	})
}

// The scheduling delay is the time between the slot and the start of its run.
func TestSchedulingDelay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRecorder()
		var jobs []Job
		for i := range 10 {
			jobs = append(jobs, r.job(fmt.Sprintf("job-%d", i), fmt.Sprintf("server-%d", i), 10*time.Second, 3*time.Second))
		}
		w := begin(t, Options{MaxConcurrent: 1}, jobs...)
		wait(10 * time.Minute)
		w.stop()
		for _, job := range jobs {
			j := newJob(job.Name, job.Interval)
			for i, start := range r.startsOf(job.Name) {
				delay := w.delaysOf(job.Name)[i]
				if slot := start.Add(-delay); !j.regularSlot(slot).Equal(slot) {
					t.Errorf("%s: run %d began %s after %s, which is no slot", job.Name, i, delay, slot)
				}
			}
			if delay := w.delay(job.Name); delay < 10*time.Second || delay > 30*time.Second {
				t.Errorf("%s: the last delay is %s; 10 jobs of 3 s take turns of 30 s", job.Name, delay)
			}
		}
	})
}

func TestInFlight(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRecorder()
		w := begin(t, Options{}, r.job("a", "s", 10*time.Second, time.Minute), r.job("b", "s", 10*time.Second, time.Minute))
		wait(20 * time.Second)
		if w.InFlight() != 2 {
			t.Errorf("%d in flight, want 2", w.InFlight())
		}
	})
}
