package schedule

import (
	"context"
	"fmt"
	"slices"
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

func TestBounds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRecorder()
		var jobs []Job
		for i := range 40 {
			jobs = append(jobs, r.job(fmt.Sprintf("job-%d", i), fmt.Sprintf("server-%d", i%4), 10*time.Second, 9*time.Second))
		}
		counts := runFor(t, 10*time.Minute, Options{MaxConcurrent: 10, MaxConcurrentPerServer: 3}, jobs...)
		if r.most("") != 10 {
			t.Errorf("%d probes ran at once, want 10", r.most(""))
		}
		for server := range 4 {
			if most := r.most(fmt.Sprintf("server-%d", server)); most != 3 {
				t.Errorf("%d probes of server %d ran at once, want 3", most, server)
			}
		}
		if counts.Scheduled != 40*60 {
			t.Errorf("counts are %+v, want %d slots", counts, 40*60)
		}
	})
}

// A server at its bound keeps nobody else waiting.
func TestFullServerDelaysNoOther(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRecorder()
		jobs := []Job{r.job("good", "good", 10*time.Second, time.Second)}
		for i := range 20 {
			jobs = append(jobs, r.job(fmt.Sprintf("hung-%d", i), "hung", 10*time.Second, 9*time.Second))
		}
		runFor(t, 10*time.Minute, Options{MaxConcurrent: 3, MaxConcurrentPerServer: 2}, jobs...)
		for i, gap := range gaps(r.startsOf("good")) {
			if gap != 10*time.Second {
				t.Errorf("gap %d is %s, want 10s", i, gap)
			}
		}
	})
}

// With too little room for all, they take turns.
func TestLongestWaitingStartsFirst(t *testing.T) {
	for _, opts := range []Options{{MaxConcurrent: 1}, {MaxConcurrent: 9, MaxConcurrentPerServer: 1}} {
		synctest.Test(t, func(t *testing.T) {
			r := newRecorder()
			var jobs []Job
			for i := range 7 {
				jobs = append(jobs, r.job(fmt.Sprintf("job-%d", i), "s", 10*time.Second, 4*time.Second))
			}
			runFor(t, 10*time.Minute, opts, jobs...)
			rounds := slices.Collect(slices.Chunk(r.all(), 7))
			for i, round := range rounds[1 : len(rounds)-1] {
				if len(slices.Compact(sorted(round))) != 7 {
					t.Errorf("round %d: %v, want each job once", i+1, round)
				}
			}
		})
	}
}

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
			t.Errorf("after recovery the job is %s from its own slots", back%time.Minute)
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

// A failing run that takes longer than the RetryInterval delays no slot of the job's own.
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

// A slot that passed during a run isn't served again when the run brings the job back to its own pace.
func TestSlotAtTheEndOfARetryIsCountedOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRecorder()
		job := r.jobWith("a", "s", 10*time.Second, func(n int) (time.Duration, Outcome) {
			switch n {
			case 2:
				return time.Second, Outcome{}
			case 3: // At +5 s, until +10 s, where both kinds of slots are.
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

// Slots that have come when the schedule is stopped count, though it had no time for them yet.
func TestStopAfterStandstill(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		job := newRecorder().job("a", "s", 10*time.Second, time.Second)
		start := time.Now()
		w := begin(t, Options{}, job)
		wait(time.Minute)
		w.sleep(time.Minute)
		w.stop()
		if counts, want := w.Counts(), slotsUntil(job, start, start.Add(2*time.Minute)); counts.Scheduled != want {
			t.Errorf("counts are %+v, want %d slots", counts, want)
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

// Every slot up to the stop is started or skipped, whatever the load, and those of jobs that wait at the end count too.
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

// A server that hangs for 40 % of the slots is available for 60 %: its hung runs don't suppress the slots in which it
// would have been found hanging (coordinated omission).
func TestHangingServerIsNotFlattered(t *testing.T) {
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

// Lag is the time between slot and start, and no part of the run.
func TestLag(t *testing.T) {
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
				lag := w.lagsOf(job.Name)[i]
				if slot := start.Add(-lag); !j.own(slot).Equal(slot) {
					t.Errorf("%s: run %d began %s after %s, which is no slot", job.Name, i, lag, slot)
				}
			}
			if lag := w.lag(job.Name); lag < 10*time.Second || lag > 30*time.Second {
				t.Errorf("%s: the last lag is %s; 10 jobs of 3 s take turns of 30 s", job.Name, lag)
			}
		}
	})
}

// All accounts of a hung server stay watched: slots go to the one whose last Result is oldest.
func TestHungServerIsSharedFairly(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRecorder()
		var jobs []Job
		var slots uint64
		for i := range 200 {
			job := r.job(fmt.Sprintf("job-%d", i), "hung", time.Minute, 10*time.Second)
			jobs = append(jobs, job)
			slots += slotsUntil(job, time.Now(), time.Now().Add(time.Hour))
		}
		counts := runFor(t, time.Hour, Options{MaxConcurrentPerServer: 8}, jobs...)
		for _, job := range jobs {
			// 8 runs in 10 s make 2880 in an hour.
			if n := r.count(job.Name); n < 14 || n > 15 {
				t.Errorf("%s ran %d times, want 14 or 15 of 2880", job.Name, n)
			}
			for _, gap := range gaps(r.startsOf(job.Name)) {
				if gap > 5*time.Minute+10*time.Second {
					t.Errorf("%s wasn't watched for %s", job.Name, gap)
				}
			}
		}
		if counts.Scheduled != slots {
			t.Errorf("counts are %+v, want %d slots", counts, slots)
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

// While the process stands still, as after SIGSTOP, slots pass. Each job then runs once, within the bounds, and what it
// missed is counted.
func TestStandstill(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRecorder()
		start := time.Now()
		var jobs []Job
		var slots uint64
		for i := range 100 {
			job := r.job(fmt.Sprintf("job-%d", i), fmt.Sprintf("server-%d", i), 10*time.Second, time.Second)
			jobs = append(jobs, job)
			slots += slotsUntil(job, start, start.Add(400*time.Second))
		}
		w := begin(t, Options{MaxConcurrent: 20}, jobs...)
		wait(100 * time.Second)
		w.standStill(200 * time.Second)
		resumed := time.Now()
		wait(10*time.Second - time.Nanosecond)
		for _, job := range jobs {
			n := 0
			for _, at := range r.startsOf(job.Name) {
				if !at.Before(resumed) {
					n++
				}
			}
			if n == 0 || n > 2 { // One for what was missed, and perhaps its next slot.
				t.Errorf("%s ran %d times in 10 s after the standstill", job.Name, n)
			}
		}
		wait(90*time.Second + time.Nanosecond)
		w.stop()
		if r.most("") > 20 {
			t.Errorf("%d ran at once", r.most(""))
		}
		counts := w.Counts()
		checkSum(t, counts)
		if counts.Scheduled != slots || counts.Skipped[Overload] < 100*18 || counts.Skipped[Overload] > 100*21 {
			t.Errorf("counts are %+v, want %d slots", counts, slots)
		}
	})
}

// A machine that was suspended has missed the slots of that time, though no clock that Go reads has gone on.
func TestSuspendedMachine(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRecorder()
		w := begin(t, Options{}, r.job("a", "s", time.Minute, time.Second))
		wait(10 * time.Minute)
		before, count := r.startsOf("a")[r.count("a")-1], r.count("a")
		w.sleep(time.Hour)
		wait(2 * time.Minute)
		w.stop()
		counts := w.Counts()
		if more := r.count("a") - count; more < 2 || more > 3 {
			t.Errorf("%d runs within 2 minutes after the sleep", more)
		}
		if skipped := counts.Skipped[Overload]; skipped < 59 || skipped > 60 {
			t.Errorf("%d slots skipped, want those of an hour", skipped)
		}
		for _, start := range r.startsOf("a")[count+1:] { // The first is late; the others are at their own phase of the wall clock.
			if phase := start.Add(time.Hour).Sub(before) % time.Minute; phase != 0 {
				t.Errorf("a run is %s off its phase", phase)
			}
		}
	})
}

// A sleep is noticed within a minute, however long the intervals are, and the next run is told by the wall clock.
func TestSuspendedMachineWithLongIntervals(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRecorder()
		w := begin(t, Options{}, r.job("a", "s", 6*time.Hour, time.Second))
		wait(time.Hour)
		count := r.count("a")
		w.sleep(12 * time.Hour)
		wait(lookUp)
		state, _ := w.State("a")
		if r.count("a") != count+1 || time.Until(state.NextRun) <= 0 || time.Until(state.NextRun) > 6*time.Hour {
			t.Errorf("%d runs, %s before the next", r.count("a")-count, time.Until(state.NextRun))
		}
	})
}
