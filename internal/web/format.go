package web

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"imap-exporter/internal/text"
)

// nonBreakingSpace stands between a number and its unit.
const nonBreakingSpace = "\u00a0"

// durationText writes a measured duration with three digits: 1.23 ms, 123 ms, 1.23 s; from a minute on as spanText does.
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

// spanText writes the time since or until an event in its largest unit, as status.js does: 59 s, 3 min, 47 h, 2 d.
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

// tickText writes a round duration, of an axis: 50 ms, 1.5 s.
func tickText(d time.Duration) string {
	switch {
	case d == 0:
		return "0"
	case d < time.Millisecond:
		return fmt.Sprintf("%d%sµs", d/time.Microsecond, nonBreakingSpace)
	case d < time.Second:
		return fmt.Sprintf("%d%sms", d/time.Millisecond, nonBreakingSpace)
	default:
		return fmt.Sprintf("%g%ss", d.Seconds(), nonBreakingSpace)
	}
}

// bytesText writes a size in binary units: 512 B, 1.5 KiB, 93 MiB.
func bytesText(n uint64) string { return strings.ReplaceAll(text.Bytes(n), " ", nonBreakingSpace) }

// countText writes a number with commas: 1,843.
func countText[T ~int | ~uint32 | ~uint64](n T) string {
	digits := strconv.FormatUint(uint64(n), 10)
	for i := len(digits) - 3; i > 0; i -= 3 {
		digits = digits[:i] + "," + digits[i:]
	}
	return digits
}

// A relativeTime is a time that a page shows relative to now; status.js updates it.
type relativeTime struct {
	at, now time.Time
}

// IsZero says that the time is not known.
func (m relativeTime) IsZero() bool { return m.at.IsZero() }

// ISO returns the time for the attribute datetime.
func (m relativeTime) ISO() string { return m.at.UTC().Format("2006-01-02T15:04:05Z") }

// Full returns date and time.
func (m relativeTime) Full() string { return m.at.UTC().Format("2006-01-02 15:04:05") + " UTC" }

// Ago returns the time since then: 3 min ago.
func (m relativeTime) Ago() string { return m.For() + " ago" }

// For returns the time since then: 3 min.
func (m relativeTime) For() string { return spanText(max(0, m.now.Sub(m.at))) }

// In returns the time until then: in 3 min.
func (m relativeTime) In() string {
	if d := m.at.Sub(m.now); d >= time.Second {
		return "in " + spanText(d)
	}
	return "now"
}

// maxTextBytes is how much is shown of one text: a mailbox name of probe.MaxNameRunes fits.
const maxTextBytes = 1024

// printable escapes control and bidirectional characters. Texts from servers were made printable when they were read; names
// of accounts, and what is forgotten there, are made so here.
func printable(s string) string { return text.Printable(s, maxTextBytes) }

func printableAll(list []string) []string {
	all := make([]string, len(list))
	for i, s := range list {
		all[i] = printable(s)
	}
	return all
}
