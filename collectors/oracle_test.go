package collectors

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors/version"
	dto "github.com/prometheus/client_model/go"
	"google.golang.org/protobuf/proto"

	"imap-exporter/internal/account"
	"imap-exporter/internal/history"
	"imap-exporter/internal/schedule"
	"imap-exporter/probe"
)

// A plain is the plain way to export what Metrics knows: a collector for the registry that renders everything anew at
// each scrape, and histograms of client_golang's own.
type plain struct {
	*Metrics
	history                                    *history.Store
	states                                     map[account.Key]schedule.State
	probes, phases, startLag, measurementError *prometheus.HistogramVec
}

func newPlain(m *Metrics) *plain {
	vec := func(id id) *prometheus.HistogramVec {
		c := catalogue[id].of(probe.IMAP.Name)
		o := prometheus.HistogramOpts{Name: c.Name, Help: c.Help, Unit: c.Unit, Buckets: id.buckets()}
		if m.histograms == native {
			o.Buckets = nil
		}
		if m.histograms != classic {
			o.NativeHistogramBucketFactor = 1.1
			o.NativeHistogramMaxBucketNumber = 100
			o.NativeHistogramMinResetDuration = time.Hour
		}
		return prometheus.NewHistogramVec(o, c.Labels)
	}
	p := &plain{m, history.New(history.Limits{}), map[account.Key]schedule.State{}, vec(probeDuration), vec(probePhaseDuration), vec(exporterStartLag), vec(exporterMeasurementError)}
	p.startLag.WithLabelValues()
	p.measurementError.WithLabelValues()
	return p
}

func (p *plain) SetAccounts(accounts []account.Account) {
	before := maps.Clone(p.servers)
	moved := maps.Clone(p.accounts)
	p.Metrics.SetAccounts(accounts)
	p.history.SetAccounts(accounts)
	for key := range p.servers {
		p.probes.WithLabelValues(key.server)
		delete(before, key)
	}
	for key := range before {
		p.probes.DeletePartialMatch(prometheus.Labels{"server": key.server})
		p.phases.DeletePartialMatch(prometheus.Labels{"server": key.server})
	}
	for key, a := range moved {
		if p.accounts[key] != a {
			delete(p.states, key)
		}
	}
}

func (p *plain) Changed(key account.Key, s schedule.State) {
	p.Metrics.Changed(key, s)
	if p.accounts[key] != nil {
		p.states[key] = s
	}
}

// Observe is given Results as the engine does: those that count, and those of accounts that a reload takes away meanwhile.
func (p *plain) Observe(r *probe.Result) {
	if r.Err != nil && r.Err.Reason == probe.ReasonCanceled {
		return
	}
	p.Metrics.Observe(r)
	if _, kept := p.history.Add(r); kept == nil {
		return
	}
	if r.OK() {
		p.probes.WithLabelValues(r.Server).Observe(r.Duration.Seconds())
	}
	for _, t := range r.Phases {
		if endedWell(t, r) {
			p.phases.WithLabelValues(r.Server, string(t.Phase)).Observe(t.Duration.Seconds())
		}
		if t.ReadDelay > 0 {
			p.measurementError.WithLabelValues().Observe(t.ReadDelay.Seconds())
		}
	}
}

func (p *plain) Started(lag time.Duration) {
	p.Metrics.Started(lag)
	p.startLag.WithLabelValues().Observe(lag.Seconds())
}

func (p *plain) Describe(chan<- *prometheus.Desc) {}

func (p *plain) Collect(ch chan<- prometheus.Metric) {
	for _, s := range p.samples() {
		var names, values []string
		for _, l := range s.labels {
			names, values = append(names, l.GetName()), append(values, l.GetValue())
		}
		m := catalogue[s.id].of(probe.IMAP.Name)
		desc := prometheus.V2.NewDesc(m.Name, m.Help, prometheus.UnconstrainedLabels(names), nil, prometheus.WithUnit(m.Unit))
		if m.Type == Counter {
			since := s.since.AsTime()
			ch <- prometheus.MustNewConstMetricWithCreatedTimestamp(desc, prometheus.CounterValue, s.value, since, values...)
		} else {
			ch <- prometheus.MustNewConstMetric(desc, prometheus.GaugeValue, s.value, values...)
		}
	}
	version.NewCollector("imap_exporter").Collect(ch)
	for _, h := range []*prometheus.HistogramVec{p.probes, p.phases, p.startLag, p.measurementError} {
		h.Collect(ch)
	}
}

// samples renders everything.
func (p *plain) samples() []sample {
	now := p.now()
	out := p.program.samples()
	newest := make(map[capabilityKey]capabilities)
	byName := func(a, b account.Key) int { return strings.Compare(a.Account, b.Account) }
	for _, key := range slices.SortedFunc(maps.Keys(p.accounts), byName) { // Of capabilities seen at the same moment the first count.
		a := p.accounts[key]
		out = append(out, a.infoSamples(p.ownLabels)...)
		out = append(out, a.totalSamples()...)
		out = append(out, scheduleSamples(p.states[key], a.labels)...)
		last := p.history.Last(key)
		if last == nil {
			continue
		}
		current := a.Interval == 0 || now.Sub(last.Start) <= 3*a.Interval
		out = append(out, withoutDoubles(resultSamples(last, a.labels, current))...)
		for stage, c := range a.capabilities {
			key := capabilityKey{probe.IMAP.Name, p.servers[a.serverKey()].labels[0], c.mode, stage}
			if best, ok := newest[key]; current && (!ok || c.at.After(best.at)) {
				newest[key] = c
			}
		}
	}
	for key, c := range newest {
		out = append(out, withoutDoubles(c.samples(key))...)
	}
	for _, s := range p.servers {
		out = append(out, s.failureSamples()...)
		out = append(out, s.connectSamples()...)
		out = append(out, s.changeSamples()...)
	}
	return out
}

// withoutDoubles keeps of samples with the same labels the first.
func withoutDoubles(samples []sample) (out []sample) {
	seen := make(set)
	for _, s := range samples {
		if seen.add(fmt.Sprint(s.id, s.labels)) {
			out = append(out, s)
		}
	}
	return out
}

// gather scrapes p through the strictest registry there is.
func (p *plain) gather(t *testing.T) []*dto.MetricFamily {
	t.Helper()
	r := prometheus.NewPedanticRegistry()
	if err := r.Register(p); err != nil {
		t.Fatal(err)
	}
	families, err := r.Gather()
	if err != nil {
		t.Fatal(err)
	}
	return families
}

// content returns the families without the order of their metrics and the creation times of histograms.
func content(families []*dto.MetricFamily) (lines []string) {
	for _, f := range families {
		var metrics []string
		for _, m := range f.GetMetric() {
			if m.Histogram != nil {
				m = proto.CloneOf(m)
				m.Histogram.CreatedTimestamp = nil
			}
			metrics = append(metrics, m.String())
		}
		slices.Sort(metrics)
		lines = append(lines, fmt.Sprint(f.GetName(), f.GetHelp(), f.GetType(), f.GetUnit()))
		lines = append(lines, metrics...)
	}
	return lines
}
