// Package web is the HTTP surface: the landing page, /metrics, the health endpoints, the reload, and profiles.
// It shows what it is given, and changes nothing itself; it knows no password.
package web

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"imap-exporter/internal/history"
	"imap-exporter/probe"
)

// Options are what the pages are made of.
type Options struct {
	// Version is the program's version, for the landing page.
	Version string
	// Gatherer has the metrics.
	Gatherer prometheus.TransactionalGatherer
	// Registerer takes the metrics about serving metrics.
	Registerer prometheus.Registerer
	// Accounts returns the accounts, best sorted by name. It is called for each list.
	Accounts func() []Account
	// Account returns one of them. Nil: it is looked for among Accounts.
	Account func(name string) (Account, bool)
	// History has the recent probes of the accounts. Nil: nothing but each account's Last is shown.
	History *history.Store
	// Updates hears of what has changed. Nil: open pages hear of nothing.
	Updates *Updates
	// Config writes the configuration in force as YAML, without secrets, and at most limit accounts of it unless limit is
	// 0. It returns how many it left out. Nil: there is nothing to show.
	Config func(w io.Writer, limit int) (left int, err error)
	// Links are where people look at the metrics. Nil: nobody said.
	Links func() Links
	// Ready says whether the schedule has started.
	Ready func() bool
	// Probe probes an account now, or joins the probe of it that is under way, and returns its Result, transcript
	// included. The schedule's guards and bounds hold: it waits for room while ctx lasts. Its errors are those of
	// schedule.Do: ErrCanceled, a *BlockedError, and ctx's; and config.ErrUnknownAccount.
	Probe func(context.Context, ProbeRequest) (*probe.Result, error)
	// ProbeMetrics does the same for /probe, and returns metrics of what came of it. A Result that didn't come in time
	// and a probe that was held back are answers, too, so that of schedule.Do's errors there are only ErrCanceled and
	// ErrNoRoom, and beside them config.ErrUnknownAccount, config.ErrUnknownModule and config.ErrRefused.
	ProbeMetrics func(context.Context, ProbeRequest) (ProbeAnswer, error)
	// TimeoutOffset is how long before the end of a scrape's timeout the probe for it ends.
	TimeoutOffset time.Duration
	// Discover returns the accounts as targets for Prometheus to find.
	Discover func() []TargetGroup
	// Reload reads the configuration anew, and returns what has changed, or what is wrong with it, for whoever asked.
	// Nil: not by HTTP, and nor may the pages have accounts probed.
	Reload func(context.Context) (report string, err error)
	// Bound is where the server will listen, and AllowedHosts what beside loopback it may be asked for, in small letters.
	// Where Bound isn't on loopback, or nil, and there are no AllowedHosts, it may be asked for anything.
	Bound        net.Addr
	AllowedHosts []string
	// Logger hears of errors in serving.
	Logger *slog.Logger
}

// Links are addresses of Prometheus and Grafana, without a slash at the end; "" where nobody said.
type Links struct{ Prometheus, Grafana string }

// lifecycle says whether HTTP may have the exporter do something.
func (o *Options) lifecycle() bool { return o.Reload != nil }

// An Account is one configured account, what its last probe saw, and what comes next.
type Account struct {
	Name   string
	Server string
	// Interval is the time from one probe to the next; 0: on demand only.
	Interval time.Duration
	// Last is nil before the first probe has ended.
	Last *probe.Result
	// Since is the start of the first of the probes, all in a row, that came out as Last did: well, or not.
	Since time.Time
	// NextRun is when the next probe is due; zero where none is.
	NextRun time.Time
	// Suspended says that logins are held back after rejected ones, and NextLogin until when.
	Suspended bool
	NextLogin time.Time
}

// How long a client may take, and how much it may send. A scrape of ten thousand accounts takes seconds to write.
const (
	readTimeout    = 10 * time.Second
	writeTimeout   = time.Minute
	idleTimeout    = 2 * time.Minute
	maxHeaderBytes = 16 << 10
)

// NewServer returns a server of all pages, yet to be started, that no slow or greedy client can hold up.
func NewServer(opts Options) *http.Server {
	errorLog := slog.NewLogLogger(opts.Logger.Handler(), slog.LevelError)
	mux := http.NewServeMux()
	pages := newPages(opts)
	pages.handle(mux)
	mux.Handle("GET /metrics", metricsHandler(opts))
	mux.HandleFunc("GET /-/healthy", func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprintln(w, "Healthy.")
	})
	mux.HandleFunc("GET /-/ready", func(w http.ResponseWriter, _ *http.Request) {
		if !opts.Ready() {
			http.Error(w, "Not ready: the schedule is not running.", http.StatusServiceUnavailable)
			return
		}
		fmt.Fprintln(w, "Ready.")
	})
	mux.Handle("GET /probe", probeHandler(opts))
	mux.Handle("GET /sd", discoveryHandler(opts))
	reloading := atMost(reloadsInFlight)(reload(opts))
	mux.Handle("POST /-/reload", reloading)
	mux.Handle("PUT /-/reload", reloading)
	server := &http.Server{
		Handler:           withSecurityHeaders(withHostCheck(withDeadline(mux, opts.Logger), opts.Bound, opts.AllowedHosts)),
		ReadHeaderTimeout: readTimeout,
		ReadTimeout:       readTimeout,
		WriteTimeout:      writeTimeout,
		IdleTimeout:       idleTimeout,
		MaxHeaderBytes:    maxHeaderBytes,
		ErrorLog:          errorLog,
	}
	limitConnections(server, maxConnections)
	server.RegisterOnShutdown(pages.updates.close)
	return server
}
