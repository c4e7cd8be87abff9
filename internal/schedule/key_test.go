package schedule

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"
)

// request calls Do with a key and a Run, in a goroutine, and returns the channel for its error.
func (w *testSchedule) request(t *testing.T, name, key string, do Job) chan error {
	answer := make(chan error, 1)
	go func() {
		_, err := w.Schedule.Do(t.Context(), Request{Name: name, Key: key, Run: do.Run})
		answer <- err
	}()
	synctest.Wait()
	return answer
}

// Requests with the same key share a run. Those with another key get theirs after it, never at the same time.
func TestRequestsWithTheSameKeyShareARun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRecorder()
		w := begin(t, Options{}, r.job("a", "s", 0, time.Second))
		thorough := r.job("thorough", "a's", 0, 2*time.Second)
		quick := r.job("quick", "a's", 0, time.Second)
		var answers []chan error
		for range 3 {
			answers = append(answers, w.request(t, "a", "thorough", thorough), w.request(t, "a", "quick", quick), w.request(t, "a", "", Job{}))
		}
		begun := time.Now()
		for _, answer := range answers {
			if err := <-answer; err != nil {
				t.Error(err)
			}
		}
		if took := time.Since(begun); took != 4*time.Second || r.most("") != 1 {
			t.Errorf("it took %s with %d at a time, want 4s with one after the other", took, r.most(""))
		}
		for _, name := range []string{"a", "thorough", "quick"} {
			if n := r.count(name); n != 1 {
				t.Errorf("%d runs of %s", n, name)
			}
		}
	})
}

// A run off schedule moves no slot and causes no retry; a slot that comes meanwhile is served after it.
func TestOffSchedule(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRecorder()
		job := r.job("a", "s", 10*time.Minute, time.Second)
		job.RetryInterval = time.Minute
		w := begin(t, Options{}, job)
		wait(time.Hour)
		before, _ := w.State("a")
		offSchedule := r.jobWith("off schedule", "x", 0, func(int) (time.Duration, Outcome) { return time.Minute, Outcome{OffSchedule: true} })
		wait(time.Until(before.NextRun) - 3*time.Minute)
		if err := <-w.request(t, "a", "other", offSchedule); err != nil {
			t.Error(err)
		}
		if after, _ := w.State("a"); after != before {
			t.Errorf("the state is %+v, was %+v", after, before)
		}
		wait(time.Until(before.NextRun) - 30*time.Second)
		answer := w.request(t, "a", "other", offSchedule)
		runs, counts := r.count("a"), w.Counts()
		if err := <-answer; err != nil {
			t.Error(err)
		}
		wait(2 * time.Second)
		if got := w.Counts(); r.count("a") != runs+1 || got.Started != counts.Started+1 || got.skipped() != counts.skipped() || w.delay("a") != 30*time.Second {
			t.Errorf("%d runs, delay %s, counts %+v were %+v", r.count("a")-runs, w.delay("a"), got, counts)
		}
	})
}

// A run by the caller's Run that doesn't end as OffSchedule postpones the next slot like the job's own.
func TestCallersRunPostponesTheNextSlot(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRecorder()
		w := begin(t, Options{}, r.job("a", "s", 10*time.Minute, time.Second))
		wait(time.Hour)
		before, _ := w.State("a")
		wait(time.Until(before.NextRun) - time.Minute)
		if err := <-w.request(t, "a", "", r.job("mine", "x", 0, time.Second)); err != nil {
			t.Error(err)
		}
		if after, _ := w.State("a"); !after.NextRun.Equal(before.NextRun.Add(10 * time.Minute)) {
			t.Errorf("the next run is at %s, was at %s", after.NextRun, before.NextRun)
		}
	})
}

// Requests for unconfigured servers share runs, keep the limits, outlast a reload, and leave nothing behind.
func TestUnconfiguredServers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRecorder()
		w := begin(t, Options{MaxConcurrent: 2, MaxConcurrentPerServer: 1}, r.job("a", "s", 0, 3*time.Second))
		results := make(chan error, 30)
		request := func(server string) {
			do := r.job("unconfigured "+server, server, 0, time.Second).Run
			_, err := w.Schedule.Do(t.Context(), Request{Key: "banner", UnconfiguredServer: server, Run: do, NoLogin: true})
			results <- err
		}
		go func() { results <- w.Do(t.Context(), "a") }()
		synctest.Wait()
		for range 5 {
			for _, server := range []string{"s", "t", "u"} {
				go request(server)
			}
		}
		synctest.Wait()
		w.Set([]Job{r.job("a", "s", 0, 3*time.Second)})
		for range 16 {
			if err := <-results; err != nil {
				t.Error(err)
			}
		}
		if r.most("") != 2 || r.most("s") != 1 || r.most("unconfigured t") != 1 {
			t.Errorf("%d at a time, %d on s", r.most(""), r.most("s"))
		}
		for _, server := range []string{"s", "t", "u"} {
			if n := r.count("unconfigured " + server); n != 1 {
				t.Errorf("%d runs on %s, want that all share one", n, server)
			}
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second/2)
		defer cancel()
		if _, err := w.Schedule.Do(ctx, Request{Key: "banner", UnconfiguredServer: "v", Run: r.job("v", "v", 0, time.Second).Run}); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("%v of a caller that gives up", err)
		}
		wait(time.Minute)
		if len(w.jobs) != 1 || len(w.servers) != 1 {
			t.Errorf("%d jobs and %d servers are left", len(w.jobs), len(w.servers))
		}
	})
}

// Callers that wait for the end of a run with another key get an error when the schedule stops.
func TestOtherKeysAtTheStop(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRecorder()
		w := begin(t, Options{Grace: time.Minute}, r.job("a", "s", 0, 5*time.Second))
		own := w.request(t, "a", "", Job{})
		other := w.request(t, "a", "other", r.job("other", "x", 0, time.Second))
		w.stop()
		if err := <-own; err != nil {
			t.Errorf("the run under way: %v", err)
		}
		if err := <-other; !errors.Is(err, ErrCanceled) {
			t.Errorf("the one that waited: %v", err)
		}
	})
}
