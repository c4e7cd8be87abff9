package web

import (
	"fmt"
	"strconv"
	"time"
)

// nonBreakingSpace is one that no line is broken at.
const nonBreakingSpace = "\u00a0"

// durationText gives three digits, or as many as there are before the point, in the unit that a reader thinks in.
func durationText(d time.Duration) string {
	ms := float64(d) / float64(time.Millisecond)
	switch {
	case ms < 9.995:
		return strconv.FormatFloat(ms, 'f', 2, 64) + nonBreakingSpace + "ms"
	case ms < 99.95:
		return strconv.FormatFloat(ms, 'f', 1, 64) + nonBreakingSpace + "ms"
	case ms < 999.5:
		return strconv.FormatFloat(ms, 'f', 0, 64) + nonBreakingSpace + "ms"
	case d < time.Minute:
		return strconv.FormatFloat(d.Seconds(), 'f', 2, 64) + nonBreakingSpace + "s"
	default:
		return spanText(d)
	}
}

// spanText gives a long time in its largest unit, as the script does.
func spanText(d time.Duration) string {
	switch {
	case d < time.Minute:
		return fmt.Sprintf("%d%ss", d/time.Second, nonBreakingSpace)
	case d < time.Hour:
		return fmt.Sprintf("%d%smin", d/time.Minute, nonBreakingSpace)
	case d < 48*time.Hour:
		return fmt.Sprintf("%d%sh", d/time.Hour, nonBreakingSpace)
	default:
		return fmt.Sprintf("%d%sd", d/(24*time.Hour), nonBreakingSpace)
	}
}

// intervalText gives a configured time as it is written in the configuration.
func intervalText(d time.Duration) string {
	if d < time.Minute || d%time.Second != 0 {
		return d.String()
	}
	if d%time.Hour == 0 {
		return fmt.Sprintf("%d%sh", d/time.Hour, nonBreakingSpace)
	}
	if d%time.Minute == 0 {
		return fmt.Sprintf("%d%smin", d/time.Minute, nonBreakingSpace)
	}
	return d.String()
}

// bytesText gives a size in binary units.
func bytesText(n uint64) string {
	const units = "KMGTPE"
	if n < 1024 {
		return fmt.Sprintf("%d%sB", n, nonBreakingSpace)
	}
	size, unit := float64(n)/1024, 0
	for size >= 999.5 && unit < len(units)-1 {
		size, unit = size/1024, unit+1
	}
	decimals := 0
	if size < 9.95 {
		decimals = 1
	}
	return fmt.Sprintf("%.*f%s%ciB", decimals, size, nonBreakingSpace, units[unit])
}

// countText gives a number with its thousands apart.
func countText[T ~int | ~uint32 | ~uint64](n T) string {
	digits := strconv.FormatUint(uint64(n), 10)
	for i := len(digits) - 3; i > 0; i -= 3 {
		digits = digits[:i] + "," + digits[i:]
	}
	return digits
}

// A relativeTime is a point in time, as a page shows it: how far it is from now. The script keeps that up to date.
type relativeTime struct {
	at, now time.Time
}

// IsZero says that there is none.
func (m relativeTime) IsZero() bool { return m.at.IsZero() }

// ISO is what programs read.
func (m relativeTime) ISO() string { return m.at.UTC().Format("2006-01-02T15:04:05Z") }

// Full is date and time.
func (m relativeTime) Full() string { return m.at.UTC().Format("2006-01-02 15:04:05") + " UTC" }

// Ago is how long ago it was.
func (m relativeTime) Ago() string { return m.For() + " ago" }

// For is for how long it has been so since then.
func (m relativeTime) For() string { return spanText(max(0, m.now.Sub(m.at))) }

// In is how soon it is.
func (m relativeTime) In() string {
	if d := m.at.Sub(m.now); d >= time.Second {
		return "in " + spanText(d)
	}
	return "now"
}
