package web

import (
	"fmt"
	"time"

	"imap-exporter/internal/format"
	"imap-exporter/internal/history"
	"imap-exporter/probe"
)

// A chart shows what the phases of the last probes took, each probe a column, the phases on top of each other.
type chart struct {
	Columns []column
	// Legend has the phases that occur.
	Legend []probe.Phase
	// Ticks are the lines of the scale, from the bottom.
	Ticks []tick
	// Width and Height are the drawing's.
	Width, Height int
	// From is the start of the first probe, and To of the last.
	From, To moment
}

// A column is one probe.
type column struct {
	X, Width int
	OK       bool
	Pieces   []piece
	// ID is the probe's.
	ID    int64
	Title string
	Start moment
	Took  string
	// Cells are the durations of the chart's Legend; "" where the phase didn't run.
	Cells []string
}

// A piece is a phase in a column.
type piece struct {
	Phase     probe.Phase
	Y, Height float64
}

// A tick is a line of a scale.
type tick struct {
	Text string
	// At is where it is, in the drawing's units from the left or the top.
	At float64
}

const (
	columnPitch = 12
	columnWidth = 10
	chartHeight = 200
)

// newChart returns nil before the first probe.
func newChart(beats []history.Beat, now time.Time) *chart {
	if len(beats) == 0 {
		return nil
	}
	c := &chart{
		Width: columnPitch * stripProbes, Height: chartHeight,
		From: moment{beats[0].Start, now}, To: moment{beats[len(beats)-1].Start, now},
	}
	top := scale(beats)
	for _, at := range top.Ticks(5) {
		c.Ticks = append(c.Ticks, tick{tickText(at), chartHeight * (1 - float64(at)/float64(max(1, top)))})
	}
	for _, phase := range probe.Phases() {
		for i := range beats {
			if _, ran := beats[i].Took(phase); ran {
				c.Legend = append(c.Legend, phase)
				break
			}
		}
	}
	for i := range beats {
		c.Columns = append(c.Columns, c.column(&beats[i], stripProbes-len(beats)+i, time.Duration(top), now))
	}
	return c
}

// scale is that of the slowest success, or of the slowest probe where none went well: a failure that waited for its
// timeout would flatten all others.
func scale(beats []history.Beat) format.Scale {
	var slowest, success time.Duration
	for i := range beats {
		slowest = max(slowest, beats[i].Duration)
		if beats[i].OK() {
			success = max(success, beats[i].Duration)
		}
	}
	if success > 0 {
		slowest = success
	}
	return format.Scale(slowest + slowest/20)
}

// column draws one probe from the bottom up; what is above the scale is cut off.
func (c *chart) column(b *history.Beat, place int, top time.Duration, now time.Time) column {
	col := column{
		X: place * columnPitch, Width: columnWidth, OK: b.OK(), ID: b.ID, Start: moment{b.Start, now}, Took: durationText(b.Duration),
	}
	outcome := "ok"
	if !b.OK() {
		outcome = fmt.Sprintf("%s/%s", b.Phase, b.Reason)
	}
	col.Title = fmt.Sprintf("%s: %s, %s", col.Start.Full(), outcome, col.Took)
	y := float64(chartHeight)
	for _, phase := range c.Legend {
		took, ran := b.Took(phase)
		if !ran {
			col.Cells = append(col.Cells, "")
			continue
		}
		col.Cells = append(col.Cells, durationText(took))
		height := min(y, chartHeight*float64(took)/float64(max(1, top)))
		y -= height
		if height >= 0.05 {
			col.Pieces = append(col.Pieces, piece{phase, round(y), round(height)})
		}
	}
	return col
}

// round leaves what can be seen.
func round(x float64) float64 { return float64(int(x*10+0.5)) / 10 }

// tickText is a round time.
func tickText(d time.Duration) string {
	switch {
	case d == 0:
		return "0"
	case d < time.Millisecond:
		return fmt.Sprintf("%d%sµs", d/time.Microsecond, space)
	case d < time.Second:
		return fmt.Sprintf("%d%sms", d/time.Millisecond, space)
	default:
		return fmt.Sprintf("%g%ss", d.Seconds(), space)
	}
}

// A fall is the waterfall of a probe.
type fall struct {
	Bars  []fallBar
	Ticks []tick
	// Total is the time of the whole probe.
	Total string
}

// A fallBar is a bar of it: where it is, of 1000.
type fallBar struct {
	Phase    probe.Phase
	X, Width float64
	OK       bool
	Start    string
	Took     string
	Percent  int
	// Slow tells what usually makes the phase slow, and Look what to look at.
	Slow, Look []phrase
}

func (e explanations) fall(r *probe.Result) *fall {
	scale := format.ScaleOf(r)
	f := &fall{Total: durationText(r.Duration)}
	for _, at := range scale.Ticks(6) {
		f.Ticks = append(f.Ticks, tick{tickText(at), round(1000 * float64(at) / float64(max(1, scale)))})
	}
	for _, b := range r.Spans {
		left, width := scale.Place(b)
		f.Bars = append(f.Bars, fallBar{
			Phase: b.Phase, X: round(1000 * min(left, 0.997)), Width: round(1000 * max(width, 0.003)), OK: b.OK,
			Start: durationText(b.Start), Took: durationText(b.Duration), Percent: int(width*100 + 0.5),
			Slow: e.slow[b.Phase], Look: e.look[b.Phase],
		})
	}
	return f
}

// odd says which ticks are left out where there is little room.
func odd(i int) bool { return i%2 == 1 }

// percent gives a place of 1000 as an attribute of SVG wants it, and percentOf one of another whole.
func percent(x float64) string { return percentOf(x, 1000) }

func percentOf(x, whole float64) string { return fmt.Sprintf("%.4g%%", 100*x/whole) }
