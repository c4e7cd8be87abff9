package web

import (
	"fmt"
	"strings"
	"time"

	"imap-exporter/internal/history"
)

// A sparkline draws the last probes of an account as bars, the newest at the right. The bar of a failure has the full
// height. That of a success grows with its duration; the median has half the height.
type sparkline struct {
	// OK, Slow and Failed are SVG paths of all bars of that kind: one path instead of many elements keeps the list small.
	OK, Slow, Failed string
	// Text describes it for screen readers.
	Text string
}

const (
	// sparklineProbes is the number of bars, sparklinePitch the distance from one to the next.
	sparklineProbes   = 60
	sparklinePitch    = 5
	sparklineBarWidth = 4
	sparklineHeight   = 24
	// slowFactor times the median is a slow probe, which has a colour of its own.
	slowFactor = 3
)

func newSparkline(summaries []history.Summary) sparkline {
	summaries = summaries[max(0, len(summaries)-sparklineProbes):]
	usual := history.MedianDuration(summaries)
	var ok, slowOnes, failed strings.Builder
	failures := 0
	last := -1
	for i := range summaries {
		b := &summaries[i]
		path, height := &ok, sparklineHeight
		switch {
		case !b.OK():
			path = &failed
			failures++
			last = i
		default:
			height = barHeight(b.Duration, usual)
			if b.Duration > slowFactor*usual {
				path = &slowOnes
			}
		}
		x := (sparklineProbes - len(summaries) + i) * sparklinePitch
		fmt.Fprintf(path, "M%d %dh%dv%dh-%dz", x, sparklineHeight-height, sparklineBarWidth, height, sparklineBarWidth)
	}
	s := sparkline{OK: ok.String(), Slow: slowOnes.String(), Failed: failed.String()}
	switch {
	case len(summaries) == 0:
		s.Text = "No probe yet"
	case failures == 0:
		s.Text = fmt.Sprintf("All of the last %d probes went well", len(summaries))
	default:
		s.Text = fmt.Sprintf("%d of the last %d probes failed, the last of them with %s/%s", failures, len(summaries), summaries[last].Phase, summaries[last].Reason)
	}
	return s
}

// barHeight returns the height of the bar of a success.
func barHeight(d, usual time.Duration) int {
	if usual <= 0 {
		return sparklineHeight / 2
	}
	return min(max(4, int(float64(sparklineHeight)/2*float64(d)/float64(usual))), sparklineHeight)
}
