package collectors

import (
	"cmp"
	"slices"
	"time"

	dto "github.com/prometheus/client_model/go"
	"google.golang.org/protobuf/types/known/timestamppb"

	"imap-exporter/probe"
)

// accountMetrics are what /metrics shows of an account. They are never changed, only replaced; the replacement shares what has
// not changed.
type accountMetrics struct {
	protocol string
	// info has the account's own labels, schedule its state, and totals its counters and what else all probes together say.
	info, schedule, totals rendered
	// current is shown of the last Result until staleAt, and stale after that. A zero staleAt means never.
	current, stale rendered
	staleAt        time.Time
	// capabilities are the last ones that the account saw, server is the label of the server that offered them.
	server       *dto.LabelPair
	capabilities map[probe.Stage]capabilities
}

// isStale reports whether the last Result is stale.
func (a *accountMetrics) isStale(now time.Time) bool {
	return !a.staleAt.IsZero() && now.After(a.staleAt)
}

// serverMetrics are what /metrics shows of a server. Except for the values of the histograms, they are never changed, only
// replaced.
type serverMetrics struct {
	protocol                    string
	failures, connects, changes rendered
	histograms                  []histogram
}

// A sample is one metric of the catalogue with its value.
type sample struct {
	id     id
	value  float64
	labels labels
	// since is when a counter was 0; nil for gauges.
	since *timestamppb.Timestamp
}

func compareSamples(a, b sample) int {
	return cmp.Or(cmp.Compare(a.id, b.id), a.labels.compare(b.labels))
}

// rendered are samples in the form that promhttp encodes, sorted, and none of them twice. They are never changed.
type rendered []renderedSample

// A renderedSample is a metric and its value in one piece of memory.
type renderedSample struct {
	id     id
	metric dto.Metric
	gauge  dto.Gauge
	value  float64
}

// render renders samples. Of those with the same labels the first counts.
func render(samples []sample) rendered {
	slices.SortStableFunc(samples, compareSamples)
	samples = slices.CompactFunc(samples, func(a, b sample) bool { return compareSamples(a, b) == 0 })
	out := make(rendered, len(samples))
	for i, s := range samples {
		o := &out[i]
		o.id, o.value = s.id, s.value
		o.metric.Label = s.labels
		if catalogue[s.id].Type == Counter {
			o.metric.Counter = &dto.Counter{Value: &o.value, CreatedTimestamp: s.since}
		} else {
			o.gauge.Value = &o.value
			o.metric.Gauge = &o.gauge
		}
	}
	return out
}
