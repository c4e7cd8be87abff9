package web

import (
	"fmt"
	"strings"
	"time"

	"imap-exporter/internal/history"
)

// A strip draws the last probes of an account as bars, the newest at the right: a failure is as high as the strip, and a
// success as high as it was slow, half of it being the usual.
type strip struct {
	// OK, Slow and Failed are the outlines of the bars; all of one kind are one, so that a page of fifty strips stays small.
	OK, Slow, Failed string
	// Words are what it shows for those who can't see it.
	Words string
}

const (
	// stripProbes is how many bars have room, stripPitch the distance from one to the next, stripBar their width and
	// stripHeight that of the strip.
	stripProbes = 60
	stripPitch  = 5
	stripBar    = 4
	stripHeight = 24
	// slow is how many times the usual is worth a colour.
	slow = 3
)

func newStrip(beats []history.Beat) strip {
	beats = beats[max(0, len(beats)-stripProbes):]
	usual := history.Usual(beats)
	var ok, slowOnes, failed strings.Builder
	failures := 0
	last := -1
	for i := range beats {
		b := &beats[i]
		path, height := &ok, stripHeight
		switch {
		case !b.OK():
			path = &failed
			failures++
			last = i
		default:
			height = beatHeight(b.Duration, usual)
			if b.Duration > slow*usual {
				path = &slowOnes
			}
		}
		x := (stripProbes - len(beats) + i) * stripPitch
		fmt.Fprintf(path, "M%d %dh%dv%dh-%dz", x, stripHeight-height, stripBar, height, stripBar)
	}
	s := strip{OK: ok.String(), Slow: slowOnes.String(), Failed: failed.String()}
	switch {
	case len(beats) == 0:
		s.Words = "No probe yet"
	case failures == 0:
		s.Words = fmt.Sprintf("All of the last %d probes went well", len(beats))
	default:
		s.Words = fmt.Sprintf("%d of the last %d probes failed, the last of them with %s/%s", failures, len(beats), beats[last].Phase, beats[last].Reason)
	}
	return s
}

// beatHeight is half the strip for the usual duration, and never nothing.
func beatHeight(d, usual time.Duration) int {
	if usual <= 0 {
		return stripHeight / 2
	}
	return min(max(4, int(float64(stripHeight)/2*float64(d)/float64(usual))), stripHeight)
}
