package rules_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"imap-exporter/internal/realtest"
)

// TestNative loads the rules into a real Prometheus that scrapes only native histograms, which promtool's unit tests don't
// support: ImapExporterOverloaded reads both kinds.
func TestNative(t *testing.T) {
	registry := prometheus.NewRegistry()
	signs := map[string]prometheus.Histogram{}
	for sign, name := range map[string]string{
		"start_lag": "imap_exporter_probe_start_lag_seconds", "measurement_error": "imap_exporter_measurement_error_seconds",
	} {
		signs[sign] = prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: name, Help: "As the exporter's, without classic buckets.", NativeHistogramBucketFactor: 1.1,
		})
		registry.MustRegister(signs[sign])
	}
	page := promhttp.HandlerFor(registry, promhttp.HandlerOpts{})
	exporter := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		for _, histogram := range signs {
			histogram.Observe(3)
		}
		page.ServeHTTP(w, r)
	}))
	defer exporter.Close()
	rules, err := filepath.Abs("imap-*.yaml")
	if err != nil {
		t.Fatal(err)
	}
	server := realtest.Prometheus(t, fmt.Sprintf(`
global: {scrape_interval: 1s, evaluation_interval: 1s}
rule_files: [%q]
scrape_configs:
  - {job_name: imap, static_configs: [{targets: [%q]}]}
`, rules, strings.TrimPrefix(exporter.URL, "http://")), "--enable-feature=native-histograms")
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	for sign := range signs {
		if _, err := server.Await(ctx, fmt.Sprintf(`ALERTS{alertname="ImapExporterOverloaded", sign=%q}`, sign)); err != nil {
			t.Errorf("%s: %v\n%s", sign, err, server.Log())
		}
	}
	classic, err := server.Query(ctx, `{__name__=~"imap_exporter_.+_bucket"}`)
	if err != nil || len(classic) > 0 {
		t.Errorf("classic buckets: %v, %v", classic, err)
	}
}
