package collectors

import (
	"cmp"
	"slices"
	"time"

	dto "github.com/prometheus/client_model/go"

	"imap-exporter/probe"
)

// An accountPage is what /metrics shows of an account. It is never changed, only replaced, by one that shares with it
// what has stayed the same.
type accountPage struct {
	// info is imap_account_info, and state what is shown at any time.
	info, state block
	// fresh is shown of the last Result until it lapses, and stale after that. A zero time never comes.
	fresh, stale block
	lapses       time.Time
	// offers are the capabilities that the account was offered at server, whose label this is.
	server *dto.LabelPair
	offers map[probe.Stage]offer
}

// lapsed reports whether the last Result has become too old to be shown as the present.
func (p *accountPage) lapsed(now time.Time) bool {
	return !p.lapses.IsZero() && now.After(p.lapses)
}

// A serverPage is what /metrics shows of a server. It is never changed, only replaced, but for what the histograms hold.
type serverPage struct {
	failures, connects, changes block
	histograms                  []histogram
}

// A block is samples in the form that promhttp encodes, sorted, and none of them twice. It is never changed.
type block []cell

// A cell is a metric and its value in one piece of memory.
type cell struct {
	id     id
	metric dto.Metric
	gauge  dto.Gauge
	value  float64
}

// newBlock returns a block of the samples. Of those with the same labels the first counts.
func newBlock(samples []sample) block {
	slices.SortStableFunc(samples, compareSamples)
	samples = slices.CompactFunc(samples, func(a, b sample) bool { return compareSamples(a, b) == 0 })
	b := make(block, len(samples))
	for i, s := range samples {
		c := &b[i]
		c.id, c.value = s.id, s.value
		c.metric.Label = s.labels
		if catalogue[s.id].Type == Counter {
			c.metric.Counter = &dto.Counter{Value: &c.value, CreatedTimestamp: s.since}
		} else {
			c.gauge.Value = &c.value
			c.metric.Gauge = &c.gauge
		}
	}
	return b
}

func compareSamples(a, b sample) int {
	return cmp.Or(cmp.Compare(a.id, b.id), a.labels.compare(b.labels))
}
