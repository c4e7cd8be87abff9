//go:build soak

package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"imap-exporter/internal/realtest"
)

const (
	// soakTime is how long a soak lasts; `make soak` allows for it.
	soakTime = 10 * time.Minute
	// stormReloads is how many reloads a storm has in a soak.
	stormReloads = 1000
)

// One account with a wrong password among 20 good ones, on a Dovecot as it is out of the box, which punishes the whole
// address for each rejected login: no good login takes half a second, and the wrong one is tried 3 times at most.
func TestWrongPasswordAmongGoodOnes(t *testing.T) {
	dovecot := realtest.StrictDovecot(t)
	var config strings.Builder
	fmt.Fprintf(&config, "modules:\n  - {name: soak, interval: 60s, timeout: 20s, tls_config: {ca_file: %q, server_name: localhost}}\naccounts:\n", dovecot.CAFile)
	account := func(name, password string) {
		fmt.Fprintf(&config, "  - {name: %s, server: %q, username: %q, password: %q, module: soak}\n", name, dovecot.TLSAddr, dovecot.Alice.Name, password)
	}
	account("wrong", "canary-wrong-secret")
	for i := range 20 {
		account(fmt.Sprintf("good%d", i), dovecot.Alice.Password)
	}
	file := filepath.Join(t.TempDir(), "config.yaml")
	if err := os.WriteFile(file, []byte(config.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	address := serve(t, file).Address
	prometheus := realtest.Prometheus(t, fmt.Sprintf("global: {scrape_interval: 5s}\nscrape_configs:\n  - {job_name: imap, static_configs: [{targets: [%q]}]}\n", address))
	<-time.After(soakTime)
	ctx, cancel := context.WithTimeout(t.Context(), waitTimeout)
	defer cancel()
	for query, limit := range map[string]float64{
		`max(max_over_time(imap_probe_last_phase_duration_seconds{account=~"good.*", phase="auth"}[15m]))`: 0.5,
		`max(imap_probes_total{account="wrong"})`:                                                          3,
		`sum(imap_probe_failures_total{account=~"good.*"})`:                                                0,
	} {
		samples, err := prometheus.Await(ctx, query)
		if err != nil {
			t.Error(err)
			continue
		}
		t.Logf("%s is %v", query, samples[0].Value)
		if samples[0].Value > limit {
			t.Errorf("%s is %v, want at most %v", query, samples[0].Value, limit)
		}
	}
	samples, err := prometheus.Await(ctx, `min(imap_probes_total{account=~"good.*"})`)
	if err != nil || samples[0].Value < 8 {
		t.Errorf("the good accounts were probed %v times, %v", samples, err)
	}
}
