package schedule

import (
	"context"
	"runtime"
	"sync"
	"sync/atomic"
	"time"
)

// probesPerCore bounds the concurrent probes where the user doesn't. A probe spends most of its time waiting for the
// network and takes a few milliseconds of CPU, most of them for TLS; with more at a time, they measure each other.
const probesPerCore = 64

// lookUp is how often the schedule looks at the clock at least, so that it notices that the machine has slept.
const lookUp = time.Minute

// Options are what a Schedule goes by.
type Options struct {
	// MaxConcurrent is how many jobs run at a time. 0 means 64 for each core that the process may use.
	MaxConcurrent int
	// MaxConcurrentPerServer is how many jobs of one server run at a time. 0 means no bound but MaxConcurrent.
	MaxConcurrentPerServer int
	// Grace is how long running jobs may go on when the schedule is stopped, before their context is canceled.
	Grace time.Duration
	// Seed goes into the hash of the names. Two copies of a program that watch the same accounts use different ones, so
	// that their probes don't coincide. "" will do for one.
	Seed string
	// Observe is told what happens. It may be nil.
	Observe Observer
}

// An Observer is told what happens on a schedule. Its methods are called one at a time. They must not block, nor call
// the Schedule.
type Observer interface {
	// Started: a slot's run starts, so long after its time had come.
	Started(name string, lag time.Duration)
	// Changed: the job's State is s, and was different. It may be told the same twice.
	Changed(name string, s State)
}

// nobody observes nothing.
type nobody struct{}

func (nobody) Started(string, time.Duration) {}
func (nobody) Changed(string, State)         {}

// A Schedule runs jobs. Make one with New.
type Schedule struct {
	opts     Options
	tally    *tally
	inFlight atomic.Int64

	// These tell the goroutine of Run what to do; see own.
	ended   chan *run
	checked chan checked
	calls   chan func(now time.Time)
	stopped chan struct{}
	mu      sync.Mutex // guards all below while that goroutine isn't there, and running itself

	running  bool
	stopping bool // from the end of Run's context on
	clock    *clock
	jobs     map[string]*job
	servers  map[string]*server
	leaving  map[string]*run // runs of jobs that were removed
	timeline queue[*job]     // jobs with an interval, by their next slot
	ready    queue[*server]  // servers where a waiting job may start now, the one with the oldest last Result first
	closed   queue[*server]  // servers where one may later, by that time
	toCheck  []*job          // suspended jobs whose secret is to be looked at
	checks   int             // how many are being looked at
}

// New returns a schedule without jobs.
func New(o Options) *Schedule { return newSchedule(o, machineAsleep) }

// newSchedule makes a schedule for a machine that sleeps so long.
func newSchedule(o Options, asleep func() time.Duration) *Schedule {
	if o.MaxConcurrent == 0 {
		o.MaxConcurrent = probesPerCore * runtime.GOMAXPROCS(0)
	}
	if o.MaxConcurrentPerServer == 0 {
		o.MaxConcurrentPerServer = o.MaxConcurrent
	}
	if o.Observe == nil {
		o.Observe = nobody{}
	}
	return &Schedule{
		opts:    o,
		tally:   newTally(),
		ended:   make(chan *run),
		checked: make(chan checked),
		calls:   make(chan func(time.Time)),
		stopped: make(chan struct{}),
		clock:   newClock(asleep),
		jobs:    make(map[string]*job),
		servers: make(map[string]*server),
		leaving: make(map[string]*run),
		timeline: queue[*job]{
			before: func(a, b *job) bool { return a.next.Before(b.next) },
			place:  func(j *job) *int { return &j.onTimeline },
		},
		ready: queue[*server]{
			before: func(a, b *server) bool { return longerUnseen(a.waiting.first(), b.waiting.first()) },
			place:  func(v *server) *int { return &v.inReady },
		},
		closed: queue[*server]{
			before: func(a, b *server) bool { return a.opens.Before(b.opens) },
			place:  func(v *server) *int { return &v.inClosed },
		},
	}
}

// Counts returns what became of the slots so far.
func (s *Schedule) Counts() Counts { return s.tally.counts() }

// InFlight returns how many jobs are running now, by Do or by a slot.
func (s *Schedule) InFlight() int { return int(s.inFlight.Load()) }

// State returns what a job is up to; ok says whether there is one of that name.
func (s *Schedule) State(name string) (state State, ok bool) {
	s.own(func(time.Time) {
		if j := s.jobs[name]; j != nil {
			state, ok = s.state(j), true
		}
	})
	return state, ok
}

// own calls f as the owner of the schedule's state: in the goroutine of Run, and where there is none, in this one.
func (s *Schedule) own(f func(now time.Time)) {
	if s.ownAtRest(f) {
		return
	}
	done := make(chan struct{})
	select {
	case s.calls <- func(now time.Time) { defer close(done); f(now) }:
		<-done
	case <-s.stopped:
		s.ownAtRest(f)
	}
}

// ownAtRest calls f unless Run has begun, and not ended.
func (s *Schedule) ownAtRest(f func(now time.Time)) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.running {
		return false
	}
	f(s.clock.now())
	return true
}

// Run runs the jobs until ctx is done. Then it starts no more, gives the running ones their grace, cancels those that
// remain, and returns when all have ended. It may be called once.
func (s *Schedule) Run(ctx context.Context) {
	runCtx, cancelRuns := context.WithCancel(context.WithoutCancel(ctx))
	defer cancelRuns()
	s.begin()
	defer s.finish()

	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		var handle func(now time.Time)
		select {
		case <-ctx.Done():
			s.stop(cancelRuns)
			return
		case r := <-s.ended:
			handle = func(now time.Time) { s.end(r, now) }
		case c := <-s.checked:
			handle = func(now time.Time) { s.endCheck(c, now) }
		case handle = <-s.calls:
		case <-timer.C:
			handle = func(time.Time) {}
		}
		now := s.clock.now()
		s.takeDue(now) // First: all that follows may rely on every slot up to now having been dealt with.
		handle(now)
		s.startReady(runCtx, now)
		timer.Reset(s.wait(now))
	}
}

// begin gives the jobs that were set before their first slots.
func (s *Schedule) begin() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.running = true
	now := s.clock.now()
	for _, j := range s.jobs {
		s.plan(j, now)
	}
}

// finish leaves the state to whoever calls.
func (s *Schedule) finish() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.running = false
	close(s.stopped)
}

// takeDue deals with the slots that have come.
func (s *Schedule) takeDue(now time.Time) {
	for len(s.timeline.items) > 0 && !s.timeline.first().next.After(now) {
		s.due(s.timeline.first(), now)
	}
}

// wait returns for how long nothing is to be done of which nobody tells.
func (s *Schedule) wait(now time.Time) time.Duration {
	wait := lookUp
	if len(s.timeline.items) > 0 {
		wait = min(wait, s.timeline.first().next.Sub(now))
	}
	if len(s.closed.items) > 0 {
		wait = min(wait, s.closed.first().opens.Sub(now))
	}
	return wait
}

// stop waits for the running jobs, and cancels them when their grace is over. The slots of waiting jobs are skipped.
func (s *Schedule) stop(cancelRuns context.CancelFunc) {
	s.stopping = true
	s.takeDue(s.clock.now())
	for _, j := range s.jobs {
		if j.slotWaits || j.checking {
			s.tally.skip(Shutdown, 1)
		}
		j.slotWaits, j.checking = false, false
		if j.run == nil || j.run.orphaned {
			j.answer(answer{err: ErrCanceled})
		}
	}
	grace := time.NewTimer(s.opts.Grace)
	defer grace.Stop()
	for s.InFlight() > 0 {
		select {
		case r := <-s.ended:
			s.end(r, s.clock.now())
		case <-s.checked:
		case call := <-s.calls:
			call(s.clock.now())
		case <-grace.C:
			cancelRuns()
		}
	}
}
