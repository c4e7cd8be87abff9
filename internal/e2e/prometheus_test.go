package e2e

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"imap-exporter/collectors"
	"imap-exporter/internal/realtest"
)

// realConfig probes real servers in every way that makes a metric, and a port that nothing listens on.
const realConfig = `
modules:
  - {name: canary, interval: 2s, timeout: 2s, mailboxes: ["*"], tls_config: {ca_file: %[1]q, server_name: localhost}}
  - {name: starttls, interval: 2s, timeout: 2s, tls: starttls, tls_config: {ca_file: %[1]q, server_name: localhost}}
accounts:
  - {name: alice, server: %[2]q, username: %[4]q, password: %[5]q, module: canary, labels: {team: mail}}
  - {name: starttls, server: %[3]q, username: %[4]q, password: %[5]q, module: starttls}
  - {name: rejected, server: %[2]q, username: %[4]q, password: canary-wrong-secret, module: canary}
  - {name: refused, server: "127.0.0.1:1", username: nobody, password: canary-wrong-secret, module: canary}
`

// A real Prometheus scrapes the real program, which probes a real Dovecot: every metric of the catalogue is there with a
// value, in the text format and in protobuf with native histograms, and answers queries.
func TestPrometheus(t *testing.T) {
	t.Parallel()
	dovecot := realtest.Dovecot(t)
	text := fmt.Sprintf(realConfig, dovecot.CAFile, dovecot.TLSAddr, dovecot.PlainAddr, dovecot.Alice.Name, dovecot.Alice.Password)
	file := filepath.Join(t.TempDir(), "config.yaml")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	address := strings.TrimPrefix(startDebug(t, file).URL, "http://")
	const scrape = `
global: {scrape_interval: 1s}
scrape_configs:
  - {job_name: imap, static_configs: [{targets: [%q]}]}
`
	for format, flags := range map[string][]string{"text": nil, "protobuf": {"--enable-feature=native-histograms"}} {
		t.Run(format, func(t *testing.T) {
			t.Parallel()
			prometheus := realtest.Prometheus(t, fmt.Sprintf(scrape, address), flags...)
			ctx, cancel := context.WithTimeout(t.Context(), waitTimeout)
			defer cancel()
			for _, metric := range collectors.Catalogue() {
				query := metric.Name
				if metric.Type == collectors.Histogram && format == "text" {
					query += "_bucket"
				} else if metric.Type == collectors.Histogram {
					query = fmt.Sprintf("histogram_count(%s) > 0", metric.Name)
				}
				if _, err := prometheus.Await(ctx, query); err != nil {
					t.Errorf("%s: %v", metric.Name, err)
				}
			}
			assertAnswers(ctx, t, prometheus)
		})
	}
}

// assertAnswers asks what an alert or a panel would ask, and waits until each has an answer.
func assertAnswers(ctx context.Context, t *testing.T, prometheus *realtest.PromServer) {
	t.Helper()
	for _, query := range []string{
		`imap_probe_success{account="alice"} == 1`,
		`imap_probe_success{account="rejected"} == 0`,
		`imap_probe_last_failure_info{account="rejected", phase="auth", reason="rejected"} == 1`,
		`imap_probe_last_failure_info{account="refused", phase="connect", reason="refused"} == 1`,
		`imap_probe_last_phase_duration_seconds{account="starttls", phase="starttls"} > 0`,
		`imap_mailbox_messages{account="alice", mailbox="INBOX"} == 5`,
		`imap_mailbox_messages{account="alice", mailbox="Entwürfe"} == 1`,
		`imap_quota_storage_limit_bytes{account="alice"} == 10 * 1024 * 1024`,
		`increase(imap_probe_failures_total{account="refused"}[1m]) > 0`,
		`imap_tls_certificate_not_after_timestamp_seconds{account="alice"} > time()`,
		`imap_probe_success * on (account) group_left (team) imap_account_info{team="mail"}`,
		`histogram_quantile(0.5, sum by (le) (rate(imap_probe_phase_duration_seconds_bucket{phase="auth"}[1m]))) > 0
			or histogram_quantile(0.5, sum(rate(imap_probe_phase_duration_seconds{phase="auth"}[1m]))) > 0`,
	} {
		if _, err := prometheus.Await(ctx, query); err != nil {
			t.Error(err)
		}
	}
}

// A real Prometheus, configured as the documentation says, finds the demo's accounts and has them probed.
func TestPrometheusDrives(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("../../docs/on-demand.md")
	if err != nil {
		t.Fatal(err)
	}
	example := regexp.MustCompile("(?s)```yaml\n(scrape_configs:.*?)```").FindSubmatch(text)[1]
	address := strings.TrimPrefix(startDebug(t, shipped).URL, "http://")
	config := strings.NewReplacer("localhost:10993", address, "scrape_interval: 1m", "scrape_interval: 5s", "scrape_timeout: 25s ", "scrape_timeout: 5s ").Replace(string(example))
	prometheus := realtest.Prometheus(t, config)
	ctx, cancel := context.WithTimeout(t.Context(), waitTimeout)
	defer cancel()
	for account, success := range map[string]int{
		"demo-healthy": 1, "demo-slow": 1, "demo-quota": 1, "demo-growing": 1, "demo-starttls": 1, "demo-certificate": 1, "demo-rejected": 0,
	} {
		for _, query := range []string{
			fmt.Sprintf(`probe_success{instance=%q, account=%[1]q, job="imap-probe"} == %d`, account, success),
			fmt.Sprintf(`imap_probe_success{instance=%q} == %d or imap_probe_held_back_info{instance=%[1]q}`, account, success),
		} {
			if _, err := prometheus.Await(ctx, query); err != nil {
				t.Error(err)
			}
		}
	}
	if _, err := prometheus.Await(ctx, `count(up == 1) == 9`); err != nil {
		t.Error(err)
	}
	if _, err := prometheus.Await(ctx, `up{team="mail", instance="demo-healthy"} == 1`); err != nil { // By labelmap.
		t.Error(err)
	}
	targets, err := prometheus.Targets(ctx)
	if err != nil {
		t.Fatal(err)
	}
	for _, target := range targets {
		if target.Health != "up" || !strings.Contains(target.ScrapeURL, address+"/probe?target=") {
			t.Errorf("%+v", target)
		}
	}
}
