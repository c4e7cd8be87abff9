package collectors

import (
	"cmp"
	"errors"
	"slices"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"
)

// Gather returns all metrics as they are at one moment; only the histograms may be ahead of it by the probes that end
// meanwhile. The families are sorted by name. Within one the metrics are sorted by account, those without by server,
// and then by their other labels. Nothing of it is changed afterwards, so that there is no need to call done, and no harm
// in calling it late or never. It never fails.
func (m *Metrics) Gather() (_ []*dto.MetricFamily, done func(), _ error) {
	s := m.snapshot()
	shown := newestOffers(s.accounts, s.now, *m.shown.Load())
	m.shown.Store(&shown)

	var f families
	f.add(s.program)
	f[exporterBuildInfo] = m.buildInfo
	f.addHistograms(m.startLag, m.measurementError)
	for _, p := range s.accounts {
		f.add(p.info, p.state)
		if p.lapsed(s.now) {
			f.add(p.stale)
		} else {
			f.add(p.fresh)
		}
	}
	for _, p := range s.servers {
		f.add(p.failures, p.connects, p.changes)
		f.addHistograms(p.histograms...)
	}
	for _, o := range shown.sorted() {
		f.add(o.block)
	}
	return f.sorted(), func() {}, nil
}

// A snapshot is what is shown at one moment.
type snapshot struct {
	now      time.Time
	accounts []*accountPage
	servers  []*serverPage
	program  block
}

// snapshot returns what is to be shown now.
func (m *Metrics) snapshot() snapshot {
	var inFlight *int
	if m.inFlight != nil {
		inFlight = new(m.inFlight())
	}
	var counts *Counts
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
	return snapshot{m.now(), slices.Clone(m.accountPages), slices.Clone(m.serverPages), newBlock(p.samples())}
}

// families are the metrics of each entry of the catalogue.
type families [metricCount][]*dto.Metric

func (f *families) add(blocks ...block) {
	for _, b := range blocks {
		for i := range b {
			f[b[i].id] = append(f[b[i].id], &b[i].metric)
		}
	}
}

func (f *families) addHistograms(histograms ...histogram) {
	for _, h := range histograms {
		if m, err := h.metric(); err == nil {
			f[h.id] = append(f[h.id], m)
		}
	}
}

// sorted returns the families that are not empty, sorted by name.
func (f *families) sorted() []*dto.MetricFamily {
	var out []*dto.MetricFamily
	for id, metrics := range f {
		if len(metrics) > 0 {
			out = append(out, catalogue[id].family(metrics))
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

// Gather returns the families of all gatherers, sorted by name, as far as there are any, with the errors of all.
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
