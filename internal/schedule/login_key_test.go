package schedule

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// alwaysEnds makes the Run of a Request that ends like this after a second, off schedule.
func alwaysEnds(r *recorder, name string, o Outcome) Job {
	o.OffSchedule = true
	return r.jobWith(name, "x", 0, func(int) (time.Duration, Outcome) { return time.Second, o })
}

// reasonOf returns the reason why Do was blocked, or "".
func reasonOf(err error) Reason {
	if blocked, ok := errors.AsType[*BlockedError](err); ok {
		return blocked.Reason
	}
	return ""
}

// A login that is rejected with a caller's key suspends only that key while the job's own login works: no slot is skipped.
func TestRejectedKeyDoesNotSuspendTheJob(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRecorder()
		w := begin(t, Options{}, r.job("a", "s", time.Minute, time.Second))
		wait(10 * time.Minute)
		runs, rejected := r.count("a"), alwaysEnds(r, "rejected", Outcome{Rejected: true})
		for range 20 * 60 {
			err := <-w.request(t, "a", "other", rejected)
			if state, _ := w.State("a"); state.Suspended {
				t.Fatalf("%v, and the state is %+v", err, state)
			}
			wait(time.Second)
		}
		wait(cooldown)
		if n := r.count("a") - runs; n < 19 || n > 21 || w.Counts().skipped() > 0 {
			t.Errorf("%d runs in 20 minutes, counts are %+v", n, w.Counts())
		}
		if n := r.count("rejected"); n != 3 {
			t.Errorf("%d logins with the rejected key in 20 minutes, want 3: at +0, +1 and +5 min", n)
		}
		if reason := reasonOf(<-w.request(t, "a", "other", rejected)); reason != Backoff {
			t.Errorf("the key is blocked by %q", reason)
		}
		if err := <-w.request(t, "a", "third", alwaysEnds(r, "third", Outcome{LoggedIn: true})); err != nil {
			t.Errorf("a key that was not rejected: %v", err)
		}
	})
}

// However many keys are rejected, the rejections of the account don't become many more: the waits of all keys grow together.
func TestRejectedKeysShareTheirWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRecorder()
		w := begin(t, Options{}, r.job("a", "s", time.Minute, time.Second))
		wait(10 * time.Minute)
		var jobs []Job
		for i := range 5 {
			jobs = append(jobs, alwaysEnds(r, fmt.Sprintf("rejected-%d", i), Outcome{Rejected: true}))
		}
		for range 24 * 60 {
			for _, job := range jobs {
				<-w.request(t, "a", job.Name, job)
			}
			wait(time.Minute)
		}
		rejections := 0
		for _, job := range jobs {
			rejections += r.count(job.Name)
		}
		if rejections < 5 || rejections > 5+1+3 { // The first one of each, another after 2 h, then one each 6 h.
			t.Errorf("%d rejected logins in 24 h", rejections)
		}
		if state, _ := w.State("a"); state.Suspended || w.Counts().skipped() > 0 {
			t.Errorf("the state is %+v, counts are %+v", state, w.Counts())
		}
	})
}

// If no login of the job works with the secret that was rejected, then all are suspended: the slots, and every key.
func TestRejectedKeySuspendsAllIfNoneWorks(t *testing.T) {
	for _, changed := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			r := newRecorder()
			var secret atomic.Value
			secret.Store("old")
			job := r.job("a", "s", time.Minute, time.Second)
			job.Secret = func() string { return secret.Load().(string) }
			if !changed {
				job = r.jobWith("a", "s", time.Minute, func(int) (time.Duration, Outcome) { return time.Second, Outcome{} })
			}
			w := begin(t, Options{}, job)
			wait(10 * time.Minute)
			secret.Store("new") // The login with the old one says nothing about it.
			before, _ := w.State("a")
			wait(time.Until(before.NextRun) - time.Second)
			runs := r.count("a")
			rejected := r.jobWith("rejected", "x", 0, func(int) (time.Duration, Outcome) {
				return 5 * time.Second, Outcome{OffSchedule: true, Rejected: true}
			})
			if err := <-w.request(t, "a", "other", rejected); err != nil {
				t.Error(err)
			}
			wait(0)
			if state, _ := w.State("a"); !state.Suspended || r.count("a") != runs || w.Counts().Skipped[Backoff] != 1 {
				t.Errorf("changed %t: %+v, %d runs, counts %+v", changed, state, r.count("a")-runs, w.Counts())
			}
			wait(cooldown)
			for _, key := range []string{"", "other", "third"} {
				if reason := reasonOf(<-w.request(t, "a", key, rejected)); reason != Backoff || r.count("rejected") != 1 {
					t.Errorf("changed %t: key %q is blocked by %q", changed, key, reason)
				}
			}
			banner := alwaysEnds(r, "banner", Outcome{OK: true})
			if _, err := w.Schedule.Do(t.Context(), Request{Name: "a", Key: "banner", Run: banner.Run, NoLogin: true}); err != nil {
				t.Errorf("a run that doesn't log in: %v", err)
			}
			if state, _ := w.State("a"); !state.Suspended || r.count("banner") != 1 {
				t.Errorf("%+v after a run without login", state)
			}
			wait(2 * time.Minute)
			if state, _ := w.State("a"); state.Suspended && changed || r.count("a") == runs {
				t.Errorf("changed %t: the job's own login was not tried after a minute: %+v", changed, state)
			}
		})
	}
}

// A caller's key that works is not suspended when the job's own login is rejected. Other keys that are rejected don't
// prolong the suspension of the job's own login.
func TestWorkingKeyIsNotSuspended(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRecorder()
		w := begin(t, Options{}, rejects(r, "a", time.Minute, 5))
		working, rejected := alwaysEnds(r, "working", Outcome{LoggedIn: true}), alwaysEnds(r, "rejected", Outcome{Rejected: true})
		for range 4 * 60 {
			if err := <-w.request(t, "a", "other", working); err != nil {
				t.Errorf("the working key: %v", err)
			}
			<-w.request(t, "a", "third", rejected)
			wait(time.Minute)
		}
		if state, _ := w.State("a"); !state.Suspended || r.count("rejected") < 5 {
			t.Errorf("the state is %+v, %d logins with the rejected key", state, r.count("rejected"))
		}
		logins := since(r.startsOf("a")[5:])
		for i, minutes := range []int{0, 1, 5, 15, 30, 45} {
			want := time.Duration(minutes) * time.Minute
			if (logins[i] - want).Abs() > want/10+90*time.Second {
				t.Errorf("the job's login %d after the rejection is at %s, want %s", i, logins[i], want)
			}
		}
	})
}

// A caller that gives up doesn't let another one through that is blocked, or that logs in where it does not.
func TestCallerThatGivesUpLetsNobodyThrough(t *testing.T) {
	for _, first := range []Request{{Name: "a"}, {Name: "a", Key: "banner", NoLogin: true}} {
		synctest.Test(t, func(t *testing.T) {
			r := newRecorder()
			w := begin(t, Options{MaxConcurrent: 1}, r.job("a", "s", 0, time.Second), r.job("long", "other", 0, time.Minute))
			if err := w.Do(t.Context(), "a"); err != nil {
				t.Fatal(err)
			}
			rejected := alwaysEnds(r, "rejected", Outcome{Rejected: true})
			if err := <-w.request(t, "a", "other", rejected); err != nil {
				t.Fatal(err)
			}
			wait(cooldown)
			go func() { _ = w.Do(t.Context(), "long") }()
			wait(time.Second)
			ctx, cancel := context.WithCancel(t.Context())
			go func() { _, _ = w.Schedule.Do(ctx, first) }()
			synctest.Wait()
			second := w.request(t, "a", "other", rejected) // It joins a job that waits.
			cancel()
			if reason := reasonOf(<-second); reason != Backoff || r.count("rejected") != 1 {
				t.Errorf("%q, and %d logins with the rejected key", reason, r.count("rejected"))
			}
		})
	}
}
