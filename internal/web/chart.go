package web

import (
	"fmt"
	"slices"
	"time"

	"imap-exporter/internal/format"
	"imap-exporter/internal/history"
	"imap-exporter/probe"
)

// A chart shows the durations of the phases of the last probes: a column for each probe, the phases stacked.
type chart struct {
	Columns []chartColumn
	// Legend has the phases that occur.
	Legend []probe.Phase
	// Ticks are the lines of the scale, from the bottom up.
	Ticks []axisTick
	// Width and Height are those of the SVG's viewBox.
	Width, Height int
	// From is the start of the first probe, and To of the last.
	From, To relativeTime
}

// A chartColumn is one probe in a chart.
type chartColumn struct {
	X, Width int
	OK       bool
	Segments []chartSegment
	Title    string
	Start    relativeTime
	Took     string
	// Cells are the durations of the chart's Legend; "" where the phase didn't run.
	Cells []string
}

// A chartSegment is one phase in a column.
type chartSegment struct {
	Phase     probe.Phase
	Y, Height float64
}

// An axisTick is a line of a scale.
type axisTick struct {
	Text string
	// At is its position in units of the viewBox, from the left or the top.
	At float64
}

const (
	columnPitch = 12
	columnWidth = 10
	chartHeight = 200
)

// newChart returns nil before the first probe. The phases are those of the protocol, in order.
func newChart(summaries []history.Summary, phases []probe.Phase, now time.Time) *chart {
	if len(summaries) == 0 {
		return nil
	}
	c := &chart{
		Width: columnPitch * sparklineProbes, Height: chartHeight,
		From: relativeTime{summaries[0].Start, now}, To: relativeTime{summaries[len(summaries)-1].Start, now},
	}
	top := scale(summaries)
	for _, at := range top.Ticks(5) {
		c.Ticks = append(c.Ticks, axisTick{tickText(at), chartHeight * (1 - float64(at)/float64(max(1, top)))})
	}
	for _, phase := range phases {
		ran := func(s history.Summary) bool { _, ok := s.Took(phase); return ok }
		if slices.ContainsFunc(summaries, ran) {
			c.Legend = append(c.Legend, phase)
		}
	}
	for i := range summaries {
		c.Columns = append(c.Columns, c.column(&summaries[i], sparklineProbes-len(summaries)+i, time.Duration(top), now))
	}
	return c
}

// scale returns a scale for the slowest success, or for the slowest probe if none succeeded: a failure that waited for its
// timeout would flatten all other columns.
func scale(summaries []history.Summary) format.Scale {
	var slowest, success time.Duration
	for i := range summaries {
		slowest = max(slowest, summaries[i].Duration)
		if summaries[i].OK() {
			success = max(success, summaries[i].Duration)
		}
	}
	if success > 0 {
		slowest = success
	}
	return format.Scale(slowest + slowest/20)
}

// column draws one probe from the bottom up, cut off at the top of the scale.
func (c *chart) column(b *history.Summary, place int, top time.Duration, now time.Time) chartColumn {
	col := chartColumn{
		X: place * columnPitch, Width: columnWidth, OK: b.OK(), Start: relativeTime{b.Start, now}, Took: durationText(b.Duration),
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
			col.Segments = append(col.Segments, chartSegment{phase, roundToTenth(y), roundToTenth(height)})
		}
	}
	return col
}

// roundToTenth rounds x to one decimal, which is as much as can be seen.
func roundToTenth(x float64) float64 { return float64(int(x*10+0.5)) / 10 }

// A waterfallView is the waterfall of one probe, as a page draws it.
type waterfallView struct {
	Bars  []waterfallBar
	Ticks []axisTick
	// Total is the duration of the whole probe.
	Total string
}

// A waterfallBar is one run of one phase. X and Width are in thousandths of the scale.
type waterfallBar struct {
	Phase    probe.Phase
	X, Width float64
	OK       bool
	Start    string
	Took     string
}

// newWaterfallView lays out the waterfall of a Result.
func newWaterfallView(r *probe.Result) *waterfallView {
	scale := format.ScaleOf(r)
	view := &waterfallView{Total: durationText(r.Duration)}
	for _, at := range scale.Ticks(6) {
		view.Ticks = append(view.Ticks, axisTick{tickText(at), roundToTenth(1000 * float64(at) / float64(max(1, scale)))})
	}
	for _, b := range r.Spans {
		left, width := scale.Place(b)
		view.Bars = append(view.Bars, waterfallBar{
			Phase: b.Phase, X: roundToTenth(1000 * min(left, 0.997)), Width: roundToTenth(1000 * max(width, 0.003)), OK: b.OK,
			Start: durationText(b.Start), Took: durationText(b.Duration),
		})
	}
	return view
}

// odd is for templates: every other tick is hidden on narrow screens.
func odd(i int) bool { return i%2 == 1 }

// percent returns x thousandths as an attribute of SVG, and percentOf x parts of whole.
func percent(x float64) string { return percentOf(x, 1000) }

func percentOf(x, whole float64) string { return fmt.Sprintf("%.4g%%", 100*x/whole) }
