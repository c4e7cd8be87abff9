package collectors

import (
	"cmp"
	"errors"
	"slices"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"

	"imap-exporter/internal/schedule"
)

// Gather returns all metrics as they are at one moment; only the histograms may be ahead of it by the probes that end
// meanwhile. The families are sorted by name. Within one the metrics are sorted by account, those without by server,
// and then by their other labels. Nothing of it is changed afterwards, so that there is no need to call done, and no harm
// in calling it late or never. It never fails.
func (m *Metrics) Gather() (_ []*dto.MetricFamily, done func(), _ error) {
	s := m.snapshot()
	capabilities := newestCapabilities(s.accounts, s.now, *m.lastCapabilities.Load())
	m.lastCapabilities.Store(&capabilities)

	f := make(families)
	f.of("").add(s.program)
	f.of("")[exporterBuildInfo] = m.buildInfo
	f.of("").addHistograms(m.startLag, m.measurementError)
	for _, a := range s.accounts {
		f.of(a.protocol).add(a.info, a.schedule, a.totals)
		if a.isStale(s.now) {
			f.of(a.protocol).add(a.stale)
		} else {
			f.of(a.protocol).add(a.current)
		}
	}
	for _, s := range s.servers {
		f.of(s.protocol).add(s.failures, s.connects, s.changes)
		f.of(s.protocol).addHistograms(s.histograms...)
	}
	capabilities.addTo(f)
	return f.sorted(), func() {}, nil
}

// A snapshot is the state that one scrape shows.
type snapshot struct {
	now      time.Time
	accounts []*accountMetrics
	servers  []*serverMetrics
	program  rendered
}

// snapshot returns the current state.
func (m *Metrics) snapshot() snapshot {
	var inFlight *int
	if m.inFlight != nil {
		inFlight = new(m.inFlight())
	}
	var counts *schedule.Counts
	if m.counts != nil {
		counts = new(m.counts())
	}
	var dropped *int
	if m.linesDropped != nil {
		dropped = new(m.linesDropped())
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	p := m.program
	p.inFlight, p.counts, p.linesDropped = inFlight, counts, dropped
	return snapshot{m.now(), slices.Clone(m.accountMetrics), slices.Clone(m.serverMetrics), render(p.samples())}
}

// families are the metrics to show, by protocol; "" has those of the exporter itself.
type families map[string]*shapes

// shapes are the metrics of each entry of the catalogue.
type shapes [metricCount][]*dto.Metric

// of returns the metrics of a protocol.
func (f families) of(protocol string) *shapes {
	s := f[protocol]
	if s == nil {
		s = new(shapes)
		f[protocol] = s
	}
	return s
}

func (s *shapes) add(all ...rendered) {
	for _, r := range all {
		for i := range r {
			s[r[i].id] = append(s[r[i].id], &r[i].metric)
		}
	}
}

func (s *shapes) addHistograms(histograms ...histogram) {
	for _, h := range histograms {
		if m, err := h.metric(); err == nil {
			s[h.id] = append(s[h.id], m)
		}
	}
}

// sorted returns the families that are not empty, sorted by name.
func (f families) sorted() []*dto.MetricFamily {
	var out []*dto.MetricFamily
	for protocol, shapes := range f {
		for id, metrics := range shapes {
			if len(metrics) > 0 {
				out = append(out, catalogue[id].of(protocol).family(metrics))
			}
		}
	}
	slices.SortFunc(out, compareFamilies)
	return out
}

func compareFamilies(a, b *dto.MetricFamily) int { return cmp.Compare(a.GetName(), b.GetName()) }

// family returns the metrics under the name and with the help, type and unit of m.
func (m Metric) family(metrics []*dto.Metric) *dto.MetricFamily {
	f := &dto.MetricFamily{Name: &m.Name, Help: &m.Help, Type: dto.MetricType_GAUGE.Enum(), Metric: metrics}
	switch m.Type {
	case Counter:
		f.Type = dto.MetricType_COUNTER.Enum()
	case Histogram:
		f.Type = dto.MetricType_HISTOGRAM.Enum()
	case Gauge:
	}
	if m.Unit != "" {
		f.Unit = &m.Unit
	}
	return f
}

// Gatherers are the sources of a page. No two of them have a metric of the same name.
type Gatherers []prometheus.TransactionalGatherer

// Gather returns the families of all gatherers, sorted by name, and their joined errors.
func (g Gatherers) Gather() (all []*dto.MetricFamily, done func(), err error) {
	dones := make([]func(), len(g))
	errs := make([]error, len(g))
	for i, one := range g {
		var some []*dto.MetricFamily
		some, dones[i], errs[i] = one.Gather()
		all = append(all, some...)
	}
	slices.SortFunc(all, compareFamilies)
	return all, func() {
		for _, done := range dones {
			done()
		}
	}, errors.Join(errs...)
}
