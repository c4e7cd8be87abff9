package collectors

import (
	"fmt"
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors/version"
	dto "github.com/prometheus/client_model/go"
	"google.golang.org/protobuf/proto"

	"imap-exporter/probe"
)

// A plain is the plain way to export what Metrics knows: a collector for the registry that renders everything anew at
// each scrape, and histograms of client_golang's own.
type plain struct {
	*Metrics
	probes, phases, startLag, measurementError *prometheus.HistogramVec
}

func newPlain(m *Metrics) *plain {
	vec := func(id id) *prometheus.HistogramVec {
		c := catalogue[id]
		o := prometheus.HistogramOpts{Name: c.Name, Help: c.Help, Unit: c.Unit, Buckets: id.buckets()}
		if m.mode == HistogramsNative {
			o.Buckets = nil
		}
		if m.mode != HistogramsClassic {
			o.NativeHistogramBucketFactor = 1.1
			o.NativeHistogramMaxBucketNumber = 100
			o.NativeHistogramMinResetDuration = time.Hour
		}
		return prometheus.NewHistogramVec(o, c.Labels)
	}
	p := &plain{m, vec(probeDuration), vec(probePhaseDuration), vec(exporterStartLag), vec(exporterMeasurementError)}
	p.startLag.WithLabelValues()
	p.measurementError.WithLabelValues()
	return p
}

func (p *plain) SetAccounts(accounts []Account) {
	before := maps.Clone(p.servers)
	p.Metrics.SetAccounts(accounts)
	for name := range p.servers {
		p.probes.WithLabelValues(name)
		delete(before, name)
	}
	for name := range before {
		p.probes.DeletePartialMatch(prometheus.Labels{"server": name})
		p.phases.DeletePartialMatch(prometheus.Labels{"server": name})
	}
}

func (p *plain) Observe(r *probe.Result) {
	before := p.history.Last(r.Account)
	p.Metrics.Observe(r)
	if p.history.Last(r.Account) == before {
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

func (p *plain) Started(name string, lag time.Duration) {
	p.Metrics.Started(name, lag)
	p.startLag.WithLabelValues().Observe(lag.Seconds())
}

func (p *plain) Describe(chan<- *prometheus.Desc) {}

func (p *plain) Collect(ch chan<- prometheus.Metric) {
	for _, s := range p.samples() {
		var names, values []string
		for _, l := range s.labels {
			names, values = append(names, l.GetName()), append(values, l.GetValue())
		}
		m := catalogue[s.id]
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
	newest := make(map[place]offer)
	for _, name := range slices.Sorted(maps.Keys(p.accounts)) { // Of offers made at the same moment the first counts.
		a := p.accounts[name]
		out = append(out, a.info(p.ownLabels)...)
		out = append(out, a.samples()...)
		last := p.history.Last(name)
		if last == nil {
			continue
		}
		fresh := a.Interval == 0 || now.Sub(last.Start) <= 3*a.Interval
		out = append(out, withoutDoubles(render(last, a.labels, fresh))...)
		for stage, o := range a.offers {
			at := place{p.servers[a.Server].labels[0], o.mode, stage}
			if best, ok := newest[at]; fresh && (!ok || o.at.After(best.at)) {
				newest[at] = o
			}
		}
	}
	for at, o := range newest {
		out = append(out, withoutDoubles(o.samples(at))...)
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

// content is all that families say, but for the order of the metrics within one, and for when histograms were made.
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
