package schedule

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// A recorder makes jobs that note when they start, and how many run at a time.
type recorder struct {
	mu         sync.Mutex
	starts     map[string][]time.Time
	order      []string
	running    map[string]int // by name, by server, and "" for all
	mostAtOnce map[string]int
}

func newRecorder() *recorder {
	return &recorder{starts: map[string][]time.Time{}, running: map[string]int{}, mostAtOnce: map[string]int{}}
}

func (r *recorder) begin(keys ...string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.starts[keys[0]] = append(r.starts[keys[0]], time.Now())
	r.order = append(r.order, keys[0])
	for _, key := range keys {
		r.running[key]++
		r.mostAtOnce[key] = max(r.mostAtOnce[key], r.running[key])
	}
}

func (r *recorder) end(keys ...string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, key := range keys {
		r.running[key]--
	}
}

// job makes a job whose probes take so long, and end early when they are canceled.
func (r *recorder) job(name, server string, interval, takes time.Duration) Job {
	return Job{Name: name, Server: server, Interval: interval, Run: func(ctx context.Context) bool {
		r.begin(name, server, "")
		defer r.end(name, server, "")
		select {
		case <-time.After(takes):
			return true
		case <-ctx.Done():
			return false
		}
	}}
}

// runFor runs a schedule for a time.
func runFor(t *testing.T, d time.Duration, opts Options, jobs ...Job) Counts {
	ctx, cancel := context.WithTimeout(t.Context(), d)
	defer cancel()
	return New(jobs, opts).Run(ctx)
}

// gaps are the times between starts.
func gaps(starts []time.Time) []time.Duration {
	var gaps []time.Duration
	for i := 1; i < len(starts); i++ {
		gaps = append(gaps, starts[i].Sub(starts[i-1]))
	}
	return gaps
}

func TestRunsEveryInterval(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRecorder()
		counts := runFor(t, time.Hour, Options{}, r.job("a", "s", 10*time.Second, time.Second), r.job("b", "s", time.Minute, time.Second))
		for name, want := range map[string]time.Duration{"a": 10 * time.Second, "b": time.Minute} {
			for i, gap := range gaps(r.starts[name][1:]) {
				if gap != want {
					t.Errorf("%s: gap %d after the second probe is %s, want %s", name, i, gap, want)
				}
			}
		}
		if a, b := len(r.starts["a"]), len(r.starts["b"]); a != 360 || b < 60 || b > 61 {
			t.Errorf("a started %d times in an hour, b %d times", a, b)
		}
		if want := len(r.order); counts != (Counts{Started: want}) {
			t.Errorf("counts are %+v, want %d started", counts, want)
		}
	})
}

func TestIntervalZeroNeverRuns(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRecorder()
		if counts := runFor(t, time.Hour, Options{}, r.job("a", "s", 0, 0)); counts != (Counts{}) {
			t.Errorf("counts are %+v, want none", counts)
		}
	})
}

func TestSlowJobSkipsSlotsAndNeverOverlaps(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRecorder()
		// Each probe runs into the third slot after its own.
		counts := runFor(t, 20*time.Minute, Options{}, r.job("a", "s", 10*time.Second, 25*time.Second))
		for i, gap := range gaps(r.starts["a"]) {
			if gap != 30*time.Second {
				t.Errorf("gap %d is %s, want 30s", i, gap)
			}
		}
		if r.mostAtOnce["a"] != 1 {
			t.Errorf("%d probes ran at once", r.mostAtOnce["a"])
		}
		if total := counts.Started + counts.Skipped; counts.Started != 40 || total != 120 {
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
		if r.mostAtOnce[""] != 10 {
			t.Errorf("%d probes ran at once, want 10", r.mostAtOnce[""])
		}
		for server := range 4 {
			if most := r.mostAtOnce[fmt.Sprintf("server-%d", server)]; most != 3 {
				t.Errorf("%d probes of server %d ran at once, want 3", most, server)
			}
		}
		if total := counts.Started + counts.Skipped; total != 40*60 {
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
		for i, gap := range gaps(r.starts["good"]) {
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
			rounds := slices.Collect(slices.Chunk(r.order, 7))
			for i, round := range rounds[1 : len(rounds)-1] {
				if sorted := slices.Sorted(slices.Values(round)); len(slices.Compact(sorted)) != 7 {
					t.Errorf("round %d: %v, want each job once", i+1, round)
				}
			}
		})
	}
}

func TestRetryInterval(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var starts []time.Time
		job := Job{Name: "a", Interval: time.Minute, RetryInterval: 7 * time.Second, Run: func(context.Context) bool {
			starts = append(starts, time.Now())
			return len(starts) != 3 && len(starts) != 4 // The third and the fourth fail.
		}}
		runFor(t, 10*time.Minute, Options{}, job)
		got := gaps(starts)
		if got[1] != time.Minute || got[2] != 7*time.Second || got[3] != 7*time.Second || got[5] != time.Minute {
			t.Errorf("gaps are %v, want 1m 7s 7s … 1m from the second on", got[:6])
		}
		if got[4] < 30*time.Second || got[4] >= 90*time.Second {
			t.Errorf("the gap after recovery is %s", got[4])
		}
		if back := starts[5].Sub(starts[2]); back%time.Minute != 0 {
			t.Errorf("after recovery the job is %s from its own slots", back%time.Minute)
		}
	})
}

func TestStopGivesGraceThenCuts(t *testing.T) {
	for _, test := range []struct{ takes, ends time.Duration }{{2 * time.Second, time.Second}, {time.Hour, 3 * time.Second}} {
		synctest.Test(t, func(t *testing.T) {
			ctx, cancel := context.WithCancel(t.Context())
			r := newRecorder()
			finished := false
			job := r.job("a", "s", 10*time.Second, test.takes)
			run := job.Run
			job.Run = func(jobCtx context.Context) bool {
				go func() {
					<-time.After(time.Second)
					cancel()
				}()
				finished = run(jobCtx)
				return finished
			}
			waiting := r.job("b", "s", 10*time.Second, test.takes)
			s := New([]Job{job, waiting}, Options{MaxConcurrent: 1, Grace: 3 * time.Second})
			s.Run(ctx)
			if took := time.Since(r.starts["a"][0].Add(time.Second)); took != test.ends {
				t.Errorf("probes of %s: stopped after %s, want %s", test.takes, took, test.ends)
			}
			if want := test.takes < 3*time.Second; finished != want {
				t.Errorf("probes of %s: finished is %t, want %t", test.takes, finished, want)
			}
			if s.InFlight() != 0 {
				t.Errorf("probes of %s: %d still running", test.takes, s.InFlight())
			}
		})
	}
}

// Every slot up to the stop is started or skipped, whatever the load, and those of jobs that wait at the end count too.
func TestEverySlotIsCounted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRecorder()
		var jobs []Job
		slots := 0
		stop := time.Now().Add(5 * time.Minute)
		for i := range 50 {
			job := r.job(fmt.Sprintf("job-%d", i), fmt.Sprintf("server-%d", i%3), 20*time.Second, time.Duration(i)*time.Second)
			jobs = append(jobs, job)
			for slot := newJob(job.Name, job.Interval).first(time.Now()); slot.Before(stop); slot = slot.Add(job.Interval) {
				slots++
			}
		}
		counts := runFor(t, 5*time.Minute, Options{MaxConcurrent: 7, MaxConcurrentPerServer: 3}, jobs...)
		if counts.Started+counts.Skipped != slots || counts.Started != len(r.order) {
			t.Errorf("counts are %+v, want %d slots and %d started", counts, slots, len(r.order))
		}
	})
}

func TestInFlight(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		r := newRecorder()
		s := New([]Job{r.job("a", "s", 10*time.Second, time.Minute), r.job("b", "s", 10*time.Second, time.Minute)}, Options{})
		done := make(chan struct{})
		go func() {
			defer close(done)
			s.Run(ctx)
		}()
		<-time.After(20 * time.Second)
		if s.InFlight() != 2 {
			t.Errorf("%d in flight, want 2", s.InFlight())
		}
		cancel()
		<-done
	})
}
