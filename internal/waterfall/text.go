package waterfall

import (
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"imap-exporter/probe"
)

const (
	// phaseWidth fits the longest phase, connect_failed, and timeWidth a probe of ten minutes.
	phaseWidth = 14
	timeWidth  = 11
	// leastBar is how many columns are left for the bars even on the narrowest terminal.
	leastBar = 10
	// defaultWidth is that of an ordinary terminal.
	defaultWidth = 80
)

// A Style is how Text draws.
type Style struct {
	// Width is how many columns a line may take; 0 means 80.
	Width int
	// Color adds the colours of a terminal.
	Color bool
}

// The colours, by what they say.
const (
	good  = "\x1b[32m"
	bad   = "\x1b[31m"
	bold  = "\x1b[1m"
	plain = "\x1b[0m"
)

// paint colours text, if that is wanted.
func (s Style) paint(color, text string) string {
	if !s.Color || text == "" {
		return text
	}
	return color + text + plain
}

// bars returns how many columns the bars have.
func (s Style) bars() int {
	if s.Width == 0 {
		s.Width = defaultWidth
	}
	return max(s.Width-2-phaseWidth-1-1-timeWidth, leastBar)
}

// Text draws the waterfall: a line for the probe, one for each bar, and what went wrong. Each line ends with a line break.
//
//	demo-slow  demo-slow:993  ok  558.1 ms
//	  resolve        ▏                                         0.4 ms
//	  auth            ████████████████████████████████       540.8 ms
func (w *Waterfall) Text(s Style) string {
	var b strings.Builder
	outcome := s.paint(good, "ok")
	if w.Err != nil {
		outcome = s.paint(bad, "failed")
	}
	fmt.Fprintf(&b, "%s  %s  %s  %s\n", s.paint(bold, w.name()), w.Server, outcome, Milliseconds(w.Total))
	for _, bar := range w.Bars {
		left, drawn := w.draw(bar, s.bars())
		color := good
		if !bar.OK {
			color = bad
		}
		line := fmt.Sprintf("  %-*s %s%s%s %*s", phaseWidth, bar.Phase, strings.Repeat(" ", left), s.paint(color, drawn),
			strings.Repeat(" ", s.bars()-left-utf8.RuneCountInString(drawn)), timeWidth, Milliseconds(bar.Duration))
		if !bar.OK && w.Err != nil && bar.Phase == w.Err.Phase {
			line += s.paint(bad, " ✗")
		}
		b.WriteString(line + "\n")
	}
	if w.Err != nil {
		fmt.Fprintf(&b, "  %s %s\n", s.paint(bad, "✗ "+string(w.Err.Phase)+"/"+string(w.Err.Reason)+":"), w.Err.Text)
	}
	return b.String()
}

// name is the account's; the server's where there is none.
func (w *Waterfall) name() string {
	if w.Account == "" {
		return w.Server
	}
	return w.Account
}

// eighths are the ends of bars, as parts of a column.
var eighths = [...]string{"", "▏", "▎", "▍", "▌", "▋", "▊", "▉"}

// draw returns the column at which a bar begins, and its picture: at least a stroke, at most what is left of the columns.
func (w *Waterfall) draw(bar Bar, columns int) (left int, drawn string) {
	from, width := w.Place(bar)
	left = min(int(from*float64(columns)), columns-1)
	size := min(max(int(width*float64(columns)*8+0.5), 1), (columns-left)*8)
	return left, strings.Repeat("█", size/8) + eighths[size%8]
}

// Milliseconds writes a time as people compare it: 0.4 ms, 12.3 ms, 1234.5 ms.
func Milliseconds(d time.Duration) string {
	return fmt.Sprintf("%.1f ms", d.Seconds()*1000)
}

// Transcript writes the conversation of a probe, a line each: when, since the connection was begun, who (C: the client,
// which is the exporter; S: the server), and what. Credentials were blanked as they were sent.
func Transcript(r *probe.Result) string {
	var b strings.Builder
	for _, line := range r.Transcript {
		who := "S:"
		if line.Sent {
			who = "C:"
		}
		fmt.Fprintf(&b, "%*s  %s %s\n", timeWidth, Milliseconds(line.At), who, line.Text)
	}
	return b.String()
}
