package schedule

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"time"
)

// firstWithin is the longest that a job waits for its first slot.
const firstWithin = 30 * time.Second

// A Job is what runs over and over.
type Job struct {
	// Name decides the job's phase within its interval.
	Name string
	// Server is whom the job burdens: MaxConcurrentPerServer bounds the jobs that have it in common.
	Server string
	// Interval is the time between slots. A job with 0 never runs.
	Interval time.Duration
	// RetryInterval, where it is not 0 and shorter, takes the place of Interval while the job fails.
	RetryInterval time.Duration
	// Run does the work, once, and reports whether it succeeded. It must end soon after ctx is done.
	Run func(ctx context.Context) (ok bool)
}

// A job is a Job on its way through the schedule. At any time it is in one place: on the timeline, ready, parked at its
// server, or running. Only the goroutine of Schedule.Run touches it, but for failing, which the run sets before its end.
type job struct {
	Job
	hash    time.Duration
	server  *server
	slot    time.Time // the next start, or the one that it waits or runs for
	failing bool
}

// A server counts the running jobs of one server and keeps those that wait for it, longest first.
type server struct {
	running int
	parked  queue
}

// first returns the job's first slot after now: its own when that comes soon, else one within firstWithin.
func (j *job) first(now time.Time) time.Time {
	slot := j.own(now)
	if slot.Sub(now) < firstWithin {
		return slot
	}
	return now.Add(j.spread(firstWithin))
}

// next returns the slot after the present one.
func (j *job) next() time.Time {
	if j.retrying() {
		return j.slot.Add(j.RetryInterval)
	}
	return j.own(j.slot.Add(j.Interval / 2))
}

// own returns the first slot at or after t at the job's own phase of the wall clock. Only the first slot is read from
// the wall clock: all others are counted on from it, so that a clock that is set doesn't move them.
func (j *job) own(t time.Time) time.Time {
	sincePhase := (time.Duration(t.UnixNano()) - j.spread(j.Interval)) % j.Interval
	if sincePhase == 0 {
		return t
	}
	return t.Add(j.Interval - sincePhase)
}

// spread returns the job's own share of d: evenly spread over all names, and always the same.
func (j *job) spread(d time.Duration) time.Duration {
	return j.hash % d
}

// advance moves the job to its next slot that is not past, and returns how many slots passed meanwhile.
func (j *job) advance(now time.Time) (skipped int) {
	j.slot = j.next()
	period := j.Interval
	if j.retrying() {
		period = j.RetryInterval
	}
	if late := now.Sub(j.slot); late > 0 {
		caughtUp := late + period - 1
		caughtUp -= caughtUp % period
		j.slot = j.slot.Add(caughtUp)
		skipped = int(caughtUp / period)
	}
	return skipped
}

// retrying says whether the job's slots come every RetryInterval.
func (j *job) retrying() bool {
	return j.failing && j.RetryInterval > 0 && j.RetryInterval < j.Interval
}

// hash is SHA-256, cut to 292 years: names that differ in one digit land far apart.
func hash(name string) time.Duration {
	sum := sha256.Sum256([]byte(name))
	return time.Duration(binary.BigEndian.Uint64(sum[:]) >> 1)
}

// A queue is a heap of jobs, the earliest slot first.
type queue []*job

func (q queue) Len() int           { return len(q) }
func (q queue) Less(i, k int) bool { return q[i].slot.Before(q[k].slot) }
func (q queue) Swap(i, k int)      { q[i], q[k] = q[k], q[i] }
func (q *queue) Push(x any)        { *q = append(*q, x.(*job)) }

func (q *queue) Pop() any {
	last := len(*q) - 1
	j := (*q)[last]
	(*q)[last] = nil
	*q = (*q)[:last]
	return j
}
