package collectors

import (
	"cmp"
	"slices"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"

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

// A histogram is one of the catalogue, with its labels. It goes on counting while it is shown.
type histogram struct {
	prometheus.Histogram
	id     id
	labels labels
}

// metric returns what the histogram holds at this moment.
func (h histogram) metric() (*dto.Metric, error) {
	m := &dto.Metric{}
	err := h.Write(m)
	m.Label = h.labels
	return m, err
}

// buckets returns the upper limits of the classic buckets: mail servers answer within milliseconds or seconds, while the
// exporter's own errors should be far below.
func (id id) buckets() []float64 {
	servers := []float64{.005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30, 60}
	switch id {
	case exporterStartLag, exporterMeasurementError:
		return append([]float64{.0001, .00025, .0005, .001, .0025}, servers...)
	default:
		return servers
	}
}

// newHistogram returns a histogram of which nothing but the labels is yet known.
func (mode HistogramMode) newHistogram(id id, l labels) histogram {
	o := prometheus.HistogramOpts{Name: catalogue[id].Name}
	if mode != HistogramsNative {
		o.Buckets = id.buckets()
	}
	if mode != HistogramsClassic {
		o.NativeHistogramBucketFactor = 1.1
		o.NativeHistogramMaxBucketNumber = 100
		o.NativeHistogramMinResetDuration = time.Hour
	}
	return histogram{prometheus.NewHistogram(o), id, l}
}

// histogram returns the server's histogram with these labels beside its own. It exists from then on.
func (s *server) histogram(id id, more ...*dto.LabelPair) histogram {
	wanted := histogram{id: id, labels: s.labels.with(more...)}
	at, found := slices.BinarySearchFunc(s.histograms, wanted, func(a, b histogram) int {
		return cmp.Or(cmp.Compare(a.id, b.id), a.labels.compare(b.labels))
	})
	if !found {
		s.histograms = slices.Insert(slices.Clone(s.histograms), at, s.mode.newHistogram(id, wanted.labels))
	}
	return s.histograms[at]
}

// time adds a Result to the server's histograms. Only what went well enters them, so that a server which fails fast
// doesn't look fast. Which phases run on a server is not known before.
func (s *server) time(r *probe.Result) {
	if r.OK() {
		s.histogram(probeDuration).Observe(r.Duration.Seconds())
	}
	for _, t := range r.Phases {
		if endedWell(t, r) {
			s.histogram(probePhaseDuration, pair("phase", t.Phase)).Observe(t.Duration.Seconds())
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
