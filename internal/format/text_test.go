package format

import (
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"imap-exporter/probe"
)

// failed is a Result of a probe whose login was rejected.
func failed() *probe.Result {
	ms := func(n float64) time.Duration { return time.Duration(n * float64(time.Millisecond)) }
	return &probe.Result{
		Account: "canary", Server: "imap.example.org:993", Mode: probe.TLSImplicit, Duration: ms(100),
		Spans: []probe.Span{
			{Phase: probe.PhaseResolve, Duration: ms(0.01), OK: true},
			{Phase: probe.PhaseConnect, Start: ms(10), Duration: ms(20), OK: true},
			{Phase: probe.PhaseAuth, Start: ms(30), Duration: ms(60), ReadDelay: ms(1)},
			{Phase: probe.PhaseLogout, Start: ms(99), Duration: ms(1), OK: true},
		},
		Err: &probe.Error{Phase: probe.PhaseAuth, Reason: probe.ReasonRejected, Text: "NO [AUTHENTICATIONFAILED] wrong"},
		Transcript: []probe.TranscriptLine{
			{At: ms(12.34), Text: "* OK ready"},
			{At: ms(30), Sent: true, Text: "a1 LOGIN canary ***"},
		},
	}
}

func TestWaterfall(t *testing.T) {
	want := `canary  imap.example.org:993  failed  100.0 ms
  resolve        ▏                         0.0 ms
  connect          ████                   20.0 ms
  auth                 ████████████       60.0 ms ✗
  logout                            ▎      1.0 ms
  ✗ auth/rejected: NO [AUTHENTICATIONFAILED] wrong
`
	got := Waterfall(failed(), Style{Width: 51})
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

// All lines with bars have the requested width, less the room for the mark of a failure, for all durations, with and
// without colours.
func TestWaterfallKeepsItsWidth(t *testing.T) {
	r := failed()
	for _, total := range []time.Duration{0, time.Microsecond, 95 * time.Millisecond, 10 * time.Minute} {
		r.Duration = total
		for _, color := range []bool{false, true} {
			text := Waterfall(r, Style{Color: color})
			if strings.Contains(text, "\x1b") != color {
				t.Errorf("colours: %t, want %t", !color, color)
			}
			for _, code := range []string{green, red, bold, reset} {
				text = strings.ReplaceAll(text, code, "")
			}
			lines := strings.Split(strings.TrimSuffix(text, "\n"), "\n")
			for _, line := range lines[1 : len(lines)-1] {
				if n := utf8.RuneCountInString(strings.TrimSuffix(line, " ✗")); n != 78 {
					t.Errorf("%v: %d columns: %q", total, n, line)
				}
			}
			if n := strings.Count(text, " ✗\n"); n != 1 {
				t.Errorf("%d marks of a failure", n)
			}
		}
	}
}

func TestPlace(t *testing.T) {
	r := failed()
	scale := ScaleOf(r)
	if left, width := scale.Place(r.Spans[2]); left != 0.3 || width != 0.6 {
		t.Errorf("auth is at %v, %v wide", left, width)
	}
	for _, span := range r.Spans {
		if left, width := scale.Place(span); left < 0 || width < 0 || left+width > 1 {
			t.Errorf("%s is at %v, %v wide", span.Phase, left, width)
		}
	}
	if left, width := Scale(0).Place(probe.Span{Duration: 1}); left != 0 || width != 0 {
		t.Errorf("without a scale, %v and %v", left, width)
	}
}

func TestTicks(t *testing.T) {
	for total, want := range map[time.Duration][]time.Duration{
		0:                      {0},
		3 * time.Microsecond:   {0, time.Microsecond, 2 * time.Microsecond, 3 * time.Microsecond},
		123 * time.Millisecond: {0, 50 * time.Millisecond, 100 * time.Millisecond},
		2 * time.Second:        {0, 500 * time.Millisecond, time.Second, 1500 * time.Millisecond, 2 * time.Second},
	} {
		got := Scale(total).Ticks(5)
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%v: %v, want %v", total, got, want)
		}
	}
	for total := time.Microsecond; total < time.Hour; total = total*7/5 + 1 {
		if got := Scale(total).Ticks(6); len(got) > 6 || len(got) < 2 {
			t.Errorf("%v: %v", total, got)
		}
	}
}

func TestTranscript(t *testing.T) {
	want := "    12.3 ms  S: * OK ready\n    30.0 ms  C: a1 LOGIN canary ***\n"
	if diff := cmp.Diff(want, Transcript(failed().Transcript)); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}
