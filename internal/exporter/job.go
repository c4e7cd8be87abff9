package exporter

import (
	"context"
	"slices"
	"time"

	"imap-exporter/internal/account"
	"imap-exporter/internal/schedule"
	"imap-exporter/probe"
)

// jobs returns the accounts as jobs of the schedule.
func (e *engine) jobs(accounts []account.Account) []schedule.Job {
	jobs := make([]schedule.Job, len(accounts))
	for i, a := range accounts {
		jobs[i] = schedule.Job{
			Name:          a.Key().Job(),
			Server:        a.Server,
			Interval:      a.Interval,
			RetryInterval: a.RetryInterval,
			Run:           func(ctx context.Context) schedule.Outcome { return e.probe(ctx, a.Target, true, a.Target.Timeout) },
			Secret:        a.Fingerprint,
		}
	}
	return jobs
}

// record passes a Result of an account's own module to the history, which decides whether it counts, then to the metrics, the
// pages and the log.
func (e *engine) record(ctx context.Context, result *probe.Result) {
	previous, kept := e.history.Add(result)
	if kept == nil {
		return
	}
	e.metrics.Observe(kept)
	e.updates.Changed(account.KeyOf(result))
	logResult(ctx, e.logger, previous, result)
	e.panics.log(ctx, e.logger, result)
}

// outcomeOf returns what the schedule needs to know about a Result.
func outcomeOf(r *probe.Result) schedule.Outcome {
	loggedIn := func(t probe.Timing) bool { return t.Phase == probe.PhaseAuth && t.OK }
	outcome := schedule.Outcome{OK: r.OK(), LoggedIn: slices.ContainsFunc(r.Phases, loggedIn)}
	if r.Err != nil {
		if r.Err.Phase == probe.PhaseAuth {
			outcome.Rejected = r.Err.Reason == probe.ReasonRejected || r.Err.Reason == probe.ReasonToken
			outcome.Unavailable = r.Err.Reason == probe.ReasonUnavailable
		}
		outcome.Throttled = r.Err.Reason == probe.ReasonThrottled
		outcome.Backoff = r.Err.Backoff
		outcome.Canceled = r.Err.Reason == probe.ReasonCanceled
	}
	return outcome
}

// An observer passes on what happens on the schedule.
type observer struct{ *engine }

// Started counts a run that was started lag after it was due.
func (o observer) Started(_ string, lag time.Duration) { o.metrics.Started(lag) }

// Changed passes on the new state of an account's job.
func (o observer) Changed(job string, s schedule.State) {
	if key, ok := o.accounts.SetState(job, s); ok {
		o.metrics.Changed(key, s)
		o.updates.Changed(key)
	}
}
