package collectors

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"imap-exporter/internal/account"
	"imap-exporter/internal/schedule"
	"imap-exporter/probe"
)

// full is Metrics that show everything of the catalogue.
func full(kinds Histograms) *Metrics {
	c := &clock{noon.Add(-time.Hour)}
	m := New(Options{
		Histograms: kinds, Now: c.now, Shard: 1, Shards: 3, InFlight: func() int { return 2 },
		LinesDropped: func() int { return 0 },
		Counts: func() schedule.Counts {
			return schedule.Counts{Scheduled: 61, Started: 50, Skipped: map[schedule.Reason]uint64{
				schedule.Overload: 4, schedule.Backoff: 7, schedule.Unavailable: 0, schedule.Throttled: 0, schedule.Shutdown: 0,
			}}
		},
	})
	m.Reloaded(true, c.at.Add(250*time.Millisecond))
	m.SetAccounts([]account.Account{
		accountA(),
		{Name: "expired", Server: "old.example.net:143", Interval: 5 * time.Minute, Labels: map[string]string{"site": "fra1"}},
		{Name: "on demand", Server: "old.example.net:143"},
	})
	c.at = noon
	before := healthy(noon.Add(-90 * time.Second))
	before.Capabilities[0].Names = []string{"AUTH=PLAIN", "IMAP4REV1", "STARTTLS"}
	m.Observe(before)
	m.Observe(failed(noon.Add(-70 * time.Second)))
	m.Observe(healthy(noon.Add(-30*time.Second + 125*time.Millisecond)))
	m.Observe(&probe.Result{
		Account: "expired", Server: "old.example.net:143", Mode: probe.TLSStartTLS,
		Start: noon.Add(-4 * time.Minute), Duration: 61 * time.Millisecond,
		Err: &probe.Error{Phase: probe.PhaseTLS, Reason: probe.ReasonCertificateExpired, Text: "x509: certificate has expired"},
		Phases: []probe.Timing{
			{Phase: probe.PhaseResolve, Duration: time.Millisecond, OK: true},
			{Phase: probe.PhaseConnect, Duration: 11 * time.Millisecond, OK: true},
			{Phase: probe.PhaseGreeting, Duration: 12 * time.Millisecond, OK: true},
			{Phase: probe.PhaseStartTLS, Duration: 11 * time.Millisecond, OK: true},
			{Phase: probe.PhaseTLS, Duration: 25 * time.Millisecond},
			{Phase: probe.PhaseCapability, Duration: 11 * time.Millisecond, OK: true},
		},
		Connects:     []probe.Connect{{Family: probe.IPv4}},
		TLS:          &probe.TLS{NotAfter: noon.AddDate(0, 0, -5)},
		Capabilities: []probe.Capabilities{{Stage: probe.StageBeforeTLS, Names: []string{"IMAP4REV1", "LOGINDISABLED", "STARTTLS"}}},
	})
	m.Started(3 * time.Millisecond)
	m.Changed(key("canary"), schedule.State{NextRun: noon.Add(30 * time.Second)})
	m.Changed(key("expired"), schedule.State{NextRun: noon.Add(time.Minute), Suspended: true, NextLogin: noon.Add(6 * time.Minute)})
	return m
}

func TestGolden(t *testing.T) {
	justStarted, _ := newTestMetrics(accountA())
	failing, _ := newTestMetrics(accountA())
	failing.Observe(failed(noon.Add(-time.Minute)))
	stuck, c := newTestMetrics(accountA())
	stuck.Observe(healthy(noon))
	c.at = noon.Add(time.Hour)
	for name, m := range map[string]*Metrics{
		"full": full(both), "native": full(native),
		"just_started": justStarted, "failing": failing, "stuck": stuck,
	} {
		t.Run(name, func(t *testing.T) {
			file := filepath.Join("testdata", name+".prom")
			got := page(t, m)
			if *update {
				if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(string(want), got); diff != "" {
				t.Errorf("/metrics differs from %s (go test ./collectors -update writes it anew):\n%s", file, diff)
			}
		})
	}
}
