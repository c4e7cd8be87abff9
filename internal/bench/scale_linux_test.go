package bench

import (
	"bytes"
	"fmt"
	"io"
	"math"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"testing"
	"time"

	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"

	"imap-exporter/internal/mailtest"
	"imap-exporter/internal/realtest/program"
)

// scaleTime is how long BenchmarkScale lets the exporter run: the first probes, and two rounds.
const scaleTime = 150 * time.Second

// BenchmarkScale runs the whole program with so many accounts at an interval of 60 s, over TLS, on this machine, which it
// shares with the mail server. It shows what the program itself says of its schedule, its resident memory, its share of a
// core, and how long a scrape takes meanwhile.
func BenchmarkScale(b *testing.B) {
	for _, accounts := range []int{1000, 10_000} {
		b.Run(fmt.Sprintf("accounts=%d", accounts), func(b *testing.B) {
			for b.Loop() {
				scale(b, accounts)
			}
			b.ReportMetric(0, "ns/op")
		})
	}
}

func scale(b *testing.B, accounts int) {
	b.Helper()
	address, authority := startServerProcess(b, mailtest.ModeImplicit, 5*time.Millisecond)
	exporter := program.Start(b, program.Command(b, scaleConfig(b, accounts, address, authority)))
	begin := exporter.CPUTime(b)
	<-time.After(scaleTime)
	used := exporter.CPUTime(b) - begin
	resident := exporter.PeakMemory(b)
	page, took := scrape(b, exporter)
	b.ReportMetric(1000*took.Seconds(), "scrape-ms")
	b.ReportMetric(100*used.Seconds()/scaleTime.Seconds(), "%cpu")
	b.ReportMetric(float64(resident)/(1<<20), "resident-MiB")
	b.ReportMetric(sum(page["imap_exporter_probes_scheduled_total"]), "scheduled")
	b.ReportMetric(sum(page["imap_exporter_probes_started_total"]), "started")
	b.ReportMetric(sum(page["imap_exporter_probes_skipped_total"]), "skipped")
	b.ReportMetric(sum(page["imap_probe_failures_total"]), "failures")
	b.ReportMetric(bucket(page["imap_exporter_probe_start_lag_seconds"], 0.99), "lag-p99-s")
	b.ReportMetric(bucket(page["imap_exporter_measurement_error_seconds"], 0.99), "error-p99-s")
}

// scaleConfig writes a configuration of so many accounts, which share the server's users.
func scaleConfig(b *testing.B, accounts int, address string, authority []byte) string {
	b.Helper()
	_, port, err := net.SplitHostPort(address)
	if err != nil {
		b.Fatal(err)
	}
	var config bytes.Buffer
	fmt.Fprintf(&config, "modules:\n  - {name: scale, interval: 60s, timeout: 10s, auth: login, ip_family: \"4\", tls_config: {ca_file: ca.pem}}\naccounts:\n")
	for i := range accounts {
		fmt.Fprintf(&config, "  - {name: account%05d, server: \"localhost:%s\", username: %s, password: %s, module: scale}\n",
			i, port, user(i%users), mailtest.DemoPassword)
	}
	return writeConfig(b, config.String(), authority)
}

// writeConfig writes a configuration, and ca.pem in the same folder.
func writeConfig(b *testing.B, config string, authority []byte) (file string) {
	b.Helper()
	dir := b.TempDir()
	file = filepath.Join(dir, "config.yaml")
	for name, content := range map[string][]byte{file: []byte(config), filepath.Join(dir, "ca.pem"): authority} {
		if err := os.WriteFile(name, content, 0o600); err != nil {
			b.Fatal(err)
		}
	}
	return file
}

// scrape gets /metrics and returns how long that took, without the parsing.
func scrape(b *testing.B, exporter *program.Process) (families map[string]*dto.MetricFamily, took time.Duration) {
	b.Helper()
	begin := time.Now()
	response, err := http.Get(exporter.URL + "/metrics")
	if err != nil {
		b.Fatal(err)
	}
	defer response.Body.Close()
	page, err := io.ReadAll(response.Body)
	took = time.Since(begin)
	if err != nil {
		b.Fatal(err)
	}
	parser := expfmt.NewTextParser(model.UTF8Validation)
	if families, err = parser.TextToMetricFamilies(bytes.NewReader(page)); err != nil {
		b.Fatal(err)
	}
	return families, took
}

// sum adds up a family of counters.
func sum(f *dto.MetricFamily) (total float64) {
	for _, m := range f.GetMetric() {
		total += m.GetCounter().GetValue()
	}
	return total
}

// bucket is the upper bound of the bucket in which a histogram's quantile lies.
func bucket(f *dto.MetricFamily, q float64) float64 {
	if f == nil {
		return math.NaN()
	}
	h := f.GetMetric()[0].GetHistogram()
	for _, b := range h.GetBucket() {
		if float64(b.GetCumulativeCount()) >= q*float64(h.GetSampleCount()) {
			return b.GetUpperBound()
		}
	}
	return math.Inf(1)
}
