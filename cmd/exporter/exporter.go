package main

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"regexp"
	"slices"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	runtimecollectors "github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/common/version"

	"imap-exporter/collectors"
	"imap-exporter/internal/config"
	"imap-exporter/internal/history"
	"imap-exporter/internal/schedule"
	"imap-exporter/internal/web"
	"imap-exporter/probe"
)

// An exporter has the accounts of a configuration on a schedule, and remembers what their probes came to.
type exporter struct {
	config   *config.Config
	logger   *slog.Logger
	registry *prometheus.Registry // all metrics but those of e.metrics
	metrics  *collectors.Metrics
	history  *history.Store
	schedule *schedule.Schedule
	ready    atomic.Bool // the schedule runs
}

// schedulingLatencies adds go_sched_latencies_seconds, how long goroutines wait for a core: the first sign of a machine
// that is too small.
var schedulingLatencies = runtimecollectors.GoRuntimeMetricsRule{Matcher: regexp.MustCompile(`^/sched/latencies:seconds$`)}

// newExporter connects the parts. Nothing runs yet.
func newExporter(cfg *config.Config, logger *slog.Logger) (*exporter, error) {
	e := &exporter{
		config:   cfg,
		logger:   logger,
		registry: prometheus.NewRegistry(),
		history:  history.New(history.Limits{}),
	}
	e.schedule = schedule.New(schedule.Options{
		MaxConcurrent:          cfg.MaxConcurrent,
		MaxConcurrentPerServer: cfg.MaxConcurrentPerServer,
		Grace:                  grace,
	})
	e.schedule.Set(e.jobs())
	e.metrics = collectors.New(collectors.Options{
		Histograms: collectors.HistogramMode(cfg.Histograms),
		History:    e.history,
		InFlight:   e.schedule.InFlight,
	})
	e.metrics.SetAccounts(accountsOf(cfg))
	e.metrics.Reloaded(true, time.Now())
	for _, c := range []prometheus.Collector{
		runtimecollectors.NewGoCollector(runtimecollectors.WithGoCollectorRuntimeMetrics(schedulingLatencies)),
		runtimecollectors.NewProcessCollector(runtimecollectors.ProcessCollectorOpts{}),
	} {
		if err := e.registry.Register(c); err != nil {
			return nil, fmt.Errorf("registering metrics: %w", err)
		}
	}
	return e, nil
}

// accountsOf returns what the metrics need to know of the accounts.
func accountsOf(cfg *config.Config) []collectors.Account {
	accounts := make([]collectors.Account, len(cfg.Accounts))
	for i, a := range cfg.Accounts {
		accounts[i] = collectors.Account{Name: a.Target.Account, Server: a.Target.Server, Interval: a.Interval, Labels: a.Labels}
	}
	return accounts
}

// jobs returns the accounts as jobs of the schedule.
func (e *exporter) jobs() []schedule.Job {
	jobs := make([]schedule.Job, len(e.config.Accounts))
	for i, a := range e.config.Accounts {
		jobs[i] = schedule.Job{
			Name:          a.Target.Account,
			Server:        a.Target.Server,
			Interval:      a.Interval,
			RetryInterval: a.RetryInterval,
			Run:           func(ctx context.Context) schedule.Outcome { return outcomeOf(e.probe(ctx, a.Target)) },
		}
	}
	return jobs
}

// probe probes an account, and has the Result kept.
func (e *exporter) probe(ctx context.Context, target *probe.Target) *probe.Result {
	before := e.history.Last(target.Account)
	result := probe.Run(ctx, target)
	e.metrics.Observe(result)
	if e.history.Last(target.Account) == result { // A canceled one is discarded.
		logResult(ctx, e.logger, before, result)
	}
	return result
}

// outcomeOf returns what the schedule must know of a Result.
func outcomeOf(r *probe.Result) schedule.Outcome {
	outcome := schedule.Outcome{
		OK: r.OK(),
		LoggedIn: slices.ContainsFunc(r.Phases, func(t probe.Timing) bool {
			return t.Phase == probe.PhaseAuth && t.OK
		}),
	}
	if r.Err != nil {
		outcome.Rejected = r.Err.Reason == probe.ReasonRejected
		outcome.Throttled = r.Err.Reason == probe.ReasonThrottled
		outcome.Canceled = r.Err.Reason == probe.ReasonCanceled
	}
	return outcome
}

// pages returns what the web pages show.
func (e *exporter) pages() web.Options {
	return web.Options{
		Version:    cmp.Or(version.Version, "development version"),
		Gatherer:   collectors.Gatherers{e.metrics, prometheus.ToTransactionalGatherer(e.registry)},
		Registerer: e.registry,
		Accounts:   e.webAccounts,
		Ready:      e.ready.Load,
		Logger:     e.logger,
	}
}

// webAccounts returns the accounts, as configured, and their last Results.
func (e *exporter) webAccounts() []web.Account {
	accounts := make([]web.Account, len(e.config.Accounts))
	for i, a := range e.config.Accounts {
		accounts[i] = web.Account{Name: a.Target.Account, Server: a.Target.Server, Last: e.history.Last(a.Target.Account)}
	}
	return accounts
}
