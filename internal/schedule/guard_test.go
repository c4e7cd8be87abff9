package schedule

import (
	"fmt"
	"slices"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// rejects makes a job whose logins are accepted so many times, then rejected, after 2 s each.
func rejects(r *recorder, name string, interval time.Duration, accepted int) Job {
	return r.jobWith(name, "s", interval, func(n int) (time.Duration, Outcome) {
		if n < accepted {
			return 100 * time.Millisecond, Outcome{OK: true}
		}
		return 2 * time.Second, Outcome{Rejected: true}
	})
}

// The times of the logins are those of the list, for a day.
func TestLoginsAfterRejectedOnes(t *testing.T) {
	const minute, hour = time.Minute, time.Hour
	quarters := []time.Duration{0, minute, 5 * minute}
	for len(quarters) < 90 {
		quarters = append(quarters, time.Duration(len(quarters)-2)*15*minute)
	}
	for _, test := range []struct {
		interval time.Duration
		accepted int
		want     []time.Duration
	}{
		{5 * time.Second, 0, []time.Duration{0, minute, 5 * minute, 30 * minute, 2 * hour, 8 * hour, 14 * hour, 20 * hour}},
		{time.Minute, 0, []time.Duration{0, minute, 5 * minute, 30 * minute, 2 * hour, 8 * hour, 14 * hour, 20 * hour}},
		{50 * time.Second, 0, []time.Duration{0, minute, 5 * minute, 30 * minute, 2 * hour, 8 * hour, 14 * hour, 20 * hour}},
		{5 * time.Second, 3, quarters},
		{time.Minute, 3, quarters},
		{20 * minute, 0, []time.Duration{0, 20 * minute, 40 * minute, 65 * minute, 155 * minute, 515 * minute}}, // Not shortened.
		{2 * hour, 1, []time.Duration{0, 2 * hour, 4 * hour, 6 * hour, 8 * hour, 10 * hour, 12 * hour, 14 * hour}},
	} {
		for i := range 12 {
			name := fmt.Sprintf("account-%d", i)
			t.Run(fmt.Sprintf("%s accepted %d times, every %s", name, test.accepted, test.interval), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					r := newRecorder()
					w := begin(t, Options{}, rejects(r, name, test.interval, test.accepted))
					wait(24 * time.Hour)
					w.stop()
					got := since(r.startsOf(name)[test.accepted:])
					if len(got) < len(test.want) {
						t.Fatalf("%d logins in a day, want at least %d", len(got), len(test.want))
					}
					early := time.Duration(0)
					if test.interval > 10*minute { // The second slot comes between a half and one and a half intervals after the first.
						early = got[1] - test.want[1]
					}
					for i, want := range test.want {
						if i > 0 {
							want += early
						}
						slack := want/10 + 2*time.Second*time.Duration(i) // Rejections take 2 s.
						if off := got[i] - want; off.Abs() > slack {
							t.Errorf("login %d is at %s, want %s", i, got[i], want)
						}
					}
				})
			})
		}
	}
}

// While logins are held back, all slots in between are counted, and the next login is shown.
func TestSuspendedState(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRecorder()
		w := begin(t, Options{}, rejects(r, "a", 10*time.Second, 1))
		for range 200 {
			count := r.count("a")
			state, _ := w.State("a")
			if !state.NextRun.Equal(w.stateOf("a").NextRun) {
				t.Errorf("the observer was told that the next run is at %s, it is at %s", w.stateOf("a").NextRun, state.NextRun)
			}
			if want := count > 1 && w.InFlight() == 0; want && (!state.Suspended || !state.NextLogin.Equal(state.NextRun)) {
				t.Errorf("after %d runs the state is %+v", count, state)
			}
			wait(time.Until(state.NextRun) - time.Millisecond)
			if r.count("a") != count {
				t.Errorf("run %d is too early", count)
			}
			wait(2 * time.Millisecond)
			if r.count("a") != count+1 {
				t.Errorf("run %d isn't at %s", count, state.NextRun)
			}
			wait(3 * time.Second)
		}
		counts := w.Counts()
		checkSum(t, counts)
		// A login takes place at a slot, or between two.
		slots, passed := uint64(time.Since(r.startsOf("a")[0])/(10*time.Second)), counts.Scheduled
		if passed < slots || passed > slots+200 || counts.Skipped[Backoff]+200 != passed {
			t.Errorf("counts are %+v, want 200 started of about %d", counts, slots)
		}
	})
}

// A failing run that isn't a verdict doesn't hold anything back, but neither does it end a suspension.
func TestOtherFailures(t *testing.T) {
	for _, test := range []struct {
		name      string
		first     Outcome
		then      Outcome
		suspended bool
		count     int
	}{
		{"unavailable", Outcome{}, Outcome{}, false, 60},
		{"rejected, then hanging", Outcome{Rejected: true}, Outcome{}, true, 4},
		{"rejected, then canceled", Outcome{Rejected: true}, Outcome{Canceled: true}, true, 59},
		{"rejected, then logged in without success", Outcome{Rejected: true}, Outcome{LoggedIn: true}, false, 59},
		{"rejected, then good", Outcome{Rejected: true}, Outcome{OK: true}, false, 59},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := newRecorder()
				w := begin(t, Options{}, r.jobWith("a", "s", time.Minute, func(n int) (time.Duration, Outcome) {
					if n == 0 {
						return time.Second, test.first
					}
					return time.Second, test.then
				}))
				wait(time.Hour)
				state, _ := w.State("a")
				if n := r.count("a"); state.Suspended != test.suspended || n < test.count-1 || n > test.count+1 {
					t.Errorf("%d runs, want about %d; the state is %+v", n, test.count, state)
				}
				if state.Suspended == state.NextLogin.IsZero() {
					t.Errorf("the state is %+v", state)
				}
			})
		})
	}
}

// RetryInterval is for failures, not for accounts that are held back.
func TestRetryIntervalIsNotForSuspended(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRecorder()
		job := rejects(r, "a", time.Minute, 1)
		job.RetryInterval = time.Second
		w := begin(t, Options{}, job)
		wait(time.Hour)
		if counts := w.Counts(); counts.Started > 8 || counts.Scheduled > 68 {
			t.Errorf("counts are %+v, want 8 started of about 66", counts)
		}
	})
}

// A changed secret is tried at the next slot; and when it is wrong, too, the list begins anew.
func TestChangedSecretLifts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var secret atomic.Value
		secret.Store("old")
		r := newRecorder()
		job := rejects(r, "a", 10*time.Second, 0)
		job.Secret = func() string { return secret.Load().(string) }
		w := begin(t, Options{}, job)
		wait(time.Hour)
		count := r.count("a")
		secret.Store("") // Unreadable, which isn't a change.
		wait(time.Minute)
		secret.Store("old")
		wait(time.Minute)
		if r.count("a") != count {
			t.Fatal("a login without a new secret")
		}
		secret.Store("new")
		wait(10 * time.Second)
		if state := w.stateOf("a"); state != must(w.State("a")) {
			t.Errorf("the observer was told %+v", state)
		}
		if r.count("a") != count+1 {
			t.Fatalf("%d logins in 10 s after the change", r.count("a")-count)
		}
		wait(66 * time.Second)
		if r.count("a") != count+2 {
			t.Errorf("%d logins in 76 s after the change", r.count("a")-count)
		}
		checkSum(t, w.Counts())
	})
}

// A suspended account whose time has come may have to wait for room, and so has one with a new secret.
func TestSuspendedWaitsForRoom(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRecorder()
		var secret atomic.Value
		secret.Store("old")
		job := rejects(r, "a", 10*time.Second, 0)
		job.Secret = func() string { return secret.Load().(string) }
		w := begin(t, Options{MaxConcurrent: 1}, job, r.job("long", "other", 0, 2*time.Minute))
		long := func() { _ = w.Do(t.Context(), "long") }
		wait(30 * time.Second)
		go long()
		wait(time.Minute)
		if err := w.Do(t.Context(), "a"); err != nil || r.count("a") != 2 {
			t.Errorf("%v, %d runs: Do should have joined the slot", err, r.count("a"))
		}
		go long()
		secret.Store("new")
		wait(15 * time.Second)
		if state, _ := w.State("a"); state.Suspended || state != w.stateOf("a") || !state.NextRun.Before(time.Now()) {
			t.Errorf("the state is %+v, the observer was told %+v", state, w.stateOf("a"))
		}
	})
}

// Looking for a new secret may block on a file. That keeps nobody else, and all slots are counted.
func TestHungSecrets(t *testing.T) {
	for _, stopHung := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			r := newRecorder()
			hang := make(chan struct{})
			var hung, most atomic.Int64
			var begun [20]atomic.Bool
			var slots uint64
			jobs := []Job{r.job("good", "other", 10*time.Second, time.Second)}
			for i := range 20 {
				job := rejects(r, fmt.Sprintf("wrong-%d", i), 10*time.Second, 0)
				job.Server = fmt.Sprintf("server-%d", i)
				first := true
				job.Secret = func() string {
					if first {
						first = false
						return "old"
					}
					most.Store(max(most.Load(), hung.Add(1)))
					begun[i].Store(true)
					<-hang
					hung.Add(-1)
					return "new"
				}
				jobs = append(jobs, job)
			}
			for _, job := range jobs {
				slots += slotsUntil(job, time.Now(), time.Now().Add(50*time.Second))
			}
			w := begin(t, Options{}, jobs...)
			wait(50 * time.Second)
			if most.Load() != checksAtOnce {
				t.Errorf("%d secrets are being looked at at a time, want %d", most.Load(), checksAtOnce)
			}
			if good := r.count("good"); good < 4 || good > 6 {
				t.Errorf("the good account ran %d times in 50 s", good)
			}
			if stopHung {
				w.stop()
				if counts := w.Counts(); counts.Scheduled != slots || counts.Skipped[Shutdown] != 20 {
					t.Errorf("counts are %+v, want %d slots", counts, slots)
				}
				close(hang)
				synctest.Wait()
				looked := 0
				for i := range begun {
					if begun[i].Load() {
						looked++
					}
				}
				if looked != checksAtOnce {
					t.Errorf("%d secrets were looked at, want %d: none after the stop", looked, checksAtOnce)
				}
				return
			}
			unknown := 0 // One that waits for its check has no secret any more.
			for begun[unknown].Load() {
				unknown++
			}
			jobs[unknown+1].Secret = nil
			w.Set(jobs[:15])
			close(hang)
			synctest.Wait()
			for i := range 20 {
				want := 2
				if i+1 >= 15 || i == unknown { // Removed, or unchanged as far as anybody knows.
					want = 1
				}
				if n := r.count(fmt.Sprintf("wrong-%d", i)); n != want {
					t.Errorf("account %d ran %d times, once its secret was known; want %d", i, n, want)
				}
			}
			w.stop()
			if counts := w.Counts(); counts.Scheduled != slots-6 { // Those that the removed ones waited for.
				t.Errorf("counts are %+v, want %d slots", counts, slots-6)
			}
		})
	}
}

// Whatever happens between two logins, the skipped slots are those that have come.
func TestSkippedWhileSuspended(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRecorder()
		job := rejects(r, "a", 10*time.Second, 0)
		job.Secret = func() string { return "old" }
		w := begin(t, Options{}, job)
		wait(40*time.Minute + time.Millisecond) // The next login is after 2 h.
		before := w.Counts()
		for range 10 {
			w.standStill(77 * time.Second)
			wait(3 * time.Second)
		}
		after := w.Counts()
		if got := after.Skipped[Backoff] - before.Skipped[Backoff]; got != 80 || after.Started != before.Started {
			t.Errorf("%d slots were skipped in 800 s, want 80: %+v", got, after)
		}
	})
}

// An account that may well be rejected goes alone: it waits for those under way, and others wait for it, 4 s at most.
func TestSuspectsGoAlone(t *testing.T) {
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
		startsAfter("a", began, aloneTime)
		startsAfter("b", began, aloneTime)
		startsAfter("c", began, aloneTime)

		wait(12 * time.Hour)
		do("slow")
		wait(5 * time.Second)
		began = do("suspect", "a") // slow hangs; it isn't waited for, and when suspect has ended, a may start.
		wait(time.Minute)
		startsAfter("suspect", began, 0)
		startsAfter("a", began, 2*time.Second)
	})
}

// An authentication backend that was down says plain NO. When it accepts one of those it rejected, all are tried again.
func TestNeighboursSuccessLifts(t *testing.T) {
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
			if n := len(w.servers["s"].suspended); n > 0 {
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

// A server that asks to be left alone is, by the account that it asked, as long as it says, an hour at most.
func TestThrottled(t *testing.T) {
	for _, test := range []struct{ asks, held time.Duration }{
		{0, 5 * time.Minute},
		{299961 * time.Millisecond, 299961 * time.Millisecond},
		{45 * time.Minute, 45 * time.Minute},
		{1e12 * time.Millisecond / 1000, time.Hour},
		{-time.Second, 5 * time.Minute},
	} {
		synctest.Test(t, func(t *testing.T) {
			r := newRecorder()
			job := r.jobWith("a", "s", 10*time.Second, func(n int) (time.Duration, Outcome) {
				return time.Second, Outcome{OK: n != 3, Throttled: n == 3, Backoff: test.asks}
			})
			job.RetryInterval = 3 * time.Second
			w := begin(t, Options{}, job, r.job("b", "s", 10*time.Second, time.Second))
			wait(50 * time.Second)
			state, _ := w.State("a")
			wait(2 * time.Hour)
			w.stop()
			gap := r.startsOf("a")[4].Sub(r.startsOf("a")[3]) - time.Second
			if gap < test.held || gap >= test.held+10*time.Second {
				t.Errorf("asked for %s: held for %s, want %s", test.asks, gap, test.held)
			}
			if !state.NextRun.Equal(r.startsOf("a")[4]) || state.Suspended {
				t.Errorf("asked for %s: the state was %+v, the next run at %s", test.asks, state, r.startsOf("a")[4])
			}
			counts := w.Counts()
			if want := uint64((test.held + time.Second) / (10 * time.Second)); counts.Skipped[Throttled] != want {
				t.Errorf("asked for %s: %d slots skipped, want %d", test.asks, counts.Skipped[Throttled], want)
			}
			if counts.Skipped[Overload]+counts.Skipped[Backoff] != 0 {
				t.Errorf("asked for %s: counts are %+v", test.asks, counts)
			}
		})
	}
}

// After a rejected login nothing starts on that server for a while. What is under way goes on, and so do other servers.
func TestQuietAfterRejection(t *testing.T) {
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
				if after > 0 && after < quietTime && name != "other" {
					t.Errorf("%s began %s after a rejected login", name, after)
				}
				if after >= quietTime && after < quietTime+time.Second {
					near++
				}
			}
		}
		if near < 20 {
			t.Errorf("%d jobs began just after the quiet", near)
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

// Many wrong passwords on a server don't keep its good ones from being probed.
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
