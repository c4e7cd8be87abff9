package web

import (
	"fmt"
	"strings"
	"time"

	"imap-exporter/internal/history"
)

// A sparkline draws the last probes of an account as bars, the newest at the right: a failure is as high as the sparkline, and a
// success as high as it was slowFactor, half of it being the usual.
type sparkline struct {
	// OK, Slow and Failed are the outlines of the bars; all of one kind are one, so that a page of fifty strips stays small.
	OK, Slow, Failed string
	// Text is what it shows for those who can't see it.
	Text string
}

const (
	// sparklineProbes is how many bars have room, sparklinePitch the distance from one to the next, sparklineBarWidth their width and
	// sparklineHeight that of the sparkline.
	sparklineProbes   = 60
	sparklinePitch    = 5
	sparklineBarWidth = 4
	sparklineHeight   = 24
	// slowFactor is how many times the usual is worth a colour.
	slowFactor = 3
)

func newSparkline(summaries []history.Beat) sparkline {
	summaries = summaries[max(0, len(summaries)-sparklineProbes):]
	usual := history.Usual(summaries)
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

// barHeight is half the sparkline for the usual duration, and never nothing.
func barHeight(d, usual time.Duration) int {
	if usual <= 0 {
		return sparklineHeight / 2
	}
	return min(max(4, int(float64(sparklineHeight)/2*float64(d)/float64(usual))), sparklineHeight)
}
