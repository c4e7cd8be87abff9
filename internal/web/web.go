// Package web is the HTTP surface: the landing page, /metrics, the health endpoints and the reload.
// It shows what it is given, and changes nothing itself; it knows no password.
package web

import (
	"bytes"
	"context"
	_ "embed"
	"fmt"
	"log/slog"
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
	// schedule.Do: ErrUnknown, ErrCanceled, a *HeldBack, and ctx's.
	Probe func(context.Context, ProbeRequest) (*probe.Result, error)
	// Reload reads the configuration anew, and returns what has changed, or what is wrong with it, for whoever asked.
	// Nil: not by HTTP.
	Reload func(context.Context) (report string, err error)
	// Logger hears of errors in serving.
	Logger *slog.Logger
}

// A ProbeRequest says what to probe now.
type ProbeRequest struct {
	// Account is the configured name.
	Account string
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
	mux.Handle("GET /{$}", landingPage(opts))
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
	mux.Handle("POST /-/reload", reload(opts))
	mux.Handle("PUT /-/reload", reload(opts))
	return &http.Server{
		Handler:           withSecurityHeaders(mux),
		ReadHeaderTimeout: readTimeout,
		ReadTimeout:       readTimeout,
		WriteTimeout:      writeTimeout,
		IdleTimeout:       idleTimeout,
		MaxHeaderBytes:    maxHeaderBytes,
		ErrorLog:          errorLog,
	}
}

// withSecurityHeaders tells browsers to load nothing but our style sheet, to run nothing, and to tell nobody.
// A header that the operator has set in the web configuration file stays.
func withSecurityHeaders(next http.Handler) http.Handler {
	headers := map[string]string{
		"Cache-Control":           "no-store",
		"Content-Security-Policy": "default-src 'none'; style-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
		"Referrer-Policy":         "no-referrer",
		"X-Content-Type-Options":  "nosniff",
		"X-Frame-Options":         "deny",
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		for name, value := range headers {
			if w.Header().Get(name) == "" {
				w.Header().Set(name, value)
			}
		}
		next.ServeHTTP(w, r)
	})
}
