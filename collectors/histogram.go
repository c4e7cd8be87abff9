package collectors

import (
	"slices"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"imap-exporter/probe"
)

// HistogramMode chooses the buckets of histograms: fixed ones with a line each in /metrics (classic), fine ones that
// only Prometheus' protobuf format transports (native), or both.
type HistogramMode string

// The modes.
const (
	HistogramsBoth    HistogramMode = "both"
	HistogramsClassic HistogramMode = "classic"
	HistogramsNative  HistogramMode = "native"
)

// durations are the histograms. Only what went well enters them, so that a server which fails fast doesn't look fast.
type durations struct {
	probes *prometheus.HistogramVec
	phases *prometheus.HistogramVec
}

func newDurations(mode HistogramMode) *durations {
	return &durations{
		probes: newHistogram(catalogue[probeDuration], mode),
		phases: newHistogram(catalogue[probePhaseDuration], mode),
	}
}

func newHistogram(m Metric, mode HistogramMode) *prometheus.HistogramVec {
	o := prometheus.HistogramOpts{Name: m.Name, Help: m.Help, Unit: m.Unit}
	if mode != HistogramsNative {
		o.Buckets = []float64{.005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30, 60}
	}
	if mode != HistogramsClassic {
		o.NativeHistogramBucketFactor = 1.1
		o.NativeHistogramMaxBucketNumber = 100
		o.NativeHistogramMinResetDuration = time.Hour
	}
	return prometheus.NewHistogramVec(o, m.Labels)
}

// begin lets a server's histogram of probes exist as 0, so that increase() sees the first one. Which phases run on a
// server is not known before.
func (d *durations) begin(server string) {
	d.probes.With(prometheus.Labels{"server": server})
}

func (d *durations) observe(r *probe.Result) {
	if r.OK() {
		d.probes.With(prometheus.Labels{"server": r.Server}).Observe(r.Duration.Seconds())
	}
	for _, t := range r.Phases {
		if endedWell(t, r) {
			d.phases.With(prometheus.Labels{"server": r.Server, "phase": string(t.Phase)}).Observe(t.Duration.Seconds())
		}
	}
}

// endedWell reports whether a phase has the time of something that worked. connect_failed never did, but its time was
// spent on the way to a connection where there was one in the end.
func endedWell(t probe.Timing, r *probe.Result) bool {
	if t.Phase != probe.PhaseConnectFailed {
		return t.OK
	}
	return slices.ContainsFunc(r.Connects, func(c probe.Connect) bool { return c.Reason == "" })
}

func (d *durations) forget(server string) {
	labels := prometheus.Labels{"server": server}
	d.probes.DeletePartialMatch(labels)
	d.phases.DeletePartialMatch(labels)
}

func (d *durations) collect(ch chan<- prometheus.Metric) {
	d.probes.Collect(ch)
	d.phases.Collect(ch)
}
