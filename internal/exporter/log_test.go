package exporter

import (
	"regexp"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"imap-exporter/internal/config"
	"imap-exporter/probe"
)

func succeeded(notes ...string) *probe.Result {
	return &probe.Result{
		Account: "canary", Server: "imap.example.org:993", Duration: 120 * time.Millisecond, Notes: notes,
		Phases:     []probe.Timing{{Phase: probe.PhaseConnect, Duration: 20 * time.Millisecond, OK: true}},
		Transcript: []probe.TranscriptLine{{Text: "* OK ready"}},
	}
}

func failed(phase probe.Phase, reason probe.Reason) *probe.Result {
	r := succeeded()
	r.Err = &probe.Error{Phase: phase, Reason: reason, Text: "words of the server"}
	return r
}

// timeOrSource is what a line has that no test can know.
var timeOrSource = regexp.MustCompile(`(time|source)=\S+ `)

// linesOf returns what logResult writes, a line each, without time and source.
func linesOf(t *testing.T, level string, before, result *probe.Result) []string {
	var out strings.Builder
	logger, _, err := newLogger(config.Log{Level: level, Format: "logfmt"}, &out)
	if err != nil {
		t.Fatal(err)
	}
	logResult(t.Context(), logger, before, result)
	var lines []string
	for line := range strings.Lines(out.String()) {
		lines = append(lines, timeOrSource.ReplaceAllString(line, ""))
	}
	return lines
}

// Only what changes is worth a line above debug.
func TestLogResult(t *testing.T) {
	rejected := failed(probe.PhaseAuth, probe.ReasonRejected)
	const failing = `level=WARN msg="Account failing" account=canary server=imap.example.org:993`
	for _, test := range []struct {
		name           string
		before, result *probe.Result
		want           string
	}{
		{"first ok", nil, succeeded(), ""},
		{"still ok", succeeded(), succeeded(), ""},
		{"first failed", nil, rejected, failing + ` phase=auth reason=rejected text="words of the server"`},
		{"failed", succeeded(), rejected, failing + ` phase=auth reason=rejected text="words of the server"`},
		{"still failed", rejected, rejected, ""},
		{"other phase", rejected, failed(probe.PhaseConnect, probe.ReasonRejected), failing + ` phase=connect`},
		{"other reason", rejected, failed(probe.PhaseAuth, probe.ReasonTimeout), failing + ` phase=auth reason=timeout`},
		{"ok again", rejected, succeeded(), `level=INFO msg="Account ok again" account=canary server=imap.example.org:993 was=auth/rejected`},
		{"first note", succeeded(), succeeded("quota refused"), `level=INFO msg="Probe incomplete" account=canary`},
		{"same note", succeeded("quota refused"), succeeded("quota refused"), ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			lines := linesOf(t, "info", test.before, test.result)
			if test.want == "" && len(lines) == 0 {
				return
			}
			if test.want == "" || len(lines) != 1 || !strings.Contains(lines[0], test.want) {
				t.Errorf("logged %q, want %q", lines, test.want)
			}
		})
	}
}

func TestLogResultDebug(t *testing.T) {
	ok := strings.Join(linesOf(t, "debug", succeeded(), succeeded()), "")
	if !strings.Contains(ok, "duration=120ms durations.connect=20ms") {
		t.Errorf("no durations in %q", ok)
	}
	if strings.Contains(ok, "* OK ready") {
		t.Errorf("a good conversation is logged: %q", ok)
	}
	rejected := failed(probe.PhaseAuth, probe.ReasonRejected)
	bad := strings.Join(linesOf(t, "debug", rejected, rejected), "")
	for _, want := range []string{"* OK ready", "reason=rejected", "words of the server"} {
		if !strings.Contains(bad, want) {
			t.Errorf("no %q in %q", want, bad)
		}
	}
}

// A fault of ours is logged with its stack, once an hour for each place, however many accounts meet it.
func TestLogPanic(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var out strings.Builder
		logger, _, err := newLogger(config.Log{Level: "error", Format: "logfmt"}, &out)
		if err != nil {
			t.Fatal(err)
		}
		var panics panicLog
		meet := func(places ...string) (lines int) {
			before := strings.Count(out.String(), "\n")
			for _, place := range places {
				r := failed(probe.PhaseFetch, probe.ReasonInternal)
				r.Err.Err = &probe.PanicError{Stack: []string{place, "caller"}}
				panics.log(t.Context(), logger, r)
			}
			return strings.Count(out.String(), "\n") - before
		}
		panics.log(t.Context(), logger, succeeded())
		panics.log(t.Context(), logger, failed(probe.PhaseFetch, probe.ReasonInternal))
		if n := meet("here", "here", "there", "here"); n != 2 || !strings.Contains(out.String(), `stack="here; caller"`) {
			t.Errorf("%d lines: %s", n, out.String())
		}
		<-time.After(panicPause - time.Second)
		if n := meet("here"); n != 0 {
			t.Errorf("again within the hour: %d", n)
		}
		<-time.After(time.Second)
		if n := meet("here", "here"); n != 1 {
			t.Errorf("after an hour: %d lines", n)
		}
	})
}
