// Package exporter is the engine of the program: it has the accounts of a configuration probed on a schedule, records what
// their probes come to, and serves it over HTTP. The commands in cmd/exporter call Run, or ProbeOnce.
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

// Options are what an exporter is told beside its configuration.
type Options struct {
	// Load reads the configuration, at the start and at each reload.
	Load func() (*config.Config, error)
	// Hangup, Lifecycle and AutoReload are what makes it reload: signals, HTTP, and a look at the files every so often.
	Hangup     <-chan os.Signal
	Lifecycle  bool
	AutoReload time.Duration
	// SpreadSeed is schedule.Options.Seed.
	SpreadSeed string
	// TimeoutOffset is how long before the end of a scrape's timeout the probe for it ends.
	TimeoutOffset time.Duration
	// Stderr takes the log. It may block: what can't be written is dropped and counted.
	Stderr io.Writer
}

// An engine has the accounts of a configuration on a schedule, and remembers what their probes came to.
type engine struct {
	opts     Options
	stderr   *logWriter
	config   atomic.Pointer[config.Config] // the one in force
	started  *config.Config                // the one at the start, without accounts
	logger   *slog.Logger
	logLevel *promslog.Level
	registry *prometheus.Registry // all metrics but those of e.metrics
	metrics  *collectors.Metrics
	accounts *account.Registry
	history  *history.Store
	updates  *web.Updates
	schedule *schedule.Schedule
	ready    atomic.Bool // the schedule runs
	panics   panicLog

	reloading sync.Mutex
	failed    string // what the last reload found wrong, if it did; guarded by reloading
}

// historyLimits bound what is kept of the accounts' probes.
func historyLimits() history.Limits {
	return history.Limits{Summaries: 60, Successes: 20, Failures: 20, Bytes: 32 << 20}
}

// schedulingLatencies adds go_sched_latencies_seconds, how long goroutines wait for a core: the first sign of a machine
// that is too small.
var schedulingLatencies = runtimecollectors.GoRuntimeMetricsRule{Matcher: regexp.MustCompile(`^/sched/latencies:seconds$`)}

// newEngine loads the configuration and connects the parts. Nothing runs yet.
func newEngine(opts Options, stderr *logWriter) (*engine, error) {
	cfg, err := opts.Load()
	if err != nil {
		return nil, err
	}
	e := &engine{
		opts:     opts,
		stderr:   stderr,
		registry: prometheus.NewRegistry(),
		accounts: new(account.Registry),
		history:  history.New(historyLimits()),
		updates:  web.NewUpdates(),
	}
	e.started = new(*cfg)
	e.started.Accounts, e.started.Sources = nil, nil
	if e.logger, e.logLevel, err = newLogger(cfg.Log, stderr); err != nil {
		return nil, err
	}
	stderr.OnLoss(func(lines int) {
		e.logger.WarnContext(context.Background(), "Lines of the log were lost", "lines", lines)
	})
	concurrent, err := e.affordable(cfg)
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

// apply replaces the accounts by those of a configuration. The schedule comes last, so that everybody knows the accounts that
// it tells of.
func (e *engine) apply(cfg *config.Config) {
	e.config.Store(cfg)
	accounts := make([]account.Account, len(cfg.Accounts))
	for i := range cfg.Accounts {
		accounts[i] = cfg.Accounts[i].Account
	}
	e.accounts.Set(accounts)
	accounts = e.accounts.Accounts()
	e.history.SetAccounts(accounts)
	e.metrics.SetAccounts(accounts)
	e.schedule.Set(e.jobs(accounts))
	e.updates.Changed(account.Key{}) // Accounts may be gone.
}
