package bench

import (
	"slices"
	"sync"
	"syscall"
	"testing"
	"time"

	"imap-exporter/internal/mailtest"
)

// cpu is the CPU time that this process has used.
func cpu(b *testing.B) time.Duration {
	b.Helper()
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		b.Fatal(err)
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}

// BenchmarkCost compares the CPU time of a probe with that of the barest client that holds the same conversation, over TLS
// 1.3 with a full handshake, 8 at a time, in turn over 7 rounds: the median ratio, and the microseconds of both.
func BenchmarkCost(b *testing.B) {
	const rounds, probes, concurrent = 7, 400, 8
	address, config := startServer(b, mailtest.ModeImplicit, 0)
	t := target(address, config)
	work := map[string]func(){
		"probe":  func() { mustProbe(b, t) },
		"barest": func() { barest(b, address, config) },
	}
	measure := func(name string) time.Duration {
		begin := cpu(b)
		var wg sync.WaitGroup
		for range concurrent {
			wg.Go(func() {
				for range probes / concurrent {
					work[name]()
				}
			})
		}
		wg.Wait()
		return (cpu(b) - begin) / probes
	}
	measure("probe")
	measure("barest")
	for b.Loop() {
		var ratios, ours, theirs []float64
		for range rounds {
			p, q := measure("probe"), measure("barest")
			ratios = append(ratios, float64(p)/float64(q))
			ours, theirs = append(ours, micro(p)), append(theirs, micro(q))
		}
		b.ReportMetric(median(ratios), "ratio")
		b.ReportMetric(median(ours), "probe-µs")
		b.ReportMetric(median(theirs), "barest-µs")
		b.ReportMetric(0, "ns/op")
	}
}

func micro(d time.Duration) float64 { return float64(d) / float64(time.Microsecond) }

func median(x []float64) float64 { return quantile(x, 0.5) }

func quantile(x []float64, q float64) float64 {
	s := slices.Sorted(slices.Values(x))
	return s[min(len(s)-1, int(q*float64(len(s))))]
}
