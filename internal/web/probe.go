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
	// probeTimeout is how long a probe may take at most: no client can say that it waits longer.
	probeTimeout = 2 * time.Minute
	// minProbeTimeout is a probe's timeout where the client waits for less than the offset.
	minProbeTimeout = 100 * time.Millisecond
)

// A ProbeRequest asks for a probe now.
type ProbeRequest struct {
	// Account is the configured name; with a Module that allows any target, it may be a host or host:port.
	Account string
	// Module is how to probe; "" is as the account is configured.
	Module string
	// Timeout is how long the probe may take; 0 and what is longer than the module's is the module's.
	Timeout time.Duration
}

// A ProbeAnswer is the outcome of a ProbeRequest.
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
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		request, debug, err := parseProbe(r.URL.RawQuery)
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		request.Timeout = probeTimeoutFor(r, opts.TimeoutOffset)
		// Half of the offset is left for a probe that ends at its timeout, so that its Result still arrives.
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

// parseProbe reads the query of /probe: target or account, which mean the same; module; debug. A parameter that is given
// twice is an error. The name of an account is taken as it is.
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

// probeTimeoutFor returns how long a probe may take, so that the client gets the metrics within the time that it waits.
// Prometheus says how long that is, in X-Prometheus-Scrape-Timeout-Seconds.
func probeTimeoutFor(r *http.Request, offset time.Duration) time.Duration {
	seconds, err := strconv.ParseFloat(r.Header.Get("X-Prometheus-Scrape-Timeout-Seconds"), 64)
	if err != nil || !(seconds > 0) { // NaN isn't either.
		return probeTimeout
	}
	waits := time.Duration(min(seconds, probeTimeout.Seconds()) * float64(time.Second))
	return max(waits-offset, minProbeTimeout)
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

// sentence returns an error's text with a capital letter and a full stop.
func sentence(err error) string {
	text := err.Error()
	return strings.ToUpper(text[:1]) + text[1:] + "."
}

// writeDebug writes a probe as text for people.
func writeDebug(w http.ResponseWriter, answer ProbeAnswer) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	if r := answer.Result; r != nil {
		_ = format.Text(w, format.Probe{Result: r}, format.Style{}, false)
		if len(r.Transcript) > 0 {
			fmt.Fprintf(w, "\nTranscript (C: the exporter, S: the server; since the connection was begun)\n\n%s", format.Transcript(r.Transcript))
		}
	} else {
		fmt.Fprintf(w, "%s\n", answer.Why)
	}
	fmt.Fprint(w, "\nMetrics\n\n")
	_ = format.Metrics(w, answer.Metrics) // The client is gone.
}
