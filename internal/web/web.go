// Package web is the HTTP surface: the landing page, /metrics, the health endpoints, the reload, and profiles.
// It shows what it is given, and changes nothing itself; it knows no password.
package web

import (
	"bytes"
	"context"
	_ "embed"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus"

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
	// Accounts returns the accounts in the order in which the landing page lists them. It is called for each page.
	Accounts func() []Account
	// Ready says whether the schedule has started.
	Ready func() bool
	// Probe probes an account now, or joins the probe of it that is under way, and returns its Result, transcript
	// included. The schedule's guards and bounds hold: it waits for room while ctx lasts. Its errors are those of
	// schedule.Do: ErrCanceled, a *HeldBack, and ctx's; and config.ErrUnknownAccount.
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
	// Nil: not by HTTP.
	Reload func(context.Context) (report string, err error)
	// Bound is where the server will listen, and AllowedHosts what beside loopback it may be asked for, in small letters.
	// Where Bound isn't on loopback, or nil, and there are no AllowedHosts, it may be asked for anything.
	Bound        net.Addr
	AllowedHosts []string
	// Logger hears of errors in serving.
	Logger *slog.Logger
}

// An Account is one configured account and what its last probe saw.
type Account struct {
	Name   string
	Server string
	// Last is nil before the first probe has ended.
	Last *probe.Result
}

// How long a client may take, and how much it may send. A scrape of ten thousand accounts takes seconds to write.
const (
	readTimeout    = 10 * time.Second
	writeTimeout   = time.Minute
	idleTimeout    = 2 * time.Minute
	maxHeaderBytes = 16 << 10
)

//go:embed style.css
var style []byte

// NewServer returns a server of all pages, yet to be started, that no slow or greedy client can hold up.
func NewServer(opts Options) *http.Server {
	errorLog := slog.NewLogLogger(opts.Logger.Handler(), slog.LevelError)
	mux := http.NewServeMux()
	mux.Handle("GET /{$}", atMost(pagesInFlight, landingPage(opts)))
	mux.HandleFunc("GET /style.css", func(w http.ResponseWriter, r *http.Request) {
		http.ServeContent(w, r, "style.css", time.Time{}, bytes.NewReader(style))
	})
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
	reloading := atMost(reloadsInFlight, reload(opts))
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
	return server
}
