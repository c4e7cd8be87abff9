package web

import (
	"bytes"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/goleak"

	"imap-exporter/internal/history"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// testOptions are those of an exporter with one account, "canary", that has not been probed.
func testOptions() Options {
	return Options{
		Version:    "1.2.3",
		Gatherer:   prometheus.ToTransactionalGatherer(prometheus.NewRegistry()),
		Registerer: prometheus.NewRegistry(),
		Accounts:   registry(testAccount{Name: "canary", Server: "imap.example.org:993"}),
		History:    history.New(history.Limits{}),
		Ready:      func() bool { return true },
		Logger:     slog.New(slog.DiscardHandler),
	}
}

// request returns the server's answer.
func request(opts Options, method, path, accept string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, path, nil)
	r.Header.Set("Accept", accept)
	w := httptest.NewRecorder()
	NewServer(opts).Handler.ServeHTTP(w, r)
	return w
}

func TestPaths(t *testing.T) {
	for _, test := range []struct {
		method, path string
		status       int
	}{
		{http.MethodGet, "/", http.StatusOK},
		{http.MethodHead, "/", http.StatusOK},
		{http.MethodPost, "/", http.StatusMethodNotAllowed},
		{http.MethodGet, "/?state=failing&sort=latency&page=99", http.StatusOK},
		{http.MethodGet, "/style.css", http.StatusOK},
		{http.MethodGet, "/status.js", http.StatusOK},
		{http.MethodGet, "/favicon.svg", http.StatusOK},
		{http.MethodGet, "/failing.svg", http.StatusOK},
		{http.MethodGet, "/accounts/canary", http.StatusOK},
		{http.MethodGet, "/accounts/nobody", http.StatusNotFound},
		{http.MethodGet, "/accounts/canary/probes/1", http.StatusNotFound},
		{http.MethodGet, "/accounts/canary/probes/x/transcript.txt", http.StatusNotFound},
		{http.MethodGet, "/accounts/canary/probe", http.StatusMethodNotAllowed},
		{http.MethodPost, "/accounts/canary/probe", http.StatusForbidden},
		{http.MethodPost, "/accounts/nobody/probe", http.StatusNotFound},
		{http.MethodGet, "/events/accounts/nobody", http.StatusNotFound},
		{http.MethodGet, "/config", http.StatusOK},
		{http.MethodGet, "/docs/", http.StatusOK},
		{http.MethodGet, "/docs/metrics", http.StatusOK},
		{http.MethodGet, "/docs/metrics.md", http.StatusMovedPermanently},
		{http.MethodGet, "/docs/decisions/0002-examine-by-default", http.StatusOK},
		{http.MethodGet, "/docs/runbooks/NoSuchAlert", http.StatusNotFound},
		{http.MethodGet, "/docs/../web.go", http.StatusTemporaryRedirect},
		{http.MethodGet, "/docs/%2e%2e/go.mod", http.StatusNotFound},
		{http.MethodGet, "/metrics", http.StatusOK},
		{http.MethodHead, "/metrics", http.StatusOK},
		{http.MethodDelete, "/metrics", http.StatusMethodNotAllowed},
		{http.MethodGet, "/-/healthy", http.StatusOK},
		{http.MethodPut, "/-/healthy", http.StatusMethodNotAllowed},
		{http.MethodGet, "/-/ready", http.StatusOK},
		{http.MethodGet, "/debug/pprof/", http.StatusNotFound},
		{http.MethodGet, "/page.html", http.StatusNotFound},
		{http.MethodGet, "/metrics/", http.StatusNotFound},
		{http.MethodPost, "/-/reload", http.StatusForbidden},
		{http.MethodGet, "/-/reload", http.StatusMethodNotAllowed},
	} {
		w := request(testOptions(), test.method, test.path, "")
		if w.Code != test.status {
			t.Errorf("%s %s: status %d, want %d", test.method, test.path, w.Code, test.status)
		}
		for name, want := range map[string]string{
			"Content-Security-Policy": "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; img-src 'self'; " +
				"base-uri 'none'; form-action 'self'; frame-ancestors 'none'",
			"Referrer-Policy":        "same-origin",
			"X-Content-Type-Options": "nosniff",
			"X-Frame-Options":        "deny",
		} {
			if got := w.Header().Get(name); got != want {
				t.Errorf("%s %s: %s is %q, want %q", test.method, test.path, name, got, want)
			}
		}
	}
}

func TestStyle(t *testing.T) {
	first := request(testOptions(), http.MethodGet, "/style.css", "")
	again := httptest.NewRequest(http.MethodGet, "/style.css", nil)
	again.Header.Set("If-None-Match", first.Header().Get("ETag"))
	w := httptest.NewRecorder()
	NewServer(testOptions()).Handler.ServeHTTP(w, again)
	if w.Code != http.StatusNotModified {
		t.Errorf("status %d for a style sheet that the browser has", w.Code)
	}
	if got := request(testOptions(), http.MethodGet, "/style.css", "").Header().Get("Content-Type"); got != "text/css; charset=utf-8" {
		t.Errorf("Content-Type is %q", got)
	}
}

func TestOperatorsHeaderStays(t *testing.T) {
	w := httptest.NewRecorder()
	w.Header().Set("X-Frame-Options", "sameorigin")
	NewServer(testOptions()).Handler.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/", nil))
	if got := w.Header().Values("X-Frame-Options"); len(got) != 1 || got[0] != "sameorigin" {
		t.Errorf("X-Frame-Options is %q", got)
	}
}

func TestReady(t *testing.T) {
	opts := testOptions()
	opts.Ready = func() bool { return false }
	if w := request(opts, http.MethodGet, "/-/ready", ""); w.Code != http.StatusServiceUnavailable {
		t.Errorf("status %d before the schedule runs, want 503", w.Code)
	}
	if w := request(opts, http.MethodGet, "/-/healthy", ""); w.Code != http.StatusOK {
		t.Errorf("not healthy before the schedule runs: %d", w.Code)
	}
}

func TestMetricsFormats(t *testing.T) {
	registry := prometheus.NewRegistry()
	up := prometheus.NewGauge(prometheus.GaugeOpts{Name: "imap_up", Help: "Always 1."})
	up.Set(1)
	if err := registry.Register(up); err != nil {
		t.Fatal(err)
	}
	opts := testOptions()
	opts.Gatherer = prometheus.ToTransactionalGatherer(registry)
	for accept, contentType := range map[string]string{
		"": "text/plain; version=0.0.4",
		"application/openmetrics-text;version=1.0.0":                                                 "application/openmetrics-text; version=1.0.0",
		"application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited": "application/vnd.google.protobuf",
	} {
		w := request(opts, http.MethodGet, "/metrics", accept)
		if got := w.Header().Get("Content-Type"); !strings.HasPrefix(got, contentType) {
			t.Errorf("Accept %q: Content-Type is %q, want %q", accept, got, contentType)
		}
		if !strings.Contains(w.Body.String(), "imap_up") {
			t.Errorf("Accept %q: imap_up is missing", accept)
		}
	}
}

// One bad series is logged, and hides no other.
func TestMetricsErrorHidesNothing(t *testing.T) {
	registry := prometheus.NewRegistry()
	bad := prometheus.NewDesc("imap_bad", "Broken.", nil, nil)
	good := prometheus.NewDesc("imap_good", "Whole.", nil, nil)
	err := registry.Register(prometheus.CollectorFunc(func(metrics chan<- prometheus.Metric) {
		metrics <- prometheus.NewInvalidMetric(bad, errors.New("no such value"))
		metrics <- prometheus.MustNewConstMetric(good, prometheus.GaugeValue, 1)
	}))
	if err != nil {
		t.Fatal(err)
	}
	var log bytes.Buffer
	opts := testOptions()
	opts.Gatherer = prometheus.ToTransactionalGatherer(registry)
	opts.Logger = slog.New(slog.NewTextHandler(&log, nil))
	w := request(opts, http.MethodGet, "/metrics", "")
	if w.Code != http.StatusOK || !strings.Contains(w.Body.String(), "imap_good 1") {
		t.Errorf("status %d, page %q", w.Code, w.Body)
	}
	if !strings.Contains(log.String(), "level=ERROR") || !strings.Contains(log.String(), "no such value") {
		t.Errorf("log is %q", log.String())
	}
}

func TestServerLimits(t *testing.T) {
	server := NewServer(testOptions())
	for name, limit := range map[string]time.Duration{
		"ReadHeaderTimeout": server.ReadHeaderTimeout, "ReadTimeout": server.ReadTimeout,
		"WriteTimeout": server.WriteTimeout, "IdleTimeout": server.IdleTimeout,
	} {
		if limit <= 0 {
			t.Errorf("%s is not set", name)
		}
	}
	if server.MaxHeaderBytes <= 0 {
		t.Error("MaxHeaderBytes is not set")
	}
}
