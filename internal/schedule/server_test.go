package schedule

import (
	"fmt"
	"slices"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// A job that may well be rejected runs exclusively: it waits for the runs under way, and others wait for it, 4 s at most.
func TestExclusiveRuns(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRecorder()
		suspect := r.jobWith("suspect", "s", 0, func(n int) (time.Duration, Outcome) {
			return []time.Duration{time.Second, time.Second, 30 * time.Second, 2 * time.Second}[n], Outcome{Rejected: n == 0}
		})
		slow := r.jobWith("slow", "s", 0, func(n int) (time.Duration, Outcome) {
			return []time.Duration{0, 2 * time.Second, 20 * time.Second}[n], Outcome{OK: true}
		})
		jobs := []Job{suspect, slow, r.job("a", "s", 0, 10*time.Second), r.job("b", "s", 0, 10*time.Second), r.job("c", "s", 0, 10*time.Second)}
		w := begin(t, Options{}, jobs...)
		for _, job := range jobs { // Now none is new, and the suspect is suspended.
			wait(20 * time.Second)
			if err := w.Do(t.Context(), job.Name); err != nil {
				t.Fatal(err)
			}
		}
		do := func(names ...string) time.Time {
			for _, name := range names {
				go func() { _ = w.Do(t.Context(), name) }()
				synctest.Wait()
			}
			return time.Now()
		}
		startsAfter := func(name string, began time.Time, want time.Duration) {
			t.Helper()
			starts := r.startsOf(name)
			if got := starts[len(starts)-1].Sub(began); got != want {
				t.Errorf("%s began after %s, want %s", name, got, want)
			}
		}
		wait(10 * time.Minute)
		began := do("slow", "suspect", "a") // suspect waits for slow, and a for suspect.
		wait(time.Minute)
		startsAfter("slow", began, 0)
		startsAfter("suspect", began, 2*time.Second)
		startsAfter("a", began, 3*time.Second)

		wait(time.Hour)
		began = do("suspect", "a", "b", "c") // It hangs: the others wait for a while, but not for one another.
		wait(time.Minute)
		startsAfter("suspect", began, 0)
		startsAfter("a", began, maxExclusive)
		startsAfter("b", began, maxExclusive)
		startsAfter("c", began, maxExclusive)

		wait(12 * time.Hour)
		do("slow")
		wait(5 * time.Second)
		began = do("suspect", "a") // slow hangs; it isn't waited for, and when suspect has ended, a may start.
		wait(time.Minute)
		startsAfter("suspect", began, 0)
		startsAfter("a", began, 2*time.Second)
	})
}

// A server whose authentication backend is down rejects all. When it accepts one of these jobs, all suspensions end.
func TestLoginOfAnotherAccountEndsSuspensions(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var down atomic.Bool
		r := newRecorder()
		var jobs []Job
		for i := range 30 {
			server := "s"
			if i == 29 {
				server = "other"
			}
			job := r.jobWith(fmt.Sprintf("job-%d", i), server, time.Minute, func(int) (time.Duration, Outcome) {
				return 100 * time.Millisecond, Outcome{OK: !down.Load(), Rejected: down.Load()}
			})
			job.RetryInterval = 5 * time.Second
			jobs = append(jobs, job)
		}
		w := begin(t, Options{}, jobs...)
		wait(10 * time.Minute)
		down.Store(true)
		wait(3 * time.Hour)
		down.Store(false)
		counts := map[string]int{}
		for i := range 30 {
			counts[jobs[i].Name] = r.count(jobs[i].Name)
		}
		for len(r.all()) < 1 || len(r.all()) == sum(counts) {
			wait(time.Second)
		}
		wait(time.Minute) // One interval after the first success.
		perSecond := map[int64]int{}
		for _, job := range jobs[:29] {
			if n := r.count(job.Name) - counts[job.Name]; n < 1 || n > 2 {
				t.Errorf("%s ran %d times within a minute after the first success", job.Name, n)
			}
			if state, _ := w.State(job.Name); state.Suspended {
				t.Errorf("%s is still suspended", job.Name)
			}
			last := r.startsOf(job.Name)[r.count(job.Name)-1]
			perSecond[last.Unix()]++
		}
		w.update(func(time.Time) {
			if n := len(w.servers["s"].troubled); n > 0 {
				t.Errorf("%d jobs are taken for suspended", n)
			}
		})
		for _, n := range perSecond {
			if n > 5 {
				t.Errorf("%d tries in one second, want them spread over a minute", n)
			}
		}
	})
}

func sum(counts map[string]int) (all int) {
	for _, n := range counts {
		all += n
	}
	return all
}

// After a rejected login nothing starts on that server for 15 s. Runs under way go on, and so do other servers.
func TestCooldownAfterRejection(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRecorder()
		jobs := []Job{rejects(r, "wrong", time.Minute, 5), r.job("slow", "s", time.Minute, 40*time.Second)}
		for i := range 20 {
			jobs = append(jobs, r.job(fmt.Sprintf("good-%d", i), "s", 5*time.Second, 100*time.Millisecond))
		}
		jobs = append(jobs, r.job("other", "other", 5*time.Second, time.Second))
		w := begin(t, Options{}, jobs...)
		wait(7 * time.Minute)
		rejected := r.startsOf("wrong")[5].Add(2 * time.Second)
		near := 0
		for _, name := range slices.Compact(sorted(r.all())) {
			starts := r.startsOf(name)
			for _, start := range starts {
				after := start.Sub(rejected)
				if after > 0 && after < cooldown && name != "other" {
					t.Errorf("%s began %s after a rejected login", name, after)
				}
				if after >= cooldown && after < cooldown+time.Second {
					near++
				}
			}
		}
		if near < 20 {
			t.Errorf("%d jobs began just after the cooldown", near)
		}
		for _, gap := range gaps(r.startsOf("other"))[1:] {
			if gap != 5*time.Second {
				t.Errorf("the job of another server waited %s", gap)
			}
		}
		if n := r.count("slow"); n < 6 || w.Counts().Skipped[Shutdown] > 0 {
			t.Errorf("the slow job ran %d times", n)
		}
	})
}

// Many wrong passwords on a server don't keep the accounts with right ones from being probed.
func TestManyWrongPasswords(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRecorder()
		var jobs []Job
		for i := range 60 {
			jobs = append(jobs, rejects(r, fmt.Sprintf("wrong-%d", i), time.Minute, 1))
			jobs = append(jobs, r.job(fmt.Sprintf("good-%d", i), "s", time.Minute, 100*time.Millisecond))
		}
		begin(t, Options{MaxConcurrentPerServer: 4}, jobs...)
		wait(time.Hour) // The first wave of rejections.
		before := map[string]int{}
		for _, name := range slices.Compact(sorted(r.all())) {
			before[name] = r.count(name)
		}
		wait(4 * time.Hour)
		for i := range 60 {
			if good := fmt.Sprintf("good-%d", i); r.count(good)-before[good] < 230 {
				t.Errorf("%s ran %d times in 240 minutes", good, r.count(good)-before[good])
			}
			if wrong := fmt.Sprintf("wrong-%d", i); r.count(wrong)-before[wrong] < 3 {
				t.Errorf("%s ran %d times in 4 hours", wrong, r.count(wrong)-before[wrong])
			}
		}
	})
}
