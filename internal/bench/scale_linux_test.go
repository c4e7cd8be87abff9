package bench

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"math"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"

	"imap-exporter/internal/mailtest"
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
	url, process := startExporter(b, scaleConfig(b, accounts, address, authority))
	begin := cpuOf(b, process)
	<-time.After(scaleTime)
	used := cpuOf(b, process) - begin
	resident := residentOf(b, process)
	page, took := scrape(b, url)
	b.ReportMetric(1000*took.Seconds(), "scrape-ms")
	b.ReportMetric(100*used.Seconds()/scaleTime.Seconds(), "%cpu")
	b.ReportMetric(resident/(1<<20), "resident-MiB")
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

// writeConfig writes a configuration, and beside it ca.pem.
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

var listening = regexp.MustCompile(`"Listening on".*address=(\S+)`)

// startExporter builds and runs the program until the end of the benchmark.
func startExporter(b *testing.B, config string) (url string, process int) {
	b.Helper()
	binary := filepath.Join(b.TempDir(), "imap-exporter")
	if out, err := exec.CommandContext(b.Context(), "go", "build", "-o", binary, "../../cmd/exporter").CombinedOutput(); err != nil {
		b.Fatalf("%v: %s", err, out)
	}
	cmd := exec.CommandContext(b.Context(), binary, "--config.file", config, "--web.listen-address", "127.0.0.1:0")
	stderr, err := cmd.StderrPipe()
	if err != nil {
		b.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		_ = cmd.Process.Signal(syscall.SIGTERM)
		_ = cmd.Wait()
	})
	lines := bufio.NewScanner(stderr)
	for lines.Scan() {
		if match := listening.FindStringSubmatch(lines.Text()); match != nil {
			go func() { _, _ = io.Copy(io.Discard, stderr) }()
			return "http://" + match[1] + "/metrics", cmd.Process.Pid
		}
	}
	b.Fatal("the exporter did not start")
	return "", 0
}

// scrape gets a page, and says how long that took, reading it apart.
func scrape(b *testing.B, url string) (families map[string]*dto.MetricFamily, took time.Duration) {
	b.Helper()
	begin := time.Now()
	response, err := http.Get(url)
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

// residentOf is the peak of a process's resident memory in bytes.
func residentOf(b *testing.B, process int) float64 {
	b.Helper()
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", process))
	if err != nil {
		b.Fatal(err)
	}
	_, after, _ := strings.Cut(string(status), "VmHWM:")
	kilobytes, err := strconv.ParseFloat(strings.Fields(after)[0], 64)
	if err != nil {
		b.Fatal(err)
	}
	return kilobytes * 1024
}

// cpuOf is the CPU time that a process has used.
func cpuOf(b *testing.B, process int) time.Duration {
	b.Helper()
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", process))
	if err != nil {
		b.Fatal(err)
	}
	fields := strings.Fields(string(stat[bytes.LastIndexByte(stat, ')')+1:]))
	const ticks = 100 // a second, on every Linux that Go runs on
	var total time.Duration
	for _, field := range fields[11:13] {
		n, err := strconv.ParseInt(field, 10, 64)
		if err != nil {
			b.Fatal(err)
		}
		total += time.Duration(n) * time.Second / ticks
	}
	return total
}
