package exporter

import (
	"context"
	"errors"
	"fmt"
	"time"

	"imap-exporter/collectors"
	"imap-exporter/internal/account"
	"imap-exporter/internal/config"
	"imap-exporter/internal/schedule"
	"imap-exporter/internal/web"
	"imap-exporter/probe"
)

// A report is the Outcome.Report of a probe.
type report struct {
	result *probe.Result
	// timeout is the one that the probe had.
	timeout time.Duration
}

// An onDemandProbe is a probe that a caller has asked for.
type onDemandProbe struct {
	request schedule.Request
	// account is the one to probe. For a server without an account, only Server and Target are set. Target has the caller's
	// timeout.
	account account.Account
	// fullTimeout is the timeout of the module.
	fullTimeout time.Duration
	// ownModule says that the probe uses the account's own module, so that the Result counts as one of its probes.
	ownModule bool
}

const (
	// probeNowInterval is the least time from the end of an account's probe to another one by the button of its page.
	probeNowInterval = 3 * time.Second
	// maxUnconfigured limits the requests under way for servers that no account has, to a quarter of those that /probe serves.
	maxUnconfigured = 64
)

// probeNow probes an account now, through the schedule, because a person wants to see how it does now.
func (e *engine) probeNow(ctx context.Context, r web.ProbeRequest) (*probe.Result, error) {
	p, err := e.newOnDemandProbe(r)
	if err != nil {
		return nil, err
	}
	p.request.EndedAfter = time.Now().Add(-probeNowInterval)
	p.request.IgnorePause = true
	return e.runOnDemand(ctx, p)
}

// runOnDemand makes a probe through the schedule. It may get the Result of one with a shorter timeout than ours: if that timed
// out, it tries again, but only with twice the time, or all that the module has. Otherwise many callers with timeouts that differ
// a little would cost a login each.
func (e *engine) runOnDemand(ctx context.Context, p onDemandProbe) (*probe.Result, error) {
	if p.request.UnconfiguredServer != "" {
		select {
		case e.unconfigured <- struct{}{}:
			defer func() { <-e.unconfigured }()
		default:
			return nil, schedule.ErrNoRoom
		}
	}
	timeout := p.account.Target.Timeout
	for {
		outcome, err := e.schedule.Do(ctx, p.request)
		if err != nil {
			return nil, err
		}
		done, ok := outcome.Report.(report)
		if !ok {
			return nil, fmt.Errorf("the run of %s has no Result", p.account.Server)
		}
		startBy := p.request.StartBy
		tooLate := !startBy.IsZero() && time.Now().After(startBy)
		muchLonger := timeout >= 2*done.timeout || timeout == p.fullTimeout && done.timeout < timeout*9/10
		if !timedOut(done.result) || !muchLonger || tooLate {
			return done.result, nil
		}
		p.request.EndedAfter = time.Now()
	}
}

// newOnDemandProbe builds the probe that a caller requests. Its errors are those of package config.
func (e *engine) newOnDemandProbe(r web.ProbeRequest) (p onDemandProbe, err error) {
	cfg := e.config.Load()
	var target *probe.Target
	a := cfg.Account(r.Account)
	switch {
	case a == nil:
		if target, err = cfg.AnyTarget(r.Account, r.Module); err != nil {
			return onDemandProbe{}, err
		}
		p.request = schedule.Request{UnconfiguredServer: target.Server, Key: r.Module}
	case r.Module == "" || r.Module == a.Module:
		target, p.ownModule, p.account = a.Target, true, a.Account
		p.request = schedule.Request{Name: a.Key().Job()}
	default:
		if target, err = cfg.AccountWith(a, r.Module); err != nil {
			return onDemandProbe{}, err
		}
		p.account = a.Account
		p.request = schedule.Request{Name: a.Key().Job(), Key: r.Module}
	}
	t := *target
	p.fullTimeout = target.Timeout
	p.account.Target, p.account.Server = &t, t.Server
	if r.Timeout > 0 {
		t.Timeout = min(t.Timeout, r.Timeout)
		// A probe that had to wait for long has less time for itself, and would call the server slow.
		p.request.StartBy = time.Now().Add(r.Timeout / 2)
	}
	if p.ownModule && (r.Timeout == 0 || r.Timeout/2 >= target.Timeout) {
		return p, nil // It is just what the slots run.
	}
	p.request.NoLogin = t.Auth == probe.AuthNone && !p.ownModule
	begun := time.Now()
	p.request.Run = func(ctx context.Context) schedule.Outcome {
		shortened := t
		if r.Timeout > 0 {
			shortened.Timeout = min(t.Timeout, (r.Timeout - time.Since(begun)).Truncate(time.Millisecond))
		}
		return e.probe(ctx, &shortened, p.ownModule, target.Timeout)
	}
	return p, nil
}

// probe runs a probe. It records the Result, unless the probe used another module than the account's own, or timed out with a
// shorter timeout than fullTimeout, the one of the account's own probes.
func (e *engine) probe(ctx context.Context, t *probe.Target, ownModule bool, fullTimeout time.Duration) schedule.Outcome {
	begun := time.Now()
	result := e.names.limit(t, probe.Run(ctx, t))
	recorded := ownModule && (t.Timeout >= fullTimeout || !timedOut(result))
	if recorded {
		e.record(ctx, result)
	} else {
		logDetails(ctx, e.logger.With("account", t.Account, "server", t.Server), result)
	}
	outcome := outcomeOf(result)
	outcome.OffSchedule = !recorded
	outcome.Report = report{result, t.Timeout}
	outcome.ReuseFor = max(e.opts.ProbeMaxAge, time.Since(begun))
	return outcome
}

func timedOut(r *probe.Result) bool { return r.Err != nil && r.Err.Reason == probe.ReasonTimeout }

// probeMetrics probes for /probe.
func (e *engine) probeMetrics(ctx context.Context, r web.ProbeRequest) (web.ProbeAnswer, error) {
	p, err := e.newOnDemandProbe(r)
	if err != nil {
		return web.ProbeAnswer{}, err
	}
	begun := time.Now()
	result, err := e.runOnDemand(ctx, p)
	answer := web.ProbeAnswer{Result: result}
	onDemand := collectors.OnDemand{Account: p.account, Result: result}
	blocked, isBlocked := errors.AsType[*schedule.BlockedError](err)
	switch {
	case err == nil:
	case isBlocked:
		onDemand.Blocked, answer.Why = string(blocked.Reason), "No probe was made: "+blocked.Error()
	case errors.Is(err, context.DeadlineExceeded):
		onDemand.Waited, answer.Why = time.Since(begun), "The probe had not ended in time."
	case errors.Is(err, schedule.ErrUnknown): // A reload removed the account just now.
		return answer, config.ErrUnknownAccount
	default:
		return answer, err
	}
	if p.account.Name != "" {
		onDemand.State, _ = e.schedule.State(p.request.Name)
	}
	answer.Metrics = collectors.Gather(onDemand)
	return answer, nil
}
