package text_test

import (
	"testing"
	"time"

	"imap-exporter/internal/text"
)

func TestDuration(t *testing.T) {
	for d, want := range map[time.Duration]string{
		0:                       "0s",
		100 * time.Millisecond:  "100ms",
		20 * time.Second:        "20s",
		90 * time.Second:        "1m30s",
		10 * time.Minute:        "10m",
		2 * time.Hour:           "2h",
		2*time.Hour + 1e9:       "2h0m1s",
		150 * time.Minute:       "2h30m",
		1500 * time.Millisecond: "1.5s",
	} {
		if got := text.Duration(d); got != want {
			t.Errorf("%s: %q, want %q", d, got, want)
		}
	}
}
