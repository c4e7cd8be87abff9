package format

import (
	"time"

	"imap-exporter/probe"
)

// A Scale is the time axis of a drawing, from 0 to its value.
type Scale time.Duration

// ScaleOf returns the scale of a waterfall: the time of the whole probe, or the end of its last span if that is later.
func ScaleOf(r *probe.Result) Scale {
	total := r.Duration
	for _, s := range r.Spans {
		total = max(total, s.Start+s.Duration)
	}
	return Scale(total)
}

// Place returns where on the scale a span begins and how much of the scale it takes, both from 0 to 1.
func (s Scale) Place(span probe.Span) (left, width float64) {
	if s <= 0 {
		return 0, 0
	}
	left = min(max(float64(span.Start)/float64(s), 0), 1)
	return left, min(max(float64(span.Duration)/float64(s), 0), 1-left)
}

// Ticks returns round times on the scale for an axis, starting with 0: at most n of them. n must be at least 2.
func (s Scale) Ticks(n int) []time.Duration {
	var ticks []time.Duration
	step := s.step(n)
	for at := time.Duration(0); at <= time.Duration(s); at += step {
		ticks = append(ticks, at)
	}
	return ticks
}

// step returns the smallest of 1 µs, 2 µs, 5 µs, 10 µs and so on of which fewer than n fit on the scale.
func (s Scale) step(n int) time.Duration {
	for unit := int64(time.Microsecond); ; unit *= 10 {
		for _, factor := range []int64{1, 2, 5} {
			if step := unit * factor; int64(s)/step < int64(n) {
				return time.Duration(step)
			}
		}
	}
}
