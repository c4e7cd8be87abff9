package schedule

import (
	"context"
	"maps"
	"runtime"
	"sync"
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
	opts Options
	runs sync.WaitGroup

	mu       sync.Mutex      // guards all below
	ctx      context.Context // of the runs; nil before Run
	timer    *time.Timer     // calls update when a slot comes; nil before Run
	stopping bool            // from the end of Run's context on
	counts   Counts
	inFlight int
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

// DefaultMaxConcurrent is what MaxConcurrent is where Options don't say.
func DefaultMaxConcurrent() int { return probesPerCore * runtime.GOMAXPROCS(0) }

// New returns a schedule without jobs.
func New(o Options) *Schedule { return newSchedule(o, machineAsleep) }

// newSchedule makes a schedule for a machine that sleeps so long.
func newSchedule(o Options, asleep func() time.Duration) *Schedule {
	if o.MaxConcurrent == 0 {
		o.MaxConcurrent = DefaultMaxConcurrent()
	}
	if o.MaxConcurrentPerServer == 0 {
		o.MaxConcurrentPerServer = o.MaxConcurrent
	}
	if o.Observe == nil {
		o.Observe = nobody{}
	}
	return &Schedule{
		opts:    o,
		counts:  Counts{Skipped: map[Reason]uint64{Overload: 0, Backoff: 0, Throttled: 0, Shutdown: 0}},
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
func (s *Schedule) Counts() Counts {
	s.mu.Lock()
	defer s.mu.Unlock()
	counts := s.counts
	counts.Skipped = maps.Clone(counts.Skipped)
	return counts
}

// InFlight returns how many jobs are running now, by Do or by a slot.
func (s *Schedule) InFlight() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.inFlight
}

// State returns what a job is up to; ok says whether there is one of that name.
func (s *Schedule) State(name string) (state State, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if j := s.jobs[name]; j != nil {
		return s.state(j), true
	}
	return State{}, false
}

// Run runs the jobs until ctx is done. Then it starts no more, gives the running ones their grace, cancels those that
// remain, and returns when all have ended. It may be called once.
func (s *Schedule) Run(ctx context.Context) {
	runCtx, cancelRuns := context.WithCancel(context.WithoutCancel(ctx))
	defer cancelRuns()
	s.begin(runCtx)
	defer s.timer.Stop()
	for {
		select {
		case <-s.timer.C:
			s.update(func(time.Time) {})
		case <-ctx.Done():
			s.stop()
			grace := time.AfterFunc(s.opts.Grace, cancelRuns)
			defer grace.Stop()
			s.runs.Wait()
			return
		}
	}
}

// update calls f, which may change the state. Every slot up to now is dealt with before, and what may start by then is
// started afterwards.
func (s *Schedule) update(f func(now time.Time)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.clock.now()
	if s.ctx == nil || s.stopping {
		f(now)
		return
	}
	s.takeDue(now)
	f(now)
	s.startReady(now)
	s.timer.Reset(s.wait(now))
}

// begin gives the jobs that were set before their first slots.
func (s *Schedule) begin(ctx context.Context) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.ctx = ctx
	s.timer = time.NewTimer(0)
	now := s.clock.now()
	for _, j := range s.jobs {
		s.plan(j, now)
	}
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

// stop starts nothing any more. The slots of waiting jobs are skipped.
func (s *Schedule) stop() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.takeDue(s.clock.now())
	s.stopping = true
	s.toCheck = nil
	for _, j := range s.jobs {
		if j.slotWaits || j.checking {
			s.skip(Shutdown, 1)
		}
		j.slotWaits, j.checking = false, false
		if j.run == nil || j.run.orphaned {
			j.answer(answer{err: ErrCanceled})
		}
	}
}
