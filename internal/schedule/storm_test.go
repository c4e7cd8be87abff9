package schedule

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// A storm is a random but reproducible sequence of hangs, failures, calls of Do, reloads and standstills.
type storm struct {
	*recorder
	*rand.Rand
	w        *testSchedule
	verdicts bool // with rejected logins and retry intervals: then slots aren't equally far apart
	pool     []Job
	kept     int // how many of these no reload removes
}

func newStorm(seed uint64, verdicts bool) *storm {
	s := &storm{recorder: newRecorder(), Rand: rand.New(rand.NewPCG(seed, 0)), verdicts: verdicts, kept: 10}
	for i := range 40 {
		s.pool = append(s.pool, s.stormJob(i))
	}
	return s
}

// stormJob makes a job whose outcomes depend only on the seed, its number and the number of the run.
func (s *storm) stormJob(i int) Job {
	r := rand.New(rand.NewPCG(uint64(i), s.Uint64()))
	name, server := fmt.Sprintf("job-%d", i), fmt.Sprintf("server-%d", i%5)
	job := s.jobWith(name, server, time.Duration(1+r.IntN(30))*time.Second, func(int) (time.Duration, Outcome) {
		takes := time.Duration(r.ExpFloat64() * float64(5*time.Second))
		outcome := Outcome{OK: r.IntN(3) > 0}
		if !outcome.OK {
			outcome.Throttled, outcome.Backoff = r.IntN(8) == 0, time.Duration(r.IntN(60))*time.Second
			outcome.LoggedIn = s.verdicts && r.IntN(3) == 0
			outcome.Rejected = s.verdicts && !outcome.LoggedIn && r.IntN(3) == 0
		}
		return takes, outcome
	})
	if i%8 == 0 {
		job.Interval = 0
	}
	if s.verdicts && i%3 == 0 {
		job.RetryInterval = time.Second
	}
	if s.verdicts && i%2 == 0 {
		var reads atomic.Int64
		job.Secret = func() string { return fmt.Sprint(reads.Add(1) / 40) }
	}
	return job
}

// reload puts the kept jobs and a random choice of the others on the schedule.
func (s *storm) reload() {
	jobs := slices.Clone(s.pool[:s.kept])
	for _, job := range s.pool[s.kept:] {
		if s.IntN(2) == 0 {
			jobs = append(jobs, job)
		}
	}
	s.Shuffle(len(jobs), func(i, k int) { jobs[i], jobs[k] = jobs[k], jobs[i] })
	s.w.Set(jobs)
}

// do calls Do in a goroutine, for a random time.
func (s *storm) do(t *testing.T, job Job) {
	ctx, cancel := context.WithTimeout(t.Context(), time.Duration(s.IntN(20))*time.Second+time.Nanosecond)
	go func() {
		defer cancel()
		err := s.w.Do(ctx, job.Name)
		if blocked, ok := errors.AsType[*BlockedError](err); ok && !blocked.Until.After(time.Now()) {
			t.Errorf("blocked until %s, which is past", blocked.Until)
		}
	}()
}

// request calls Do with another key, or for an unconfigured server.
func (s *storm) request(t *testing.T, job Job) {
	d := Request{Name: job.Name, Key: []string{"one", "other"}[s.IntN(2)], NoLogin: s.IntN(2) == 0, Run: func(ctx context.Context) Outcome {
		outcome := job.Run(ctx)
		outcome.OffSchedule = true
		return outcome
	}}
	if s.IntN(3) == 0 {
		d.UnconfiguredServer, d.Run = job.Server, s.job("unconfigured "+d.Key+job.Server, job.Server, 0, 2*time.Second).Run
	}
	if s.IntN(2) == 0 {
		d.StartBy = time.Now().Add(time.Duration(s.IntN(10)) * time.Second)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Duration(s.IntN(20))*time.Second+time.Nanosecond)
	go func() {
		defer cancel()
		_, _ = s.w.Schedule.Do(ctx, d)
	}()
}

// runUntil continues the storm until a time, and checks the counts at each step.
func (s *storm) runUntil(t *testing.T, until time.Time) {
	var last Counts
	for time.Now().Before(until) {
		wait(min(time.Duration(s.ExpFloat64()*float64(3*time.Second))+1, time.Until(until)))
		counts := s.w.Counts()
		checkSum(t, counts)
		for reason, n := range counts.Skipped {
			if n < last.Skipped[reason] {
				t.Errorf("skipped %s fell from %d to %d", reason, last.Skipped[reason], n)
			}
		}
		if counts.Started < last.Started {
			t.Errorf("started fell from %d to %d", last.Started, counts.Started)
		}
		last = counts
		switch s.IntN(6) {
		case 0:
			s.reload()
		case 1, 2:
			s.do(t, s.pool[s.IntN(len(s.pool))/8*8]) // Those without an interval.
		case 3:
			if s.verdicts {
				s.do(t, s.pool[s.IntN(len(s.pool))])
			}
		case 4:
			if s.IntN(5) == 0 {
				s.w.standStill(time.Duration(s.IntN(60)) * time.Second)
			}
		case 5:
			s.request(t, s.pool[s.IntN(len(s.pool))])
		}
	}
}

// In any storm, each slot is started or skipped exactly once, and all limits hold.
func TestStorm(t *testing.T) {
	for seed := range uint64(25) {
		for _, verdicts := range []bool{false, true} {
			t.Run(fmt.Sprintf("seed %d, verdicts %t", seed, verdicts), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) { testStorm(t, newStorm(seed, verdicts)) })
			})
		}
	}
}

func testStorm(t *testing.T, s *storm) {
	if !s.verdicts {
		s.kept = len(s.pool) // Their slots can be told beforehand.
	}
	start := time.Now()
	s.w = begin(t, Options{MaxConcurrent: 8, MaxConcurrentPerServer: 3, Grace: time.Second}, s.pool...)
	s.runUntil(t, start.Add(20*time.Minute))
	stop := s.w.now()
	s.w.stop()
	synctest.Wait()
	counts := s.w.Counts()
	checkSum(t, counts)
	for key, most := range s.mostAtOnce {
		limit := 1
		switch key[:min(6, len(key))] {
		case "":
			limit = 8
		case "server":
			limit = 3
		}
		if most > limit {
			t.Errorf("%d runs of %q at once, at most %d may", most, key, limit)
		}
	}
	for name, j := range s.w.jobs {
		if j.unconfigured {
			t.Errorf("%q is left", name)
		}
	}
	var delays uint64
	for _, all := range s.w.delays {
		delays += uint64(len(all))
	}
	if counts.Started != delays || counts.Started > uint64(len(s.order)) {
		t.Errorf("%d slots started, %d were observed, of %d runs", counts.Started, delays, len(s.order))
	}
	if s.verdicts {
		return
	}
	var want uint64
	for _, job := range s.pool {
		if job.Interval > 0 {
			want += slotsUntil(job, start, stop)
		}
	}
	if counts.Scheduled != want {
		t.Errorf("%d slots are counted, %d have come: %+v", counts.Scheduled, want, counts)
	}
}
