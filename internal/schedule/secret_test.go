package schedule

import (
	"fmt"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// A changed secret is used in the next slot. If it is wrong, too, the waits begin anew.
func TestChangedSecretEndsSuspension(t *testing.T) {
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

// A suspended job whose next login is due waits for the limits, and so does one with a new secret.
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

// A check of a secret may block on a file. It delays no other job, and all slots are counted.
func TestSecretChecksThatHang(t *testing.T) {
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
			if most.Load() != maxSecretChecks {
				t.Errorf("%d secrets are being looked at at a time, want %d", most.Load(), maxSecretChecks)
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
				if looked != maxSecretChecks {
					t.Errorf("%d secrets were looked at, want %d: none after the stop", looked, maxSecretChecks)
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
