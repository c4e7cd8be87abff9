package web

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	dto "github.com/prometheus/client_model/go"

	"imap-exporter/internal/config"
	"imap-exporter/internal/format"
	"imap-exporter/internal/schedule"
	"imap-exporter/probe"
)

const (
	// probesInFlight is how many requests for /probe may be served at a time, most of which wait. The
	// other connections are for scrapes and pages.
	probesInFlight = 256
	// probeTimeout is how long a probe may take when the client doesn't say how long it waits, and probeTimeoutAtMost
	// when it does.
	probeTimeout       = 2 * time.Minute
	probeTimeoutAtMost = 10 * time.Minute
	// leastProbeTimeout is what is left of a client's timeout that is shorter than the offset.
	leastProbeTimeout = 100 * time.Millisecond
)

// A ProbeRequest says what to probe now.
type ProbeRequest struct {
	// Account is the configured name; with a Module that allows any target, it may be a host or host:port.
	Account string
	// Module is how to probe; "" is as the account is configured.
	Module string
	// Timeout is how long the probe may take; 0 and what is longer than the module's is the module's.
	Timeout time.Duration
}

// A ProbeAnswer is what came of a ProbeRequest.
type ProbeAnswer struct {
	// Metrics are sorted by name.
	Metrics []*dto.MetricFamily
	// Result is nil when there was no probe, or it had not ended in time.
	Result *probe.Result
	// Why says in words why Result is nil.
	Why string
}

// probeHandler serves /probe.
func probeHandler(opts Options) http.Handler {
	room := make(chan struct{}, probesInFlight)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		select {
		case room <- struct{}{}:
			defer func() { <-room }()
		default:
			http.Error(w, "Too many probes are asked for at a time.", http.StatusServiceUnavailable)
			return
		}
		request, debug, err := parseProbe(r.URL.RawQuery)
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		request.Timeout = timeoutOf(r, opts.TimeoutOffset)
		// The server's own timeout is for those who are slow. This one waits for us.
		_ = http.NewResponseController(w).SetWriteDeadline(time.Now().Add(request.Timeout + readTimeout))
		// What is left of the offset is for a probe that ends because its time is over: its Result is still to be had.
		ctx, cancel := context.WithTimeout(r.Context(), request.Timeout+opts.TimeoutOffset/2)
		defer cancel()
		answer, err := opts.ProbeMetrics(ctx, request)
		switch {
		case err != nil:
			http.Error(w, sentence(err), probeStatus(err))
		case debug:
			writeDebug(w, answer)
		default:
			gatherer := prometheus.GathererFunc(func() ([]*dto.MetricFamily, error) { return answer.Metrics, nil })
			promhttp.HandlerFor(gatherer, promhttp.HandlerOpts{EnableOpenMetrics: true}).ServeHTTP(w, r)
		}
	})
}

// parseProbe reads the query: target, or account, which is the same; module; debug. Nothing is guessed: what is there
// twice is wrong, and an account's name is taken as it is.
func parseProbe(query string) (request ProbeRequest, debug bool, err error) {
	values, err := url.ParseQuery(query)
	if err != nil {
		return request, false, errors.New("the query is not well-formed")
	}
	for _, name := range []string{"target", "account", "module", "debug"} {
		if len(values[name]) > 1 {
			return request, false, fmt.Errorf("%s is there twice", name)
		}
	}
	request = ProbeRequest{Account: values.Get("target") + values.Get("account"), Module: values.Get("module")}
	switch {
	case values.Has("target") == values.Has("account"):
		return request, false, errors.New("write ?target= and the name of an account")
	case values.Has("debug"):
		if debug, err = strconv.ParseBool(values.Get("debug")); err != nil {
			return request, false, errors.New("debug must be true or false")
		}
	}
	return request, debug, nil
}

// timeoutOf returns how long a probe may take, so that who asks for it gets its metrics in time.
func timeoutOf(r *http.Request, offset time.Duration) time.Duration {
	seconds, err := strconv.ParseFloat(r.Header.Get("X-Prometheus-Scrape-Timeout-Seconds"), 64)
	if err != nil || !(seconds > 0) { // NaN isn't either.
		return probeTimeout
	}
	timeout := time.Duration(min(seconds, probeTimeoutAtMost.Seconds()) * float64(time.Second))
	return max(timeout-offset, leastProbeTimeout)
}

// probeStatus returns the HTTP status for an error of ProbeMetrics.
func probeStatus(err error) int {
	switch {
	case errors.Is(err, config.ErrUnknownAccount):
		return http.StatusNotFound
	case errors.Is(err, config.ErrUnknownModule):
		return http.StatusBadRequest
	case errors.Is(err, config.ErrRefused):
		return http.StatusForbidden
	case errors.Is(err, schedule.ErrNoRoom), errors.Is(err, schedule.ErrCanceled), errors.Is(err, context.Canceled):
		return http.StatusServiceUnavailable
	}
	return http.StatusInternalServerError
}

// sentence makes an error a sentence.
func sentence(err error) string {
	text := err.Error()
	return strings.ToUpper(text[:1]) + text[1:] + "."
}

// writeDebug shows a probe to people.
func writeDebug(w http.ResponseWriter, answer ProbeAnswer) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	if r := answer.Result; r != nil {
		fmt.Fprint(w, format.Waterfall(r, format.Style{}))
		if len(r.Transcript) > 0 {
			fmt.Fprintf(w, "\nTranscript (C: the exporter, S: the server; since the connection was begun)\n\n%s", format.Transcript(r.Transcript))
		}
		for _, note := range r.Notes {
			fmt.Fprintf(w, "\nNote: %s\n", note)
		}
	} else {
		fmt.Fprintf(w, "%s\n", answer.Why)
	}
	fmt.Fprint(w, "\nMetrics\n\n")
	_ = format.Metrics(w, answer.Metrics) // The client is gone.
}
