package exporter

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/prometheus/common/model"

	"imap-exporter/collectors"
	"imap-exporter/internal/config"
	"imap-exporter/internal/schedule"
	"imap-exporter/internal/web"
	"imap-exporter/probe"
)

// A report is what a run of the schedule has to tell to who asked for it.
type report struct {
	result *probe.Result
	// timeout is how long the probe could have taken.
	timeout time.Duration
}

// An errand is a probe on demand, and what it takes.
type errand struct {
	request schedule.Request
	target  *probe.Target // as it is probed, with the timeout of who asks
	// own says that the target is the account's own, so that the Result is one of the account's.
	own bool
}

// probeNow probes an account now, through the schedule.
func (e *engine) probeNow(ctx context.Context, r web.ProbeRequest) (*probe.Result, error) {
	task, err := e.errand(r)
	if err != nil {
		return nil, err
	}
	return e.run(ctx, task)
}

// run has the schedule run an errand. It may join a run of who had less time: when that ends for want of it, and this
// one would not, it tries again.
func (e *engine) run(ctx context.Context, task errand) (*probe.Result, error) {
	for {
		outcome, err := e.schedule.Do(ctx, task.request)
		if err != nil {
			return nil, err
		}
		done, ok := outcome.Report.(report)
		if !ok {
			return nil, fmt.Errorf("the run of %s has no Result", task.target.Server)
		}
		startBy := task.request.StartBy
		tooLate := !startBy.IsZero() && time.Now().After(startBy)
		if !timedOut(done.result) || done.timeout >= task.target.Timeout || tooLate {
			return done.result, nil
		}
	}
}

// errand turns a request into what the schedule is to do. Its errors are config's.
func (e *engine) errand(r web.ProbeRequest) (task errand, err error) {
	cfg := e.config.Load()
	var target *probe.Target
	a := cfg.Account(r.Account)
	switch {
	case a == nil:
		if target, err = cfg.AnyTarget(r.Account, r.Module); err != nil {
			return errand{}, err
		}
		task.request = schedule.Request{UnconfiguredServer: target.Server, Key: r.Module}
	case r.Module == "" || r.Module == a.Module:
		target, task.own = a.Target, true
		task.request = schedule.Request{Name: r.Account}
	default:
		if target, err = cfg.AccountWith(a, r.Module); err != nil {
			return errand{}, err
		}
		task.request = schedule.Request{Name: r.Account, Key: r.Module}
	}
	t := *target
	task.target = &t
	if r.Timeout > 0 {
		t.Timeout = min(t.Timeout, r.Timeout)
		// A probe that had to wait for long has the less time for itself, and would call the server slow.
		task.request.StartBy = time.Now().Add(r.Timeout / 2)
	}
	if task.own && (r.Timeout == 0 || r.Timeout/2 >= target.Timeout) {
		return task, nil // It is just what the slots run.
	}
	task.request.NoLogin = t.Auth == probe.AuthNone && !task.own
	begun := time.Now()
	task.request.Run = func(ctx context.Context) schedule.Outcome {
		inTime := t
		if r.Timeout > 0 {
			inTime.Timeout = min(t.Timeout, (r.Timeout - time.Since(begun)).Truncate(time.Millisecond))
		}
		return e.probeFor(ctx, &inTime, task.own, target.Timeout)
	}
	return task, nil
}

// probeFor probes for who asked for it. The account's history is of its own module alone, and has no failures for want
// of the time that its own probes have.
func (e *engine) probeFor(ctx context.Context, t *probe.Target, own bool, usual time.Duration) schedule.Outcome {
	result := probe.Run(ctx, t)
	aside := !own || t.Timeout < usual && timedOut(result)
	if aside {
		logDetails(ctx, e.logger.With("account", t.Account, "server", t.Server), result)
	} else {
		e.keep(ctx, result)
	}
	outcome := outcomeOf(result)
	outcome.OffSchedule = aside
	outcome.Report = report{result, t.Timeout}
	return outcome
}

func timedOut(r *probe.Result) bool { return r.Err != nil && r.Err.Reason == probe.ReasonTimeout }

// probeMetrics probes for /probe.
func (e *engine) probeMetrics(ctx context.Context, r web.ProbeRequest) (web.ProbeAnswer, error) {
	task, err := e.errand(r)
	if err != nil {
		return web.ProbeAnswer{}, err
	}
	begun := time.Now()
	result, err := e.run(ctx, task)
	answer := web.ProbeAnswer{Result: result}
	shown := collectors.OnDemand{Account: collectors.Account{Server: task.target.Server}, Result: result}
	held, isHeld := errors.AsType[*schedule.BlockedError](err)
	switch {
	case err == nil:
	case isHeld:
		shown.HeldBack, answer.Why = string(held.Reason), "No probe was made: "+held.Error()
	case errors.Is(err, context.DeadlineExceeded):
		shown.Waited, answer.Why = time.Since(begun), "The probe had not ended in time."
	case errors.Is(err, schedule.ErrUnknown): // A reload took it away just now.
		return answer, config.ErrUnknownAccount
	default:
		return answer, err
	}
	if a := e.config.Load().Account(r.Account); a != nil {
		shown.Account = collectors.Account{Name: r.Account, Server: task.target.Server, Interval: a.Interval, Labels: a.Labels}
		state, _ := e.schedule.State(r.Account)
		shown.State = collectors.State(state)
	}
	answer.Metrics = collectors.Gather(shown)
	return answer, nil
}

// discover returns the accounts for Prometheus to find. The names of their own labels begin like those of a pod's.
func (e *engine) discover() []web.TargetGroup {
	accounts := e.config.Load().Accounts
	groups := make([]web.TargetGroup, len(accounts))
	for i, a := range accounts {
		labels := map[string]string{
			"__meta_imap_account":  a.Target.Account,
			"__meta_imap_server":   a.Target.Server,
			"__meta_imap_module":   a.Module,
			"__meta_imap_interval": model.Duration(a.Interval).String(),
		}
		for name, value := range a.Labels {
			labels["__meta_imap_label_"+name] = value
		}
		groups[i] = web.TargetGroup{Targets: []string{a.Target.Account}, Labels: labels}
	}
	return groups
}
