package demohistory

import (
	"context"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"
	"golang.org/x/sync/errgroup"

	"imap-exporter/collectors"
	"imap-exporter/internal/account"
	"imap-exporter/internal/config"
	"imap-exporter/internal/demo"
	"imap-exporter/internal/schedule"
	"imap-exporter/probe"
)

// A past is an exporter at a time in the past.
type past struct {
	now      time.Time
	metrics  *collectors.Metrics
	counts   schedule.Counts
	subjects []*subject
	rand     *rand.Rand
	process  *process
}

// newPast returns the exporter at its start, with what a real probe of each account finds.
func newPast(ctx context.Context, o Options) (*past, error) {
	demoServers, err := demo.New()
	if err != nil {
		return nil, err
	}
	defer demoServers.Close()
	cfg, err := config.Load(config.Options{File: o.Config, Demo: demoServers})
	if err != nil {
		return nil, err
	}
	begin := o.End.Add(-o.Age)
	p := &past{
		now: begin, rand: rand.New(rand.NewPCG(1, 1)), process: newProcess(begin),
		counts: schedule.Counts{Skipped: map[schedule.Reason]uint64{
			schedule.Overload: 0, schedule.Backoff: 0, schedule.Throttled: 0, schedule.Shutdown: 0,
		}},
	}
	p.metrics = collectors.New(collectors.Options{
		Histograms: collectors.Histograms{Classic: true},
		InFlight:   func() int { return p.rand.IntN(3) },
		Counts:     func() schedule.Counts { return p.counts },

		LinesDropped: func() int { return 0 },
		Now:          func() time.Time { return p.now },
	})
	var accounts []account.Account
	for i, a := range cfg.Accounts {
		accounts = append(accounts, a.Account)
		p.subjects = append(p.subjects, &subject{
			interval: a.Interval, offset: a.Interval * time.Duration(i) / time.Duration(len(cfg.Accounts)),
			end: o.End, rand: rand.New(rand.NewPCG(2, uint64(i))), next: begin,
		})
	}
	p.metrics.SetAccounts(accounts)
	p.metrics.Reloaded(true, begin)

	var probes errgroup.Group
	for i, a := range cfg.Accounts {
		probes.Go(func() error {
			patient := *a.Target
			patient.Timeout = time.Minute // On a busy machine, too.
			found := probe.Run(ctx, &patient)
			p.subjects[i].found = found
			if found.Err != nil && found.Err.Reason != probe.ReasonRejected {
				return fmt.Errorf("account %s, of which a past was to be made: %w", found.Account, found.Err)
			}
			return nil
		})
	}
	return p, probes.Wait()
}

// advance lets all happen that happens up to a moment: all of it, or, when it needn't be dense, sparseProbes of each
// account. The last one is as near to the moment as it would be otherwise, since a Result that is too old isn't shown.
// The weight is how many probes each stands for.
func (p *past) advance(to time.Time, dense bool) (weight float64) {
	from := p.now
	for _, s := range p.subjects {
		interval := s.interval
		if !dense {
			interval = max(interval, to.Sub(from)/sparseProbes)
		}
		if !dense || s.next.After(from.Add(interval)) {
			s.next = from.Add(interval - s.offset)
		}
		weight = float64(interval) / float64(s.interval)
		for !s.next.After(to) {
			p.now = s.next
			p.counts.Scheduled++
			if reason := s.skip(); reason != "" {
				p.counts.Skipped[reason]++
			} else {
				p.counts.Started++
				p.metrics.Started(time.Duration(p.rand.IntN(2_000_000)))
				p.metrics.Observe(s.probe())
			}
			s.next = s.next.Add(interval)
			p.metrics.Changed(account.KeyOf(s.found), s.state())
		}
	}
	p.now = to
	return weight
}

// gather returns the page, and what Prometheus adds to it.
func (p *past) gather() []*dto.MetricFamily {
	families, done, _ := p.metrics.Gather() // It never fails.
	defer done()
	samples := 0
	for _, f := range families {
		samples += len(f.GetMetric())
	}
	return append(families, p.process.families(p.now, samples)...)
}

// A process has the metrics of the exporter's process and of its scrapes.
type process struct {
	began    time.Time
	rand     *rand.Rand
	registry *prometheus.Registry
	gauges   map[string]prometheus.Gauge
	cpu      prometheus.Counter
	at       time.Time
}

func newProcess(began time.Time) *process {
	p := &process{
		began: began, at: began, rand: rand.New(rand.NewPCG(3, 3)), registry: prometheus.NewRegistry(),
		gauges: map[string]prometheus.Gauge{},
		cpu:    prometheus.NewCounter(prometheus.CounterOpts{Name: "process_cpu_seconds_total"}),
	}
	p.registry.MustRegister(p.cpu)
	for _, name := range []string{
		"up", "scrape_duration_seconds", "scrape_samples_scraped", "go_goroutines", "process_resident_memory_bytes",
		"process_open_fds", "process_max_fds", "process_start_time_seconds",
	} {
		p.gauges[name] = prometheus.NewGauge(prometheus.GaugeOpts{Name: name})
		p.registry.MustRegister(p.gauges[name])
	}
	return p
}

// families returns the metrics of the process at this time.
func (p *process) families(now time.Time, samples int) []*dto.MetricFamily {
	p.cpu.Add(now.Sub(p.at).Seconds() * (0.008 + 0.004*p.rand.Float64()))
	p.at = now
	for name, value := range map[string]float64{
		"up": 1, "scrape_duration_seconds": 0.012, "scrape_samples_scraped": float64(samples),
		"go_goroutines": 60, "process_resident_memory_bytes": 30e6, "process_open_fds": 30, "process_max_fds": 1024,
		"process_start_time_seconds": float64(p.began.Unix()),
	} {
		p.gauges[name].Set(value)
	}
	p.gauges["scrape_duration_seconds"].Add(0.008 * p.rand.Float64())
	p.gauges["go_goroutines"].Add(float64(p.rand.IntN(12)))
	p.gauges["process_resident_memory_bytes"].Add(4e6 * p.rand.Float64())
	families, err := p.registry.Gather()
	if err != nil {
		return nil
	}
	return families
}
