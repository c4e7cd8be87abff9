package schedule

import (
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"
)

func TestLimits(t *testing.T) {
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

// A server at its limit delays no job of another server.
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

// If not all jobs can run in time, they take turns.
func TestOldestResultStartsFirst(t *testing.T) {
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

// All accounts of a hung server are still probed: the one with the oldest last result runs next.
func TestAccountsOfAHungServerTakeTurns(t *testing.T) {
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
