// Package schedule runs jobs over time: spread, never overlapping, never piling up.
//
// # Slots
//
// A job has a slot every interval, at its own phase: the hash of its name, modulo the interval, on the wall clock.
// So jobs are spread evenly over the interval, and keep their places when the program is started anew. Slots come
// whether or not earlier probes have ended (an open loop): a slow server doesn't stretch the schedule, which would hide
// just the time in which it was slow.
//
// Nobody wants to wait an hour for the first probe of an hourly job. So the first slot is the job's own one when that
// comes within 30 s, else it is 30 s spread by the same hash. After any probe comes the first slot of its own that is
// at least half an interval later. Example, with an interval of 10 minutes, phase 7 minutes, and a hash that gives 12 s:
//
//	start 12:00:00   probes 12:00:12, 12:07:00, 12:17:00, 12:27:00 …
//	start 12:04:00   probes 12:04:12, 12:17:00, 12:27:00 …               12:07:00 is too close
//	start 12:06:50   probes 12:07:00, 12:17:00, 12:27:00 …               the job's own slot comes within 30 s
//
// So the first probe starts within the lesser of the interval and 30 s, and the second between half an interval and one
// and a half intervals after it.
//
// While a job fails, its slots come every RetryInterval, counted from the slot that failed, where that is shorter.
// Once it succeeds, the half-interval rule brings it back to its own phase.
//
// # Bounds
//
// At most one probe of a job runs at a time, at most MaxConcurrent in all and MaxConcurrentPerServer for one server.
// What can't start waits, and those that have waited longest start first. A job that is still waiting or running when
// its next slot comes doesn't queue for it again: that slot is skipped, and counted.
package schedule

import (
	"container/heap"
	"context"
	"runtime"
	"sync/atomic"
	"time"
)

// probesPerCore bounds the concurrent probes where the user doesn't. A probe spends most of its time waiting for the
// network and takes a few milliseconds of CPU, most of them for TLS; with more at a time, they measure each other.
const probesPerCore = 64

// Options bound a Schedule.
type Options struct {
	// MaxConcurrent is how many jobs run at a time. 0 means 64 for each core that the process may use.
	MaxConcurrent int
	// MaxConcurrentPerServer is how many jobs of one server run at a time. 0 means no bound but MaxConcurrent.
	MaxConcurrentPerServer int
	// Grace is how long running jobs may go on when the schedule is stopped, before their context is canceled.
	Grace time.Duration
}

// Counts are what became of the slots: each one was started or skipped.
type Counts struct {
	Started, Skipped int
}

// A Schedule runs jobs. Make one with New.
type Schedule struct {
	opts     Options
	jobs     []*job
	timeline queue     // jobs whose next slot is to come
	ready    queue     // jobs whose slot has come, and whose server had room when last seen
	ended    chan *job // jobs whose run has ended
	running  atomic.Int64
	counts   Counts
}

// New returns a schedule of the jobs that have an interval. Their names must differ.
func New(jobs []Job, opts Options) *Schedule {
	if opts.MaxConcurrent == 0 {
		opts.MaxConcurrent = probesPerCore * runtime.GOMAXPROCS(0)
	}
	if opts.MaxConcurrentPerServer == 0 {
		opts.MaxConcurrentPerServer = opts.MaxConcurrent
	}
	s := &Schedule{opts: opts, ended: make(chan *job)}
	servers := make(map[string]*server)
	for _, j := range jobs {
		if j.Interval <= 0 {
			continue
		}
		if servers[j.Server] == nil {
			servers[j.Server] = &server{}
		}
		s.jobs = append(s.jobs, &job{Job: j, hash: hash(j.Name), server: servers[j.Server]})
	}
	return s
}

// InFlight returns how many jobs are running now.
func (s *Schedule) InFlight() int { return int(s.running.Load()) }

// Run runs the jobs until ctx is done. Then it starts no more, gives the running ones their grace, cancels those that
// remain, and returns when all have ended. It may be called once.
func (s *Schedule) Run(ctx context.Context) Counts {
	jobCtx, cancelJobs := context.WithCancel(context.WithoutCancel(ctx))
	defer cancelJobs()

	now := time.Now()
	for _, j := range s.jobs {
		j.slot = j.first(now)
		heap.Push(&s.timeline, j)
	}

	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			s.stop(cancelJobs)
			return s.counts
		case j := <-s.ended:
			s.release(j)
			s.counts.Skipped += j.advance(time.Now())
			heap.Push(&s.timeline, j)
		case <-timer.C:
		}
		s.startDue(jobCtx)
		if len(s.timeline) > 0 {
			timer.Reset(time.Until(s.timeline[0].slot))
		}
	}
}

// startDue starts the jobs whose slots have come, those that have waited longest first, as far as the bounds allow.
func (s *Schedule) startDue(ctx context.Context) {
	for now := time.Now(); len(s.timeline) > 0 && !s.timeline[0].slot.After(now); {
		heap.Push(&s.ready, heap.Pop(&s.timeline))
	}
	for len(s.ready) > 0 && s.InFlight() < s.opts.MaxConcurrent {
		j := heap.Pop(&s.ready).(*job)
		if j.server.running >= s.opts.MaxConcurrentPerServer {
			heap.Push(&j.server.parked, j)
			continue
		}
		s.start(ctx, j)
	}
}

// start runs a job in a goroutine of its own.
func (s *Schedule) start(ctx context.Context, j *job) {
	s.counts.Started++
	s.running.Add(1)
	j.server.running++
	go func() {
		j.failing = !j.Run(ctx)
		s.ended <- j
	}()
}

// release gives back the room that a job took, and makes the one ready that waited longest for its server.
func (s *Schedule) release(j *job) {
	s.running.Add(-1)
	j.server.running--
	if len(j.server.parked) > 0 {
		heap.Push(&s.ready, heap.Pop(&j.server.parked))
	}
}

// stop waits for the running jobs, and cancels them when their grace is over. The slots of waiting jobs are skipped.
func (s *Schedule) stop(cancelJobs context.CancelFunc) {
	now := time.Now()
	grace := time.NewTimer(s.opts.Grace)
	defer grace.Stop()
	for s.InFlight() > 0 {
		select {
		case j := <-s.ended:
			s.release(j)
			s.counts.Skipped += j.advance(now)
		case <-grace.C:
			cancelJobs()
		}
	}
	for _, j := range s.jobs {
		if j.slot.Before(now) {
			s.counts.Skipped += 1 + j.advance(now)
		}
	}
}
