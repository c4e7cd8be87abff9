//go:build unix

package collectors

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"runtime"
	"syscall"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	_ "github.com/prometheus/client_golang/prometheus/promhttp/zstd"

	"imap-exporter/internal/account"
	"imap-exporter/internal/schedule"
	"imap-exporter/probe"
)

// What Prometheus 3 accepts. For one that can't read every name in UTF-8, expfmt looks through all of them first.
const (
	plainText   = "text/plain;version=1.0.0;escaping=allow-utf-8"
	openMetrics = "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8"
	protobuf    = "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited;escaping=allow-utf-8"
)

// BenchmarkScrape compares scrapes of Metrics with those of the plain registry, in CPU time. Of the registry the
// largest is left out.
func BenchmarkScrape(b *testing.B) {
	for _, accounts := range []int{1_000, 10_000, 100_000} {
		b.Run(fmt.Sprint("accounts=", accounts), func(b *testing.B) {
			m := newPlain(New(Options{}))
			populate(m, accounts)
			registry := prometheus.NewRegistry()
			if err := registry.Register(m); err != nil {
				b.Fatal(err)
			}
			for _, format := range []struct{ name, accept, encoding string }{
				{"text", plainText, ""},
				{"old-text", "text/plain;version=0.0.4", ""},
				{"openmetrics", openMetrics, ""},
				{"protobuf", protobuf, ""},
				{"text+gzip", plainText, "gzip"},
				{"text+zstd", plainText, "zstd"},
				{"protobuf+gzip", protobuf, "gzip"},
			} {
				benchmarkScrape(b, "metrics/"+format.name, m.Metrics, format.accept, format.encoding)
				if accounts <= 10_000 {
					registry := prometheus.ToTransactionalGatherer(registry)
					benchmarkScrape(b, "registry/"+format.name, registry, format.accept, format.encoding)
				}
			}
		})
	}
}

func benchmarkScrape(b *testing.B, name string, g prometheus.TransactionalGatherer, accept, encoding string) {
	b.Run(name, func(b *testing.B) {
		h := promhttp.HandlerForTransactional(g, promhttp.HandlerOpts{EnableOpenMetrics: true})
		r := httptest.NewRequest(http.MethodGet, "/metrics", nil)
		r.Header.Set("Accept", accept)
		r.Header.Set("Accept-Encoding", encoding)
		w := &discard{header: http.Header{}}
		b.ReportAllocs()
		before := cpuTime(b)
		for b.Loop() {
			h.ServeHTTP(w, r)
		}
		b.ReportMetric(float64((cpuTime(b)-before).Milliseconds())/float64(b.N), "cpu-ms/op")
		b.ReportMetric(float64(w.bytes)/float64(b.N), "page-B/op")
	})
}

// cpuTime is what this process has used so far. Unlike the time on the clock it is the same on a busy machine.
func cpuTime(b *testing.B) time.Duration {
	b.Helper()
	var used syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &used); err != nil {
		b.Fatal(err)
	}
	return time.Duration(used.Utime.Nano() + used.Stime.Nano())
}

// discard is a client that reads as fast as can be.
type discard struct {
	header http.Header
	bytes  int
}

func (d *discard) Header() http.Header { return d.header }
func (d *discard) WriteHeader(int)     {}

func (d *discard) Write(p []byte) (int, error) {
	d.bytes += len(p)
	return len(p), nil
}

// someAccounts are so many accounts on ten servers.
func someAccounts(accounts int) []account.Account {
	list := make([]account.Account, accounts)
	for i := range list {
		list[i] = account.Account{
			Name: fmt.Sprintf("account-%06d@example.org", i), Server: fmt.Sprintf("imap%d.example.org:993", i%10),
			Interval: time.Minute, Labels: map[string]string{"team": "mail"},
		}
	}
	return list
}

// populate makes m know so many accounts, each with a Result.
func populate(m *plain, accounts int) {
	list := someAccounts(accounts)
	m.SetAccounts(list)
	for _, a := range list {
		m.Observe(ordinary(a))
		m.Changed(a.Key(), schedule.State{NextRun: time.Now()})
	}
}

// ordinary is the Result of an ordinary probe: one mailbox, a quota, no failure.
func ordinary(a account.Account) *probe.Result {
	now := time.Now()
	r := healthy(now)
	r.Account, r.Server = a.Name, a.Server
	r.Duration = time.Duration(rand.IntN(1e9))
	r.RTT = new(time.Duration(rand.IntN(1e8)))
	r.Phases = nil
	for _, phase := range []probe.Phase{
		probe.PhaseResolve, probe.PhaseConnect, probe.PhaseTLS, probe.PhaseGreeting, probe.PhaseCapability, probe.PhaseAuth,
		probe.PhaseSelect, probe.PhaseFetch, probe.PhaseQuota, probe.PhaseLogout,
	} {
		d := time.Duration(1e6 + rand.IntN(1e8))
		r.Phases = append(r.Phases, probe.Timing{Phase: phase, Duration: d, ReadDelay: d / 100, OK: true})
	}
	r.Mailboxes = []probe.Mailbox{{
		Name: "INBOX", Messages: new(rand.Uint32N(1e4)), Unseen: new(rand.Uint32N(1e3)), UIDNext: new(rand.Uint32N(1e5)),
		UIDValidity: new(rand.Uint32()), HighestModSeq: new(rand.Uint64N(1e6)), Newest: &now, Oldest: r.Mailboxes[0].Oldest,
	}}
	r.MailboxesTruncated = nil
	r.Quota.Roots[0] = probe.QuotaRoot{Name: "User quota", Storage: &probe.Resource{Used: rand.Uint64N(1e9), Limit: 1e9}}
	return r
}

// BenchmarkMemory measures the memory for an account besides its Result.
func BenchmarkMemory(b *testing.B) {
	const accounts = 10_000
	var m *plain
	for b.Loop() {
		m = newPlain(New(Options{}))
		list := someAccounts(accounts)
		results := make([]*probe.Result, accounts)
		for i, a := range list {
			results[i] = ordinary(a)
		}
		before := heap()
		m.SetAccounts(list)
		for _, r := range results {
			m.Observe(r)
			m.Changed(account.KeyOf(r), schedule.State{NextRun: r.Start})
		}
		b.ReportMetric(float64(heap()-before)/accounts, "B/account")
	}
	runtime.KeepAlive(m)
}

// heap is how much memory is in use.
func heap() uint64 {
	runtime.GC()
	var stats runtime.MemStats
	runtime.ReadMemStats(&stats)
	return stats.HeapAlloc
}

// BenchmarkObserve is what one probe costs here, with ten thousand accounts.
func BenchmarkObserve(b *testing.B) {
	m := newPlain(New(Options{}))
	populate(m, 10_000)
	r := ordinary(account.Account{Name: "account-005000@example.org", Server: "imap0.example.org:993"})
	b.ReportAllocs()
	for b.Loop() {
		m.Metrics.Observe(r)
	}
}

// BenchmarkChanged is what it costs that the schedule reports a new state.
func BenchmarkChanged(b *testing.B) {
	m := newPlain(New(Options{}))
	populate(m, 10_000)
	b.ReportAllocs()
	for b.Loop() {
		m.Changed(key("account-005000@example.org"), schedule.State{NextRun: noon})
	}
}

// BenchmarkReload is what a reload costs that changes nothing.
func BenchmarkReload(b *testing.B) {
	m := newPlain(New(Options{}))
	populate(m, 10_000)
	list := someAccounts(10_000)
	b.ReportAllocs()
	for b.Loop() {
		m.Metrics.SetAccounts(list)
	}
}
