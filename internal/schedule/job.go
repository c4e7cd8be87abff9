package schedule

import (
	"context"
	"time"
)

// A Job is something to run periodically.
type Job struct {
	// Name identifies the job. Together with Options.Seed, it determines the job's slots.
	Name string
	// Server is the server that the job puts load on: MaxConcurrentPerServer limits its jobs together, and a login that
	// one of them has rejected delays them all.
	Server string
	// Interval is the time between slots. A job with 0 has no slots, and runs only when Do is called.
	Interval time.Duration
	// RetryInterval replaces Interval while the job fails, if it is shorter and not 0.
	RetryInterval time.Duration
	// Run does the work, once. It must end soon after ctx is done.
	Run func(ctx context.Context) Outcome
	// Secret returns a fingerprint of what the job logs in with at present, "" if it is unknown. It is called before each
	// run and, while the job is suspended, in each slot: another fingerprint than that of the rejected login ends the
	// suspension. It may read a file, and may be called while Run runs. If nil, a change is noticed at the next login only.
	Secret func() string
}

// fingerprint returns the fingerprint of the secret, "" if it is unknown.
func (job Job) fingerprint() string {
	if job.Secret == nil {
		return ""
	}
	return job.Secret()
}

// An Outcome is what the schedule must know about a run that has ended.
type Outcome struct {
	// OK: the run succeeded.
	OK bool
	// LoggedIn: the server accepted the login, whatever happened after it. OK implies it.
	LoggedIn bool
	// Rejected: the server rejected the login.
	Rejected bool
	// Unavailable: the server could not check the login, because of a failure of its own.
	Unavailable bool
	// Throttled: the server asked for no more logins for the time Backoff, or for an unnamed time (0).
	Throttled bool
	Backoff   time.Duration
	// Canceled: the run was cut short because its context was done. It changes nothing.
	Canceled bool
	// OffSchedule: the run differed from those of the slots. What it says about logins counts, but the slots and
	// RetryInterval are as if it had never happened.
	OffSchedule bool
	// Report is passed on to the callers of Do.
	Report any
	// ReuseFor is how long Do may return this Outcome after the run has ended, instead of running the job again for
	// another request with the same Key. Only Outcomes that some caller waited for are reused.
	ReuseFor time.Duration
}

// A State says what comes next for a job.
type State struct {
	// NextRun is when the job runs next, by the wall clock. It is in the past while the job waits, and zero if the job
	// only runs on demand.
	NextRun time.Time
	// Suspended: the job doesn't log in in its slots before NextLogin, after rejected logins. The package comment says what ends
	// that. NextLogin is zero for other jobs.
	Suspended bool
	NextLogin time.Time
}

// A job is a Job on a schedule: idle, waiting at its server, running, or suspended and waiting for the check of its secret.
type job struct {
	Job
	hash   time.Duration
	server *server

	nextSlot       time.Time // zero without an interval
	slot           time.Time // slot of the run that waits or runs, or of the last one
	slotWaits      bool      // the slot is neither started nor skipped yet
	checkingSecret bool      // the same, while the secret of a suspended job is being checked
	run            *run      // under way, or nil
	callers        []*caller
	reusable       []*reusableOutcome
	unconfigured   bool // it exists only for Requests with an UnconfiguredServer

	lastResult time.Time // zero before the first
	failing    bool
	unverified bool // the present secret was not used to log in yet
	logins     []*login

	throttledUntil time.Time

	slotsIndex, waitingIndex int // in queues
}

// retrying reports whether the job has a slot every RetryInterval.
func (j *job) retrying(now time.Time) bool {
	return j.failing && j.RetryInterval > 0 && j.RetryInterval < j.Interval &&
		j.suspension("") == nil && !now.Before(j.pausedUntil(""))
}
