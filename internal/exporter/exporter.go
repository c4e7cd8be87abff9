// Package exporter is the engine of the program: it probes the accounts of a configuration on a schedule, records the Results
// and serves them over HTTP. The commands in cmd/exporter call Run or ProbeOnce.
package exporter

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"os"
	"regexp"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	runtimecollectors "github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/common/promslog"

	"imap-exporter/collectors"
	"imap-exporter/internal/account"
	"imap-exporter/internal/config"
	"imap-exporter/internal/history"
	"imap-exporter/internal/schedule"
	"imap-exporter/internal/web"
)

// Options are the settings of Run that are not part of the configuration.
type Options struct {
	// Load reads the configuration, at the start and at each reload.
	Load func() (*config.Config, error)
	// Hangup receives a signal for each reload. Lifecycle allows reloads and probes by HTTP POST. AutoReload is the time between
	// checks for changed files; 0: never.
	Hangup     <-chan os.Signal
	Lifecycle  bool
	AutoReload time.Duration
	// SpreadSeed is schedule.Options.Seed.
	SpreadSeed string
	// TimeoutOffset is how long before the scrape timeout a probe for /probe ends.
	TimeoutOffset time.Duration
	// ProbeMaxAge is how old the Result of a probe for /probe may be to answer another request, unless it took longer.
	ProbeMaxAge time.Duration
	// Stderr receives the log. It may block: lines that can't be written are dropped and counted.
	Stderr io.Writer
}

// An engine connects the configuration, the schedule, the history, the metrics and the pages.
type engine struct {
	opts     Options
	stderr   *logWriter
	config   atomic.Pointer[config.Config] // the current one
	started  *config.Config                // the first one, without its accounts
	logger   *slog.Logger
	logLevel *promslog.Level
	registry *prometheus.Registry // all metrics but those of e.metrics
	metrics  *collectors.Metrics
	accounts *account.Registry
	history  *history.Store
	updates  *web.Updates
	schedule *schedule.Schedule
	ready    atomic.Bool // the schedule is running
	names    nameLimiter
	// unconfigured has an element for each request under way for a server without an account.
	unconfigured chan struct{}
	panics       panicLog

	reloading     sync.Mutex
	reloadFailure atomic.Pointer[web.ReloadFailure] // of the last reload, or nil; changed under reloading
}

// historyLimits returns how much history is kept.
func historyLimits() history.Limits {
	return history.Limits{Summaries: 60, Successes: 20, Failures: 20, Bytes: 32 << 20}
}

// schedulingLatencies adds go_sched_latencies_seconds, how long goroutines wait for a CPU: it grows first when a machine is too
// small.
var schedulingLatencies = runtimecollectors.GoRuntimeMetricsRule{Matcher: regexp.MustCompile(`^/sched/latencies:seconds$`)}

// loadUntil loads a configuration, but stops waiting when ctx ends: reading a file may take forever, as on a network
// file system whose server is gone.
func loadUntil(ctx context.Context, load func() (*config.Config, error)) (*config.Config, error) {
	type result struct {
		config *config.Config
		err    error
	}
	loaded := make(chan result, 1)
	go func() {
		cfg, err := load()
		loaded <- result{cfg, err}
	}()
	select {
	case r := <-loaded:
		return r.config, r.err
	case <-ctx.Done():
		return nil, fmt.Errorf("stopped while the configuration was read: %w", ctx.Err())
	}
}

// newEngine connects the parts for a configuration. It starts nothing.
func newEngine(cfg *config.Config, opts Options, stderr *logWriter) (*engine, error) {
	e := &engine{
		opts:     opts,
		stderr:   stderr,
		registry: prometheus.NewRegistry(),
		accounts: new(account.Registry),
		history:  history.New(historyLimits()),
		updates:  web.NewUpdates(),

		unconfigured: make(chan struct{}, maxUnconfigured),
	}
	e.started = new(*cfg)
	e.started.Accounts, e.started.Sources = nil, nil
	var err error
	if e.logger, e.logLevel, err = newLogger(cfg.Log, stderr); err != nil {
		return nil, err
	}
	stderr.OnLoss(func(lines int) {
		e.logger.Warn("Lines of the log were lost", "lines", lines)
	})
	concurrent, err := e.maxConcurrent(cfg)
	if err != nil {
		return nil, err
	}
	e.metrics = collectors.New(collectors.Options{
		Histograms: collectors.Histograms{
			Classic: cfg.Histograms != config.HistogramsNative, Native: cfg.Histograms != config.HistogramsClassic,
		},
		InFlight: func() int { return e.schedule.InFlight() },
		Counts:   func() schedule.Counts { return e.schedule.Counts() },
		Shard:    cfg.Shard.Index,
		Shards:   cfg.Shard.Total,

		LinesDropped: stderr.Dropped,
	})
	e.schedule = schedule.New(schedule.Options{
		MaxConcurrent:          concurrent,
		MaxConcurrentPerServer: cfg.MaxConcurrentPerServer,
		Grace:                  grace,
		Seed:                   opts.SpreadSeed,
		Observe:                observer{e},
	})
	e.apply(cfg)
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

// apply replaces the accounts by those of a configuration. The schedule comes last: it reports on its jobs at once, and the
// registry and the metrics must know their accounts by then.
func (e *engine) apply(cfg *config.Config) {
	e.config.Store(cfg)
	accounts := make([]account.Account, len(cfg.Accounts))
	for i := range cfg.Accounts {
		accounts[i] = cfg.Accounts[i].Account
	}
	e.accounts.Set(accounts)
	accounts = e.accounts.Accounts()
	e.names.setAccounts(accounts)
	e.history.SetAccounts(accounts)
	e.metrics.SetAccounts(accounts)
	e.schedule.Set(e.jobs(accounts))
	e.updates.Changed(account.Key{}) // Accounts may be gone.
}
