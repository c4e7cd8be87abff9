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

	"imap-exporter/probe"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// testOptions are those of an exporter with one account, "canary", that has not been probed.
func testOptions() Options {
	return Options{
		Version:    "1.2.3",
		Gatherer:   prometheus.ToTransactionalGatherer(prometheus.NewRegistry()),
		Registerer: prometheus.NewRegistry(),
		Accounts:   func() []Account { return []Account{{Name: "canary", Server: "imap.example.org:993"}} },
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
		{http.MethodGet, "/style.css", http.StatusOK},
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
			"Content-Security-Policy": "default-src 'none'; style-src 'self'",
			"Referrer-Policy":         "no-referrer",
			"X-Content-Type-Options":  "nosniff",
			"X-Frame-Options":         "deny",
		} {
			if got := w.Header().Get(name); !strings.HasPrefix(got, want) {
				t.Errorf("%s %s: %s is %q, want %q", test.method, test.path, name, got, want)
			}
		}
		if !strings.Contains(w.Header().Get("Content-Security-Policy"), "frame-ancestors 'none'") {
			t.Errorf("%s %s: may be framed", test.method, test.path)
		}
	}
}

func TestStyle(t *testing.T) {
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

func TestLandingPage(t *testing.T) {
	start := time.Now().Add(-8 * time.Second)
	opts := testOptions()
	opts.Accounts = func() []Account {
		return []Account{
			{Name: "canary", Server: "imap.example.org:993", Last: &probe.Result{Start: start, Duration: 123456 * time.Microsecond}},
			{Name: "old", Server: "mail.example.org:143", Last: &probe.Result{
				Start: start, Duration: 2500 * time.Millisecond,
				Err: &probe.Error{Phase: probe.PhaseAuth, Reason: probe.ReasonRejected, Text: "words of the server"},
			}},
			{Name: "new", Server: "imap.example.org:993"},
		}
	}
	w := request(opts, http.MethodGet, "/", "")
	html := w.Body.String()
	for _, want := range []string{
		"1.2.3", `href="metrics"`, `href="-/healthy"`, `href="style.css"`,
		"canary", "imap.example.org:993", "123.5ms", "8s ago", start.UTC().Format("2006-01-02 15:04:05") + " UTC",
		"auth/rejected", "2.5s", "1 ok", "1 failing", "1 waiting",
	} {
		if !strings.Contains(html, want) {
			t.Errorf("the page has no %q", want)
		}
	}
	for _, unwanted := range []string{"words of the server", "<script", "style=", "http://", "https://"} {
		if strings.Contains(html, unwanted) {
			t.Errorf("the page has %q", unwanted)
		}
	}
	if t.Failed() {
		t.Log(html)
	}
}

func TestLandingPageEscapes(t *testing.T) {
	const hostile = `</th><script>alert(1)</script>" onload='x' &amp; {{.Version}}` + "\x00\u202e"
	opts := testOptions()
	opts.Accounts = func() []Account {
		return []Account{{Name: hostile, Server: hostile, Last: &probe.Result{
			Err: &probe.Error{Phase: "<b>", Reason: "<i>"},
		}}}
	}
	html := request(opts, http.MethodGet, "/", "").Body.String()
	for _, unwanted := range []string{"<script", "onload='", "<b>", "<i>", " &amp; {{"} {
		if strings.Contains(html, unwanted) {
			t.Errorf("the page has %q", unwanted)
		}
	}
	if want := "&lt;script&gt;"; !strings.Contains(html, want) {
		t.Errorf("the page has no %q: %s", want, html)
	}
	if strings.Count(html, "<bdi>") != 2 {
		t.Error("a name that turns the writing direction is not isolated")
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
