// Package waterfall shows a probe as a browser's network panel shows a page: each phase a bar, where in the probe it began
// and how long it took. It draws for terminals and plain text; web pages draw the same bars by themselves.
package waterfall

import (
	"time"

	"imap-exporter/probe"
)

// A Waterfall is the bars of one probe, in the order in which they began.
type Waterfall struct {
	Account string
	Server  string
	Mode    probe.TLSMode
	Start   time.Time
	Bars    []Bar
	// Total is the time of the whole probe, which is the scale of the bars.
	Total time.Duration
	// Err is why the probe failed, or nil.
	Err *probe.Error
}

// A Bar is one run of one phase.
type Bar struct {
	Phase probe.Phase
	// Start is the time from the probe's beginning to the bar's.
	Start    time.Duration
	Duration time.Duration
	// ReadDelay is how much later than it arrived our goroutine read the answer. It follows the bar, and is no part of it.
	ReadDelay time.Duration
	// OK is false where the probe failed.
	OK bool
}

// Of returns the waterfall of a Result.
func Of(r *probe.Result) *Waterfall {
	w := &Waterfall{Account: r.Account, Server: r.Server, Mode: r.Mode, Start: r.Start, Total: r.Duration, Err: r.Err}
	for _, s := range r.Spans {
		w.Bars = append(w.Bars, Bar(s))
		w.Total = max(w.Total, s.Start+s.Duration)
	}
	return w
}

// Place returns where on the scale a bar begins and how much of it it takes, as parts of 1.
func (w *Waterfall) Place(b Bar) (left, width float64) {
	if w.Total <= 0 {
		return 0, 0
	}
	total := float64(w.Total)
	left = min(max(float64(b.Start)/total, 0), 1)
	return left, min(max(float64(b.Duration)/total, 0), 1-left)
}

// Ticks returns round times on the scale, from 0 on, at most n of them, for an axis. n must be at least 2.
func (w *Waterfall) Ticks(n int) []time.Duration {
	var ticks []time.Duration
	step := w.step(n)
	for at := time.Duration(0); at <= w.Total; at += step {
		ticks = append(ticks, at)
	}
	return ticks
}

// step returns the least of 1 µs, 2 µs, 5 µs, 10 µs and so on with which less than n steps fit on the scale.
func (w *Waterfall) step(n int) time.Duration {
	for unit := int64(time.Microsecond); ; unit *= 10 {
		for _, factor := range []int64{1, 2, 5} {
			if step := unit * factor; int64(w.Total)/step < int64(n) {
				return time.Duration(step)
			}
		}
	}
}
