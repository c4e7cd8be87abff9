package schedule

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"
)

// silent requests probes of n servers that never answer, and returns a function that ends them all.
func (w *testSchedule) silent(t *testing.T, r *recorder, n int) (cancel func()) {
	ctx, cancel := context.WithCancel(t.Context())
	for i := range n {
		server := fmt.Sprintf("silent-%d", i)
		run := r.jobWith(server, "silent", 0, func(int) (time.Duration, Outcome) { return 20 * time.Second, Outcome{} }).Run
		go func() {
			_, err := w.Schedule.Do(ctx, Request{UnconfiguredServer: server, Key: "banner", Run: run, NoLogin: true})
			if err != nil && !errors.Is(err, context.Canceled) && !errors.Is(err, ErrNoRoom) {
				t.Errorf("%s: %v", server, err)
			}
		}()
	}
	synctest.Wait()
	return cancel
}

// Probes of 250 silent servers that no account has cost no account a slot, nor delay one: they use a quarter of the limit.
func TestSilentUnconfiguredServersDelayNoAccount(t *testing.T) {
	for _, limits := range []Options{{MaxConcurrent: 8}, {MaxConcurrent: 40, MaxConcurrentPerServer: 8}} {
		synctest.Test(t, func(t *testing.T) {
			r := newRecorder()
			var jobs []Job
			for i := range 12 {
				jobs = append(jobs, r.job(fmt.Sprintf("account-%d", i), "s", 10*time.Second, time.Second))
			}
			w := begin(t, limits, jobs...)
			wait(time.Minute)
			before := w.Counts()
			cancel := w.silent(t, r, 250)
			defer cancel()
			wait(5 * time.Minute)
			counts := w.Counts()
			if started := counts.Started - before.Started; counts.skipped() > 0 || started < 12*29 {
				t.Errorf("%+v: %d slots of 360 started beside silent servers; counts are %+v", limits, started, counts)
			}
			for _, job := range jobs {
				if delay := w.delay(job.Name); delay > 0 {
					t.Errorf("%+v: %s was delayed by %s", limits, job.Name, delay)
				}
			}
			if most := r.most("silent"); most != limits.MaxConcurrent/4 {
				t.Errorf("%+v: %d silent servers at a time, want a quarter", limits, most)
			}
		})
	}
}

// A waiting account starts before unconfigured servers that have waited for longer, on its own server too.
func TestUnconfiguredServersStartLast(t *testing.T) {
	for _, server := range []string{"s", "other"} {
		synctest.Test(t, func(t *testing.T) {
			r := newRecorder()
			w := begin(t, Options{MaxConcurrent: 1}, r.job("a", "s", 0, time.Second), r.job("long", "s", 0, time.Minute))
			_ = w.Do(t.Context(), "a") // It has a result, and a slot: these decide among accounts.
			go func() { _ = w.Do(t.Context(), "long") }()
			wait(time.Second)
			var answers []chan error
			for i := range 3 {
				answer := make(chan error, 1)
				answers = append(answers, answer)
				key := fmt.Sprintf("unconfigured-%d", i)
				go func() {
					_, err := w.Schedule.Do(t.Context(), Request{UnconfiguredServer: server, Key: key, Run: r.job(key, server, 0, time.Second).Run, NoLogin: true})
					answer <- err
				}()
				wait(time.Second)
			}
			go func() { _ = w.Do(t.Context(), "a") }()
			for _, answer := range answers {
				if err := <-answer; err != nil {
					t.Error(err)
				}
			}
			if order := r.all(); order[2] != "a" || len(order) != 6 {
				t.Errorf("on server %q the runs started in the order %v", server, order)
			}
		})
	}
}

// On a server that accounts have, too, unconfigured requests use at most a quarter of its limit.
func TestUnconfiguredRequestsForAnAccountsServer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRecorder()
		w := begin(t, Options{MaxConcurrent: 100, MaxConcurrentPerServer: 8}, r.job("a", "s", 10*time.Second, time.Second))
		for i := range 20 {
			key := fmt.Sprintf("unconfigured-%d", i)
			go func() {
				_, _ = w.Schedule.Do(t.Context(), Request{UnconfiguredServer: "s", Key: key, Run: r.job(key, "server of unconfigured", 0, 20*time.Second).Run, NoLogin: true})
			}()
		}
		wait(2 * time.Minute)
		if most := r.most("server of unconfigured"); most != 2 || w.Counts().skipped() > 0 || w.delay("a") > 0 {
			t.Errorf("%d at a time, want 2 of 8; the account's delay is %s, counts are %+v", most, w.delay("a"), w.Counts())
		}
		wait(5 * time.Minute)
	})
}
