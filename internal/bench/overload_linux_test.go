package bench

import (
	"fmt"
	"net"
	"strings"
	"testing"
	"time"

	"imap-exporter/internal/mailtest"
	"imap-exporter/internal/realtest/program"
)

// BenchmarkOverload gives the whole program twice as many probes as it has room for: 400 accounts every 10 s on a server
// that takes half a second over LOGIN, with room for 10 at a time. Beside them are 20 healthy accounts on another server.
// It shows how long these take, alone and beside the others, how many of the slots were skipped, whether the counts add
// up on every page, and how long a scrape takes.
func BenchmarkOverload(b *testing.B) {
	for _, slow := range []int{0, 400} {
		b.Run(fmt.Sprintf("slow=%d", slow), func(b *testing.B) {
			for b.Loop() {
				overload(b, slow)
			}
			b.ReportMetric(0, "ns/op")
		})
	}
}

func overload(b *testing.B, slow int) {
	b.Helper()
	healthyAddress, authority := startServerProcess(b, mailtest.ModeImplicit, 5*time.Millisecond)
	slowAddress, slowAuthority := startServerProcess(b, mailtest.ModeImplicit, 500*time.Millisecond)
	var config strings.Builder
	config.WriteString("max_concurrent: 20\nmax_concurrent_per_server: 10\nmodules:\n" +
		"  - {name: overload, interval: 10s, timeout: 5s, ip_family: \"4\", auth: login, tls_config: {ca_file: ca.pem}}\naccounts:\n")
	add := func(name, address string, n int) {
		_, port, err := net.SplitHostPort(address)
		if err != nil {
			b.Fatal(err)
		}
		for i := range n {
			fmt.Fprintf(&config, "  - {name: %s%d, server: \"localhost:%s\", username: %s, password: %s, module: overload}\n",
				name, i, port, user(i), mailtest.DemoPassword)
		}
	}
	add("healthy", healthyAddress, 20)
	add("slow", slowAddress, slow)
	exporter := program.Start(b, program.Command(b, writeConfig(b, config.String(), append(authority, slowAuthority...))))

	var healthy, scrapes []float64
	sums := true
	tick := time.NewTicker(200 * time.Millisecond)
	defer tick.Stop()
	var skipped, scheduled float64
	for range 300 {
		<-tick.C
		page, took := scrape(b, exporter)
		scrapes = append(scrapes, 1000*took.Seconds())
		for _, m := range page["imap_probe_last_duration_seconds"].GetMetric() {
			if strings.HasPrefix(m.GetLabel()[0].GetValue(), "healthy") {
				healthy = append(healthy, 1000*m.GetGauge().GetValue())
			}
		}
		scheduled = sum(page["imap_exporter_probes_scheduled_total"])
		skipped = sum(page["imap_exporter_probes_skipped_total"])
		sums = sums && scheduled == skipped+sum(page["imap_exporter_probes_started_total"])
	}
	if !sums {
		b.Error("scheduled isn't started and skipped")
	}
	b.ReportMetric(quantile(healthy, 0.5), "healthy-p50-ms")
	b.ReportMetric(quantile(healthy, 0.99), "healthy-p99-ms")
	b.ReportMetric(quantile(scrapes, 0.99), "scrape-p99-ms")
	b.ReportMetric(100*skipped/scheduled, "%skipped")
}
