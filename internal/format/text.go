package format

import (
	"fmt"
	"io"
	"math"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"imap-exporter/internal/text"
	"imap-exporter/probe"
)

const (
	// phaseWidth fits the longest phase, connect_failed, and timeWidth a probe of ten minutes.
	phaseWidth = 14
	timeWidth  = 11
	// minBarWidth is how many columns the bars get even on the narrowest terminal.
	minBarWidth = 10
	// defaultWidth is that of an ordinary terminal.
	defaultWidth = 80
)

// A Style is how text is laid out.
type Style struct {
	// Width is how many columns a line may take; 0 means 80.
	Width int
	// Color adds the colours of a terminal.
	Color bool
}

// The escape sequences for colours (ECMA-48, SGR).
const (
	green = "\x1b[32m"
	red   = "\x1b[31m"
	bold  = "\x1b[1m"
	reset = "\x1b[0m"
)

// paint adds a colour to text if the style has colours.
func (s Style) paint(color, plain string) string {
	if !s.Color || plain == "" {
		return plain
	}
	return color + plain + reset
}

// barColumns returns how many columns are left for the bars of a waterfall, beside the phase, the time and the mark of a
// failure.
func (s Style) barColumns() int {
	if s.Width == 0 {
		s.Width = defaultWidth
	}
	return max(s.Width-2-phaseWidth-1-1-timeWidth-2, minBarWidth)
}

// Text writes the waterfall of a probe and what it found out; with transcript its conversation, too.
func Text(w io.Writer, p Probe, style Style, transcript bool) error {
	if p.Result == nil {
		_, err := fmt.Fprintf(w, "%s  %s  not probed: %s\n", printable(p.Account.Name), printable(p.Account.Server), printable(p.Err.Error()))
		return err
	}
	parts := []string{Waterfall(p.Result, style), details(p.Result)}
	if transcript {
		parts = append(parts, Transcript(p.Result.Transcript))
	}
	parts = slices.DeleteFunc(parts, func(part string) bool { return part == "" })
	_, err := io.WriteString(w, strings.Join(parts, "\n"))
	return err
}

// Summary writes a probe as one line.
func Summary(w io.Writer, p Probe) error {
	var outcome, detail string
	switch {
	case p.Result == nil:
		outcome, detail = "FAILED", printable(p.Err.Error())
	case p.Result.Err != nil:
		outcome, detail = "FAILED", failure(p.Result.Err)
	default:
		outcome, detail = "ok", Milliseconds(p.Result.Duration)
	}
	_, err := fmt.Fprintf(w, "%-6s  %s  %s  %s\n", outcome, printable(p.Account.Name), printable(p.Account.Server), detail)
	return err
}

// printable makes text from outside safe for a terminal. A Result's texts are bounded where they come from.
func printable(s string) string { return text.Printable(s, math.MaxInt) }

// failure writes why a probe failed as phase/reason: text.
func failure(err *probe.Error) string {
	return fmt.Sprintf("%s/%s: %s", err.Phase, err.Reason, printable(err.Text))
}

// Waterfall draws a probe as a browser's network panel draws a page: a line for the probe, a bar for each span of a phase, and
// why the probe failed. Each line ends with a line break.
//
//	demo-slow  demo-slow:993  ok  558.1 ms
//	  resolve        ▏                                         0.4 ms
//	  auth            ████████████████████████████████       540.8 ms
func Waterfall(r *probe.Result, style Style) string {
	var b strings.Builder
	scale, columns := ScaleOf(r), style.barColumns()
	outcome := style.paint(green, "ok")
	if r.Err != nil {
		outcome = style.paint(red, "failed")
	}
	name := r.Account
	if name == "" {
		name = r.Server
	}
	fmt.Fprintf(&b, "%s  %s  %s  %s\n", style.paint(bold, printable(name)), printable(r.Server), outcome, Milliseconds(time.Duration(scale)))
	for _, span := range r.Spans {
		left, bar := drawBar(scale, span, columns)
		color := green
		if !span.OK {
			color = red
		}
		fmt.Fprintf(&b, "  %-*s %s%s%s %*s", phaseWidth, span.Phase, strings.Repeat(" ", left), style.paint(color, bar),
			strings.Repeat(" ", columns-left-utf8.RuneCountInString(bar)), timeWidth, Milliseconds(span.Duration))
		if !span.OK && r.Err != nil && span.Phase == r.Err.Phase {
			b.WriteString(style.paint(red, " ✗"))
		}
		b.WriteString("\n")
	}
	if r.Err != nil {
		fmt.Fprintf(&b, "  %s %s\n", style.paint(red, "✗ "+string(r.Err.Phase)+"/"+string(r.Err.Reason)+":"), printable(r.Err.Text))
	}
	return b.String()
}

// eighths are the ends of bars that fill an eighth of a column, two eighths and so on.
var eighths = [...]string{"", "▏", "▎", "▍", "▌", "▋", "▊", "▉"}

// drawBar returns the column in which a bar begins, and the bar: at least an eighth of a column wide, and never beyond
// the last column.
func drawBar(scale Scale, span probe.Span, columns int) (left int, bar string) {
	from, width := scale.Place(span)
	left = min(int(from*float64(columns)), columns-1)
	size := min(max(int(width*float64(columns)*8+0.5), 1), (columns-left)*8)
	return left, strings.Repeat("█", size/8) + eighths[size%8]
}

// Milliseconds writes a duration so that durations can be compared at a glance: 0.4 ms, 12.3 ms, 1234.5 ms.
func Milliseconds(d time.Duration) string {
	return fmt.Sprintf("%.1f ms", d.Seconds()*1000)
}
