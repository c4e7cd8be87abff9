package schedule

import (
	"context"
	"slices"
	"sync"
	"sync/atomic"
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

// job makes a job whose runs take so long, succeed, and end early when they are canceled.
func (r *recorder) job(name, server string, interval, takes time.Duration) Job {
	return r.jobWith(name, server, interval, func(int) (time.Duration, Outcome) { return takes, Outcome{OK: true} })
}

// jobWith makes a job whose runs take and come out as do says, which is told their number, from 0 on.
func (r *recorder) jobWith(name, server string, interval time.Duration, do func(n int) (time.Duration, Outcome)) Job {
	return Job{Name: name, Server: server, Interval: interval, Run: func(ctx context.Context) Outcome {
		r.begin(name, server, "")
		defer r.end(name, server, "")
		takes, outcome := do(r.count(name) - 1)
		select {
		case <-time.After(takes):
			return outcome
		case <-ctx.Done():
			return Outcome{Canceled: true}
		}
	}}
}

// startsOf returns when a job's runs began.
func (r *recorder) startsOf(name string) []time.Time {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.starts[name])
}

// count returns how many runs of a job began.
func (r *recorder) count(name string) int { return len(r.startsOf(name)) }

// all returns the names in the order of the runs.
func (r *recorder) all() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.order)
}

// now returns how many run.
func (r *recorder) now(key string) int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.running[key]
}

// most returns how many ran at a time.
func (r *recorder) most(key string) int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.mostAtOnce[key]
}

// A testSchedule is a running Schedule and its Observer.
type testSchedule struct {
	*Schedule
	stop   func()       // returns when the schedule has stopped
	asleep atomic.Int64 // nanoseconds that the machine has slept

	mu     sync.Mutex
	delays map[string][]time.Duration
	state  map[string]State
}

// begin runs a schedule, which is stopped at the end of the test.
func begin(t *testing.T, opts Options, jobs ...Job) *testSchedule {
	w := &testSchedule{delays: map[string][]time.Duration{}, state: map[string]State{}}
	opts.Observe = w
	w.Schedule = newSchedule(opts, func() time.Duration { return time.Duration(w.asleep.Load()) })
	w.Set(jobs)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() {
		defer close(done)
		w.Run(ctx)
	}()
	w.stop = func() {
		cancel()
		<-done
	}
	t.Cleanup(w.stop)
	synctest.Wait() // The jobs have their slots now.
	return w
}

// sleep lets the machine sleep for d. The schedule notices it when it next reads the clock.
func (w *testSchedule) sleep(d time.Duration) { w.asleep.Add(int64(d)) }

// standStill advances the schedule's clock by d at once, as if the process had been stopped by SIGSTOP.
func (w *testSchedule) standStill(d time.Duration) {
	w.sleep(d)
	w.update(func(time.Time) {})
}

// now returns the time of the schedule's clock.
func (w *testSchedule) now() (now time.Time) {
	w.update(func(at time.Time) { now = at })
	return now
}

// Do is Schedule.Do of a job's own run, without the Outcome.
func (w *testSchedule) Do(ctx context.Context, name string) error {
	_, err := w.Schedule.Do(ctx, Request{Name: name})
	return err
}

func (w *testSchedule) Started(name string, delay time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.delays[name] = append(w.delays[name], delay)
}

func (w *testSchedule) Changed(name string, s State) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.state[name] = s
}

// delaysOf returns the scheduling delays of a job.
func (w *testSchedule) delaysOf(name string) []time.Duration {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Clone(w.delays[name])
}

// delay returns the delay of a job's last start.
func (w *testSchedule) delay(name string) time.Duration {
	all := w.delaysOf(name)
	return all[len(all)-1]
}

// stateOf returns the state that was last observed.
func (w *testSchedule) stateOf(name string) State {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.state[name]
}

// runFor runs a schedule for a time.
func runFor(t *testing.T, d time.Duration, opts Options, jobs ...Job) Counts {
	t.Helper()
	w := begin(t, opts, jobs...)
	wait(d)
	w.stop()
	counts := w.Counts()
	checkSum(t, counts)
	return counts
}

// wait advances the fake time for the goroutine of a test, and waits until all that is due then has happened.
func wait(d time.Duration) {
	pause(d)
	synctest.Wait()
}

// pause advances the fake time for another goroutine of a test.
func pause(d time.Duration) { <-time.After(d) }

// gaps are the times between starts.
func gaps(starts []time.Time) []time.Duration {
	var gaps []time.Duration
	for i := 1; i < len(starts); i++ {
		gaps = append(gaps, starts[i].Sub(starts[i-1]))
	}
	return gaps
}

// since returns how long after the first of them the times are.
func since(times []time.Time) []time.Duration {
	var all []time.Duration
	for _, at := range times {
		all = append(all, at.Sub(times[0]))
	}
	return all
}

// skipped is the sum of the skipped slots.
func (c Counts) skipped() uint64 { return c.Scheduled - c.Started }

// checkSum checks that each slot was started or skipped.
func checkSum(t *testing.T, c Counts) {
	t.Helper()
	if sum := c.Started + c.Skipped[Overload] + c.Skipped[Backoff] + c.Skipped[Unavailable] + c.Skipped[Throttled] + c.Skipped[Shutdown]; sum != c.Scheduled || len(c.Skipped) != 5 {
		t.Errorf("counts don't add up: %+v", c)
	}
}

// slotsUntil counts the slots of a job that began at start, up to stop, by stepping through them one by one.
func slotsUntil(job Job, start, stop time.Time) (n uint64) {
	j := newJob(job.Name, job.Interval)
	for slot := j.firstSlot(start); !slot.After(stop); slot = j.slotAfter(slot, slot) {
		n++
	}
	return n
}

// sorted returns a sorted copy.
func sorted(names []string) []string { return slices.Sorted(slices.Values(names)) }
