package e2e

import (
	"maps"
	"math"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"imap-exporter/internal/mailtest/hostile"
	"imap-exporter/internal/realtest"
	"imap-exporter/internal/realtest/program"
	"imap-exporter/probe"
)

const (
	// hostileMemory is what the whole program may take at its highest with every hostile server of the table among its
	// accounts, in bytes.
	hostileMemory = 128 << 20
	// hostileCPU is what a probe may take on average.
	hostileCPU = 100 * time.Millisecond
)

// The program probes every hostile server of the table at once, beside healthy accounts. It doesn't crash, its memory and CPU
// time stay within limits, the healthy accounts' values are what they were without the others, each hostile account has its
// expected outcome, and no page and no log has a secret or anything that a server made up.
func TestHostileServersBesideHealthyOnes(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	e := f.start()
	before := e.awaitPage(t, "the healthy accounts alone", func(p page) bool { return f.probed(p, 1) })
	f.assertHealthy(before)
	files, _ := e.OpenFiles(t)

	f.writeConfig(true)
	f.reload(e, len(f.healthy)+len(f.hostile))
	e.ResetPeakMemory(t)
	cpu, begun, since := e.CPUTime(t), before.sum("imap_exporter_probes_started_total"), e.page(t)
	during := e.awaitPage(t, "every hostile account", func(p page) bool {
		f.assertHealthy(p)
		return f.settled(p) && f.probed(p, 2+int(since.value("imap_probes_total", f.healthy[0].name)))
	})
	peak := e.PeakMemory(t)
	worked := time.Duration(float64(e.CPUTime(t)-cpu) / (during.sum("imap_exporter_probes_started_total") - begun))
	t.Logf("%d hostile accounts, %.0f probes: at most %d MiB, %v of CPU time each", len(f.hostile),
		during.sum("imap_probes_total"), peak>>20, worked)
	if peak > hostileMemory {
		t.Errorf("it took %d bytes, want at most %d", peak, hostileMemory)
	}
	if worked > hostileCPU {
		t.Errorf("a probe took %v of CPU time, want at most %v", worked, hostileCPU)
	}
	f.assertOutcomes(during)
	f.assertLabels(during)
	f.assertUnchanged(before, during)
	assertPromtool(t, during.text)

	f.writeConfig(false)
	f.reload(e, len(f.healthy))
	after := e.awaitPage(t, "the healthy accounts alone again", func(p page) bool {
		return f.probed(p, 1+int(during.value("imap_probes_total", f.healthy[0].name)))
	})
	f.assertHealthy(after)
	if was, is := before.series("imap_"), after.series("imap_"); !slices.Equal(was, is) {
		t.Errorf("hostile servers left series behind:\n%s", strings.Join(notIn(is, was), "\n"))
	}
	if now, _ := e.OpenFiles(t); now > files+8 {
		t.Errorf("%d open files, and %d before", now, files)
	}
	e.Stop(t)
	f.assertSent()
	f.assertLog(e.Log.String())
	for when, p := range map[string]page{"before": before, "during": during, "after": after} {
		f.assertClean(when, p.text)
	}
}

// start runs the program with the healthy accounts alone.
func (f *fixture) start() *exporter {
	f.t.Helper()
	f.writeConfig(false)
	cmd := program.Command(f.t, "config.yaml", "--log.level=debug")
	cmd.Dir = f.folder
	return start(f.t, cmd)
}

// reload has the configuration read again and waits until the program has so many accounts.
func (f *fixture) reload(e *exporter, accounts int) {
	f.t.Helper()
	e.signal(f.t, syscall.SIGHUP)
	e.awaitPage(f.t, "the reload", func(p page) bool { return p.sum("imap_exporter_accounts") == float64(accounts) })
}

// assertHealthy checks that each healthy account succeeds with its own values and that no probe was skipped.
func (f *fixture) assertHealthy(p page) {
	f.t.Helper()
	for _, a := range f.healthy {
		for metric, want := range map[string]float64{
			"imap_probe_success": 1, "imap_probe_failures_total": 0, "imap_mailbox_messages": float64(a.messages), "imap_quota_supported": 1,
		} {
			if got := p.value(metric, a.name); got != want && p.value("imap_probes_total", a.name) > 0 {
				f.t.Fatalf("%s of %s is %v, want %v: %s", metric, a.name, got, want, p.outcome(a.name))
			}
		}
	}
	if got := p.where("imap_exporter_probes_skipped_total", "reason", "overload"); got != 0 {
		f.t.Fatalf("%v probes were skipped", got)
	}
}

// assertUnchanged checks that the healthy accounts have the same series as before, and that their probes aren't much slower.
func (f *fixture) assertUnchanged(before, during page) {
	f.t.Helper()
	for _, a := range f.healthy {
		if was, is := before.seriesOf(a.name), during.seriesOf(a.name); !slices.Equal(was, is) {
			f.t.Errorf("%s has other series: lost %q, gained %q", a.name, notIn(was, is), notIn(is, was))
		}
	}
	const generous = 20
	mean := func(p page) float64 {
		var sum, count float64
		for _, a := range f.healthy {
			sum += p.where("imap_probe_duration_seconds_sum", "server", a.address)
			count += p.where("imap_probe_duration_seconds_count", "server", a.address)
		}
		return sum / count
	}
	alone, beside := mean(before), mean(during)
	f.t.Logf("a probe of a healthy account took %.1f ms alone, %.1f ms beside the hostile ones", 1000*alone, 1000*beside)
	if math.IsNaN(beside) || beside > generous*max(alone, 0.1) {
		f.t.Errorf("a probe of a healthy account took %v s alone, and %v s beside the hostile ones", alone, beside)
	}
}

// assertOutcomes checks each hostile account against its case.
func (f *fixture) assertOutcomes(p page) {
	f.t.Helper()
	for _, a := range f.hostile {
		got := p.outcome(a.name)
		if got != a.c.Then {
			f.t.Errorf("%s, %s/%s: %s, want %s", a.name, a.c.Group, a.c.Name, got, a.c.Then)
		}
		if got != hostile.Success {
			continue
		}
		for name, want := range a.c.Values {
			value := p.value("imap_"+name, a.name)
			// Quotas and mailboxes are summed up here; dates are exact to the second.
			if math.Abs(value-want) > 0.5 && value != want {
				f.t.Errorf("%s, %s/%s: imap_%s is %v, want %v", a.name, a.c.Group, a.c.Name, name, value, want)
			}
		}
		for _, name := range a.c.Absent {
			if p.has("imap_"+name, a.name) {
				f.t.Errorf("%s, %s/%s: there is imap_%s", a.name, a.c.Group, a.c.Name, name)
			}
		}
	}
}

// closed are the labels whose values no server chooses, with a check of the value.
var closed = map[string]func(string) bool{
	"phase": oneOf(probe.IMAP.Phases),
	"reason": func(v string) bool {
		return oneOf(probe.IMAP.Reasons)(v) || oneOf([]string{"overload", "backoff", "throttled", "shutdown"})(v)
	},
	"capability": regexp.MustCompile(`^[A-Za-z0-9=+-]{1,40}$`).MatchString,
	"family":     oneOf([]string{"4", "6"}),
	"stage":      oneOf([]probe.Stage{probe.StageBeforeTLS, probe.StageBeforeAuth, probe.StageAfterAuth}),
	"mode":       oneOf([]probe.TLSMode{probe.TLSImplicit, probe.TLSStartTLS, probe.TLSNone}),
	"result":     func(v string) bool { return v == "ok" || oneOf(probe.IMAP.Reasons)(v) },
	"version":    regexp.MustCompile(`^TLS 1\.[23]$`).MatchString,
	"cipher":     regexp.MustCompile(`^TLS_[A-Z0-9_]{1,60}$`).MatchString,
	"section":    oneOf([]string{"header", "text", "full"}),
	"source":     oneOf([]string{"kernel", "user"}),
}

func oneOf[T ~string](values []T) func(string) bool {
	return func(v string) bool { return slices.Contains(values, T(v)) }
}

// assertLabels checks that servers chose no label values but names of mailboxes and quota roots, and those within their limits.
func (f *fixture) assertLabels(p page) {
	f.t.Helper()
	counts := map[string]map[string]bool{}
	for _, s := range p.samples {
		if !strings.HasPrefix(s.name, "imap_") {
			continue
		}
		for name, value := range s.labels {
			switch name {
			case "account", "server", "le", "goversion", "revision", "branch", "goos", "goarch", "tags":
			case "mailbox", "root":
				key := s.labels["account"] + " " + name
				if counts[key] == nil {
					counts[key] = map[string]bool{}
				}
				counts[key][value] = true
				if len([]rune(value)) > probe.MaxNameRunes || strings.ContainsFunc(value, unfit) {
					f.t.Errorf("%s{%s=%q}", s.name, name, value)
				}
			default:
				if fits := closed[name]; s.name != "imap_exporter_build_info" && (fits == nil || !fits(value)) {
					f.t.Errorf("%s{%s=%q} is not of a closed list", s.name, name, value)
				}
			}
		}
	}
	for key, values := range counts {
		if len(values) > probe.MaxMailboxes+1 {
			f.t.Errorf("%d values of %s", len(values), key)
		}
	}
}

// unfit reports whether a character must be neither in a label nor in the log: controls and bidirectional marks.
func unfit(r rune) bool {
	return r < ' ' || r >= 0x7f && r < 0xa0 || r >= 0x2028 && r <= 0x202e || r >= 0x2066 && r <= 0x2069 || r == 0xfeff
}

// assertSent checks that each account had one connection at a time, that no credential was sent in clear text, and that nothing
// was sent to another server.
func (f *fixture) assertSent() {
	f.t.Helper()
	if total, _ := f.servers.Elsewhere.Connections(); total != 0 {
		f.t.Errorf("%d connections to where a server sent us", total)
	}
	for _, a := range f.hostile {
		if _, most := a.server.Connections(); most > 1 {
			f.t.Errorf("%s/%s: %d connections at once", a.c.Group, a.c.Name, most)
		}
		for _, v := range a.server.Conversations() {
			if strings.Contains(string(v.Wire), a.c.Account.Password) {
				f.t.Errorf("%s/%s: the secret crossed the wire in clear text", a.c.Group, a.c.Name)
			}
			if verbs := v.Verbs(); !a.c.MayLogIn() && (slices.Contains(verbs, "LOGIN") || slices.Contains(verbs, "AUTHENTICATE")) {
				f.t.Errorf("%s/%s: a login was sent where none may be", a.c.Group, a.c.Name)
			}
		}
	}
}

// logLine matches every line of the log, whatever servers said.
var logLine = regexp.MustCompile(`^time=\S+ level=(DEBUG|INFO|WARN) source=\S+ msg=`)

func (f *fixture) assertLog(log string) {
	f.t.Helper()
	for line := range strings.Lines(log) {
		line = strings.TrimSuffix(line, "\n")
		if !logLine.MatchString(line) || strings.ContainsFunc(line, unfit) {
			f.t.Errorf("the log has the line %q", line)
		}
	}
	f.assertClean("the log", log)
}

// exempt are lines that may have what a server made up: transcripts, which repeat it word for word at level debug, and the
// numbers of Go's own collectors, which may be equal by chance.
var exempt = regexp.MustCompile(`(?m)^(.* msg=Transcript .*|(go|process|promhttp)_.*)\n`)

// assertClean checks that text has no secret, and nothing that a server made up.
func (f *fixture) assertClean(where, text string) {
	f.t.Helper()
	if made := hostile.MadeUp(exempt.ReplaceAllString(text, "")); made != "" {
		f.t.Errorf("%s has what a server made up: %q", where, made)
	}
	for _, secret := range f.secrets() {
		if i := strings.Index(text, secret); i >= 0 {
			f.t.Errorf("%s has %q: %q", where, secret, text[max(0, i-200):min(len(text), i+200)])
		}
	}
}

func assertPromtool(t *testing.T, text string) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), realtest.Promtool(t), "check", "metrics")
	cmd.Stdin = strings.NewReader(text)
	out, err := cmd.CombinedOutput()
	for line := range strings.Lines(string(out)) {
		// It finds fault with names that Go's own collectors have, too.
		if strings.HasPrefix(line, "imap_") || !strings.HasPrefix(line, "go_") {
			t.Errorf("promtool: %v: %s", err, line)
		}
	}
}

// notIn returns those of a that b lacks.
func notIn(a, b []string) []string {
	known := maps.Collect(func(yield func(string, bool) bool) {
		for _, s := range b {
			if !yield(s, true) {
				return
			}
		}
	})
	return slices.DeleteFunc(slices.Clone(a), func(s string) bool { return known[s] })
}
