package bench

import (
	"fmt"
	"net"
	"strconv"
	"sync"
	"testing"
	"time"

	"imap-exporter/internal/mailtest"
	"imap-exporter/probe"
)

// BenchmarkTruth compares the time of LOGIN as it is reported with a packet capture, 20 ms injected, with 1 and with 500
// probes at once, which keep the machine busy. It shows the median and 99th percentile of what is reported too much, and
// what they were if a phase ended when our goroutine had read the answer, as with an ordinary clock.
func BenchmarkTruth(b *testing.B) {
	for _, concurrent := range []int{1, users} {
		b.Run(fmt.Sprintf("concurrent=%d", concurrent), func(b *testing.B) {
			address, _ := startServer(b, mailtest.ModePlain, 20*time.Millisecond)
			_, text, _ := net.SplitHostPort(address)
			port, err := strconv.ParseUint(text, 10, 16)
			if err != nil {
				b.Fatal(err)
			}
			capture := startCapture(b, uint16(port))
			var reported, read []float64
			for b.Loop() {
				for range 2000 / max(concurrent, 20) {
					r, l := compareLogins(b, address, capture, concurrent)
					reported, read = append(reported, r...), append(read, l...)
				}
			}
			b.ReportMetric(quantile(reported, 0.5), "p50-µs")
			b.ReportMetric(quantile(reported, 0.99), "p99-µs")
			b.ReportMetric(quantile(read, 0.5), "ordinary-p50-µs")
			b.ReportMetric(quantile(read, 0.99), "ordinary-p99-µs")
			b.ReportMetric(0, "ns/op")
		})
	}
}

// compareLogins probes so many accounts at once, and gives by how many microseconds each reported time of LOGIN was longer
// than the captured one: as reported, and as an ordinary clock would have it.
func compareLogins(b *testing.B, address string, c *capture, concurrent int) (reported, ordinary []float64) {
	b.Helper()
	auth := make([]probe.Timing, concurrent)
	var wg sync.WaitGroup
	for i := range concurrent {
		wg.Go(func() {
			t := target(address, nil)
			t.TLSMode, t.Username = probe.TLSNone, user(i)
			for _, p := range mustProbe(b, t).Phases {
				if p.Phase == probe.PhaseAuth {
					auth[i] = p
				}
			}
		})
	}
	wg.Wait()
	deadline := time.After(5 * time.Second)
	for i, p := range auth {
		wire, ok := c.take(user(i))
		for !ok {
			select {
			case <-deadline:
				b.Fatalf("the login of %s was not captured", user(i))
			case <-time.After(time.Millisecond):
			}
			wire, ok = c.take(user(i))
		}
		reported = append(reported, micro(p.Duration-wire))
		ordinary = append(ordinary, micro(p.Duration+p.ReadDelay-wire))
	}
	return reported, ordinary
}
