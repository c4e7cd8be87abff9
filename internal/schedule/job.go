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
	// Name is what the job is known by. It decides, with Options.Seed, its phase within its interval.
	Name string
	// Server is whom the job burdens: MaxConcurrentPerServer bounds the jobs that have it in common, and they share
	// the quiet after a rejected login.
	Server string
	// Interval is the time between slots. A job with 0 has none, and runs when Do is called.
	Interval time.Duration
	// RetryInterval, where it is not 0 and shorter, takes the place of Interval while the job fails.
	RetryInterval time.Duration
	// Run does the work, once. It must end soon after ctx is done.
	Run func(ctx context.Context) Outcome
	// Secret fingerprints the present content of what the job logs in with; "" says that it isn't known. It is called
	// before each run and, while logins are held back, at each slot: a fingerprint other than that of the rejected login
	// ends that. It may read a file, and be called while Run runs. Nil: a change is noticed at the next login only.
	Secret func() string
}

// fingerprint returns the fingerprint of the secret; "" when it isn't known.
func (job Job) fingerprint() string {
	if job.Secret == nil {
		return ""
	}
	return job.Secret()
}

// An Outcome is what the schedule must know of a finished run.
type Outcome struct {
	// OK: the run succeeded.
	OK bool
	// LoggedIn: the server accepted the login, whatever came after it. OK says so, too.
	LoggedIn bool
	// Rejected: the server rejected the login.
	Rejected bool
	// Throttled: the server asked to be left alone for Backoff, or for an unnamed time (0).
	Throttled bool
	Backoff   time.Duration
	// Canceled: the run was cut short because its context was done. It counts as nothing.
	Canceled bool
	// OffSchedule: the run wasn't what the slots run, and tells only whether logins go well. The slots and RetryInterval
	// are as if it had never been.
	OffSchedule bool
	// Report is what the run has to tell to callers of Do. The schedule doesn't look at it.
	Report any
}

// A State is what a job is up to.
type State struct {
	// NextRun is when the job runs next, by the wall clock: in the past while it waits for room. Zero: on demand only.
	NextRun time.Time
	// Suspended: logins are held back, after rejected ones, until NextLogin. It stays until a login is accepted again,
	// or one of the other reasons of the package comment ends it. NextLogin is zero otherwise.
	Suspended bool
	NextLogin time.Time
}

// A job is a Job on its way through the schedule. Its next slot is on the timeline; besides, it is idle, being checked
// for a new secret, waiting at its server, or running. Schedule.mu guards it.
type job struct {
	Job
	hash   time.Duration
	server *server

	next      time.Time // the next slot; zero without an interval
	slot      time.Time // when the run that it waits for, is in, or had last, was due
	slotWaits bool      // the slot has come, and is neither started nor skipped
	checking  bool      // as slotWaits, until it is known whether the secret has changed
	run       *run      // the run under way, or nil
	callers   []*caller
	guest     bool // it is of no account; see Request.UnconfiguredServer

	lastResult time.Time // zero before the first
	failing    bool
	untried    bool // no login was tried yet with what the job logs in with
	guard

	onTimeline, inWaiting int // places in queues
}

// retrying says whether the job's slots come every RetryInterval.
func (j *job) retrying(now time.Time) bool {
	return j.failing && j.RetryInterval > 0 && j.RetryInterval < j.Interval && !j.suspended() && !now.Before(j.calm)
}

// first returns the job's first slot after now: its own when that comes soon, else one within firstWithin.
func (j *job) first(now time.Time) time.Time {
	slot := j.own(now)
	if slot.Sub(now) < firstWithin {
		return slot
	}
	return now.Add(j.spread(firstWithin))
}

// after returns the slot after the one at t.
func (j *job) after(t, now time.Time) time.Time {
	if j.retrying(now) {
		return t.Add(j.RetryInterval)
	}
	slot := j.own(t.Add(j.Interval / 2))
	if j.suspended() && j.login.After(t) && j.login.Before(slot) {
		return j.login
	}
	return slot
}

// own returns the first slot at or after t at the job's own phase.
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

// advance moves the next slot, which has come, on to the one after now, and returns how many slots passed in between:
// by arithmetic, so that a week's sleep costs no more than a second's.
func (j *job) advance(now time.Time) (passed uint64) {
	j.next = j.after(j.next, now)
	for ; passed < 2 && !j.next.After(now); passed++ { // A login may be due between slots. From then on they are regular.
		j.next = j.after(j.next, now)
	}
	period := j.Interval
	if j.retrying(now) {
		period = j.RetryInterval
	}
	if late := now.Sub(j.next); late >= 0 {
		caughtUp := late - late%period + period
		j.next = j.next.Add(caughtUp)
		passed += uint64(caughtUp / period) //nolint:gosec // It isn't negative.
	}
	return passed
}

// retry returns the first slot after now that is a number of RetryIntervals after the one that failed.
func (j *job) retry(now time.Time) time.Time {
	since := now.Sub(j.slot)
	return now.Add(j.RetryInterval - since%j.RetryInterval)
}

// hash is SHA-256, cut to 292 years: names that differ in one digit land far apart.
func hash(name string) time.Duration {
	sum := sha256.Sum256([]byte(name))
	return time.Duration(binary.BigEndian.Uint64(sum[:]) >> 1)
}
