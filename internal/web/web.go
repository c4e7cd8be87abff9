// Package web serves HTTP: the status page and its live updates, /metrics, /probe, /sd, health, /-/reload, the
// documentation, and profiles on an address of their own. What it shows comes through Options, and so does what it can
// have done: a probe, a reload. Of the passwords for its pages it keeps only keyed digests of those that were accepted.
package web

import (
	"context"
	"io"
	"log/slog"
	"net"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"imap-exporter/internal/account"
	"imap-exporter/internal/history"
	"imap-exporter/probe"
)

// Options are what a server needs to know, and what it can have the exporter do.
type Options struct {
	// Version is the program's version.
	Version string
	// Gatherer has the metrics.
	Gatherer prometheus.TransactionalGatherer
	// Registerer takes the metrics about serving metrics.
	Registerer prometheus.Registerer
	// Accounts are those that are shown.
	Accounts *account.Registry
	// History has their recent probes.
	History *history.Store
	// Updates notifies open pages of changes. If nil, pages have no live updates.
	Updates *Updates
	// Config writes the configuration in force as YAML, without secrets, and at most limit accounts of it unless limit is
	// 0. It returns how many it left out. Nil: there is nothing to show.
	Config func(w io.Writer, limit int) (left int, err error)
	// Links returns the addresses of Prometheus and Grafana. Nil: there are none.
	Links func() Links
	// Ready says whether the schedule has started.
	Ready func() bool
	// Probe probes an account now, or joins the probe of it that is running, and returns its Result, transcript
	// included. The schedule's limits hold: it waits for a free slot while ctx lasts. Its errors are those of
	// schedule.Do: ErrCanceled, a *BlockedError, and ctx's; and config.ErrUnknownAccount.
	Probe func(context.Context, ProbeRequest) (*probe.Result, error)
	// ProbeMetrics does the same for /probe, and returns the metrics of the outcome. A Result that didn't come in time and
	// a probe that was suspended are outcomes, too. So of schedule.Do's errors it returns ErrCanceled and ErrNoRoom only,
	// and besides them config.ErrUnknownAccount, config.ErrUnknownModule and config.ErrRefused.
	ProbeMetrics func(context.Context, ProbeRequest) (ProbeAnswer, error)
	// TimeoutOffset is how long before the end of a scrape's timeout the probe for it ends.
	TimeoutOffset time.Duration
	// Discover returns the accounts as targets for Prometheus to find.
	Discover func() []TargetGroup
	// Reload reloads the configuration. It returns what has changed, or what is wrong with it, for whoever asked. Nil:
	// neither reloads nor probes can be asked for by HTTP.
	Reload func(context.Context) (report string, err error)
	// ReloadFailure returns why the last reload failed, or nil if it didn't. Nil: it is never shown.
	ReloadFailure func() *ReloadFailure
	// Bound is the address of the listener. AllowedHosts are the values of the header Host to accept besides loopback, in
	// lower case and without port. If Bound is nil or not on loopback, and there are no AllowedHosts, any is accepted.
	Bound        net.Addr
	AllowedHosts []string
	// Logger gets errors in serving.
	Logger *slog.Logger
}

// Links are addresses of Prometheus and Grafana, without a slash at the end; "" where none is configured.
type Links struct{ Prometheus, Grafana string }

// A ReloadFailure is why the configuration in force isn't what the files say.
type ReloadFailure struct {
	// Error is what is wrong, a line for each problem.
	Error string
	// Since is the time of the first of the consecutive reloads that failed.
	Since time.Time
}

// lifecycle says whether --web.enable-lifecycle is set: whether reloads and probes may be asked for.
func (o *Options) lifecycle() bool { return o.Reload != nil }
