package collectors

import (
	"cmp"
	"slices"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"
)

// Histograms choose the buckets of histograms: fixed ones with a line each in /metrics (classic), fine ones that only
// Prometheus' protobuf format transports (native), or both. Neither stands for both, too.
type Histograms struct{ Classic, Native bool }

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
func (kinds Histograms) newHistogram(id id, l labels) histogram {
	o := prometheus.HistogramOpts{Name: catalogue[id].Name}
	if kinds.Classic || !kinds.Native {
		o.Buckets = id.buckets()
	}
	if kinds.Native || !kinds.Classic {
		o.NativeHistogramBucketFactor = 1.1
		o.NativeHistogramMaxBucketNumber = 100
		o.NativeHistogramMinResetDuration = time.Hour
	}
	return histogram{prometheus.NewHistogram(o), id, l}
}

// histogram returns the server's histogram with these additional labels. It creates the histogram if it doesn't exist.
func (s *serverState) histogram(id id, more ...*dto.LabelPair) histogram {
	wanted := histogram{id: id, labels: s.labels.with(more...)}
	at, found := slices.BinarySearchFunc(s.histograms, wanted, func(a, b histogram) int {
		return cmp.Or(cmp.Compare(a.id, b.id), a.labels.compare(b.labels))
	})
	if !found {
		s.histograms = slices.Insert(slices.Clone(s.histograms), at, s.kinds.newHistogram(id, wanted.labels))
	}
	return s.histograms[at]
}
