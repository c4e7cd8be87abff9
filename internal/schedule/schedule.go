package schedule

import (
	"context"
	"maps"
	"runtime"
	"sync"
	"time"
)

// probesPerCore is the default for MaxConcurrent, by core. A probe mostly waits for the network, and takes a few
// milliseconds of CPU, most of them for TLS; with more probes at once, they would slow each other down.
const probesPerCore = 64

// maxTimer is the longest time between two looks at the clock, so that the schedule notices when the machine has slept.
const maxTimer = time.Minute

// Options configure a Schedule.
type Options struct {
	// MaxConcurrent limits how many jobs run at a time. 0 means DefaultMaxConcurrent.
	MaxConcurrent int
	// MaxConcurrentPerServer limits how many jobs of one server run at a time. 0 means MaxConcurrent.
	MaxConcurrentPerServer int
	// Grace is how long running jobs may continue after the schedule is stopped, before their context is canceled.
	Grace time.Duration
	// Seed is hashed together with the names. Two copies of a program with the same accounts use different seeds, so
	// that they don't probe at the same time. A single copy needs none.
	Seed string
	// Observe is told what happens. It may be nil.
	Observe Observer
}

// An Observer is told what happens on a schedule. Its methods are called one at a time, while the schedule is locked:
// they must not block, call the Schedule, or wait for a lock that somebody holds who does.
type Observer interface {
	// Started is called when a slot's run starts, with the time since the slot.
	Started(name string, delay time.Duration)
	// Changed is called when a job's State may have changed, with the present one.
	Changed(name string, s State)
}

type noObserver struct{}

func (noObserver) Started(string, time.Duration) {}
func (noObserver) Changed(string, State)         {}

// A Schedule runs jobs. Make one with New. Its methods may be called from any goroutine.
type Schedule struct {
	opts Options
	runs sync.WaitGroup

	mu       sync.Mutex  // guards all below
	execute  func(*run)  // executes a run in a goroutine of its own; nil before Run
	timer    *time.Timer // fires when the next slot or start is due; nil before Run
	stopping bool        // since Run's context is done
	clock    *clock
	counts   Counts
	inFlight int

	unconfiguredInFlight int // how many of these are of unconfigured jobs

	jobs        map[string]*job
	servers     map[string]*server
	removedRuns map[string]*run // runs under way of jobs that were removed, by their names
	slots       queue[*job]     // jobs with an interval, by their next slot
	ready       queue[*server]  // servers on which a waiting job may start now, in the order of startsBefore
	delayed     queue[*server]  // servers on which a waiting job may start later, by that time

	reusable queue[*reusableOutcome] // by the time until which they may be reused

	uncheckedSecrets []*job // suspended jobs whose slot waits for the check of their secret
	secretChecks     int    // checks under way
}

// DefaultMaxConcurrent is used if Options don't set MaxConcurrent: 64 for each core that the process may use.
func DefaultMaxConcurrent() int { return probesPerCore * runtime.GOMAXPROCS(0) }

// New returns a schedule without jobs.
func New(o Options) *Schedule { return newSchedule(o, timeAsleep) }

// newSchedule returns a schedule for a machine that has slept for as long as asleep returns.
func newSchedule(o Options, asleep func() time.Duration) *Schedule {
	if o.MaxConcurrent == 0 {
		o.MaxConcurrent = DefaultMaxConcurrent()
	}
	if o.MaxConcurrentPerServer == 0 {
		o.MaxConcurrentPerServer = o.MaxConcurrent
	}
	if o.Observe == nil {
		o.Observe = noObserver{}
	}
	return &Schedule{
		opts:        o,
		clock:       newClock(asleep),
		counts:      Counts{Skipped: map[Reason]uint64{Overload: 0, Backoff: 0, Unavailable: 0, Throttled: 0, Shutdown: 0}},
		jobs:        make(map[string]*job),
		servers:     make(map[string]*server),
		removedRuns: make(map[string]*run),
		slots: queue[*job]{
			less:  func(a, b *job) bool { return a.nextSlot.Before(b.nextSlot) },
			index: func(j *job) *int { return &j.slotsIndex },
		},
		ready: queue[*server]{
			less:  func(a, b *server) bool { return startsBefore(a.waiting.first(), b.waiting.first()) },
			index: func(v *server) *int { return &v.readyIndex },
		},
		delayed: queue[*server]{
			less:  func(a, b *server) bool { return a.readyAt.Before(b.readyAt) },
			index: func(v *server) *int { return &v.delayedIndex },
		},
		reusable: queue[*reusableOutcome]{
			less:  func(a, b *reusableOutcome) bool { return a.until.Before(b.until) },
			index: func(o *reusableOutcome) *int { return &o.index },
		},
	}
}

// Counts returns how many slots were started and skipped so far.
func (s *Schedule) Counts() Counts {
	s.mu.Lock()
	defer s.mu.Unlock()
	counts := s.counts
	counts.Skipped = maps.Clone(counts.Skipped)
	return counts
}

// InFlight returns how many jobs are running now, for a slot or for Do.
func (s *Schedule) InFlight() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.inFlight
}

// State returns the state of the job of that name, and whether there is one.
func (s *Schedule) State(name string) (State, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if j := s.jobs[name]; j != nil {
		return s.stateOf(j), true
	}
	return State{}, false
}

// Run runs the jobs until ctx is done. Then it starts no more, cancels those that still run after Options.Grace, and
// returns when all have ended. It must be called only once.
func (s *Schedule) Run(ctx context.Context) {
	runCtx, cancelRuns := context.WithCancel(context.WithoutCancel(ctx))
	defer cancelRuns()
	s.begin(runCtx)
	defer s.timer.Stop()
	for ctx.Err() == nil {
		select {
		case <-s.timer.C:
			s.update(func(time.Time) {})
		case <-ctx.Done():
		}
	}
	s.stop()
	grace := time.AfterFunc(s.opts.Grace, cancelRuns)
	defer grace.Stop()
	s.runs.Wait()
}

// update calls change with the schedule locked. Before, it handles all slots up to now, so that change sees none that
// is due; afterwards, it starts the jobs that can start.
func (s *Schedule) update(change func(now time.Time)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.clock.now()
	if s.execute == nil || s.stopping {
		change(now)
		return
	}
	s.handleSlots(now)
	s.dropExpired(now)
	change(now)
	s.startReady(now)
	s.timer.Reset(s.untilNextEvent(now))
}

// begin gives the jobs that were set before Run their first slots. The runs' contexts are derived from ctx.
func (s *Schedule) begin(ctx context.Context) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.execute = func(r *run) {
		runCtx, cancel := context.WithCancel(ctx)
		r.cancel = cancel
		job := r.job.Job
		s.runs.Go(func() {
			r.secret = job.fingerprint()
			r.outcome = r.do(runCtx)
			s.update(func(now time.Time) { s.endRun(r, now) })
		})
	}
	s.timer = time.NewTimer(0)
	now := s.clock.now()
	for _, j := range s.jobs {
		s.planSlots(j, now)
	}
}

// untilNextEvent returns when the next slot comes or the next waiting job may start, unless something else happens first.
func (s *Schedule) untilNextEvent(now time.Time) time.Duration {
	wait := maxTimer
	if len(s.slots.items) > 0 {
		wait = min(wait, s.slots.first().nextSlot.Sub(now))
	}
	if len(s.delayed.items) > 0 {
		wait = min(wait, s.delayed.first().readyAt.Sub(now))
	}
	return wait
}

// stop ends the starting of jobs. The slots of waiting jobs are skipped.
func (s *Schedule) stop() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.handleSlots(s.clock.now())
	s.stopping = true
	s.uncheckedSecrets = nil
	for _, j := range s.jobs {
		if j.slotWaits || j.checkingSecret {
			s.skip(Shutdown, 1)
		}
		j.slotWaits, j.checkingSecret = false, false
		if j.run == nil || j.run.jobRemoved {
			j.answerAllCallers(answer{err: ErrCanceled})
			s.removeUnconfigured(j)
		}
	}
}
