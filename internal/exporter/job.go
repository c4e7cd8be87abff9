package exporter

import (
	"context"
	"slices"
	"time"

	"imap-exporter/collectors"
	"imap-exporter/internal/config"
	"imap-exporter/internal/schedule"
	"imap-exporter/probe"
)

// accountsOf returns what the metrics need to know of the accounts.
func accountsOf(cfg *config.Config) []collectors.Account {
	accounts := make([]collectors.Account, len(cfg.Accounts))
	for i, a := range cfg.Accounts {
		accounts[i] = collectors.Account{Name: a.Target.Account, Server: a.Target.Server, Interval: a.Interval, Labels: a.Labels}
	}
	return accounts
}

// jobs returns the accounts as jobs of the schedule.
func (e *engine) jobs(cfg *config.Config) []schedule.Job {
	jobs := make([]schedule.Job, len(cfg.Accounts))
	for i, a := range cfg.Accounts {
		jobs[i] = schedule.Job{
			Name:          a.Target.Account,
			Server:        a.Target.Server,
			Interval:      a.Interval,
			RetryInterval: a.RetryInterval,
			Run:           func(ctx context.Context) schedule.Outcome { return e.probeFor(ctx, a.Target, true, a.Target.Timeout) },
			Secret:        a.Fingerprint,
		}
	}
	return jobs
}

// keep has a Result of an account's own kept, shown, and logged.
func (e *engine) keep(ctx context.Context, result *probe.Result) {
	before := e.history.Last(result.Account)
	e.metrics.Observe(result)
	e.updates.Changed(result.Account)
	if e.history.Last(result.Account) != before { // A canceled one is discarded.
		logResult(ctx, e.logger, before, result)
		e.faults.log(ctx, e.logger, result)
	}
}

// outcomeOf returns what the schedule must know of a Result.
func outcomeOf(r *probe.Result) schedule.Outcome {
	loggedIn := func(t probe.Timing) bool { return t.Phase == probe.PhaseAuth && t.OK }
	outcome := schedule.Outcome{OK: r.OK(), LoggedIn: slices.ContainsFunc(r.Phases, loggedIn)}
	if r.Err != nil {
		outcome.Rejected = r.Err.Phase == probe.PhaseAuth && r.Err.Reason == probe.ReasonRejected
		outcome.Throttled = r.Err.Reason == probe.ReasonThrottled
		outcome.Backoff = r.Err.Backoff
		outcome.Canceled = r.Err.Reason == probe.ReasonCanceled
	}
	return outcome
}

// counts returns the schedule's counts in the metrics' words.
func (e *engine) counts() collectors.Counts {
	counts := e.schedule.Counts()
	skipped := make(map[string]uint64, len(counts.Skipped))
	for reason, n := range counts.Skipped {
		skipped[string(reason)] = n
	}
	return collectors.Counts{Scheduled: counts.Scheduled, Started: counts.Started, Skipped: skipped}
}

// An observer tells the metrics and the pages what happens on the schedule.
type observer struct{ *engine }

// Started tells of a start, and how late it is.
func (o observer) Started(name string, lag time.Duration) { o.metrics.Started(name, lag) }

// Changed tells what comes next for an account.
func (o observer) Changed(name string, s schedule.State) {
	o.metrics.Changed(name, collectors.State(s))
	o.plans.changed(name, s)
	o.updates.Changed(name)
}
