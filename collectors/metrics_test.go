package collectors

import (
	"fmt"
	"io"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/common/expfmt"

	"imap-exporter/internal/account"
	"imap-exporter/internal/schedule"
	"imap-exporter/probe"
)

const canary = `{account="canary",server="imap.example.org:993"}`

// what only a Result that isn't too old may show.
const momentary = `^imap_(probe_last_(phase_)?duration|tls_|mailbox|fetch|quota|capability_info)`

func TestASuccessExpires(t *testing.T) {
	m, c := newTestMetrics(accountA())
	m.Observe(healthy(noon))
	c.at = noon.Add(3 * time.Minute)
	s := scrape(t, m)
	s.is(t, "imap_probe_success"+canary, 1)
	s.is(t, `imap_mailbox_messages{account="canary",mailbox="INBOX",server="imap.example.org:993"}`, 1042)
	s.some(t, "^imap_capability_info", 8)

	c.at = noon.Add(3*time.Minute + time.Nanosecond)
	s = scrape(t, m)
	s.none(t, momentary)
	s.none(t, "^imap_probe_success")
	s.is(t, "imap_probe_last_run_timestamp_seconds"+canary, float64(noon.Unix()))
	s.is(t, "imap_probe_last_success_timestamp_seconds"+canary, float64(noon.Unix()))
	s.is(t, "imap_probe_interval_seconds"+canary, 60)
	s.is(t, "imap_probes_total"+canary, 1)
	s.some(t, "^imap_account_info", 1)
}

func TestAFailureStays(t *testing.T) {
	m, c := newTestMetrics(accountA())
	m.Observe(healthy(noon.Add(-time.Minute)))
	m.Observe(failed(noon))
	s := scrape(t, m)
	s.is(t, "imap_probe_success"+canary, 0)
	s.none(t, "^imap_(mailbox|fetch|quota)")
	s.some(t, "^imap_probe_last_phase_duration_seconds", 7)
	s.some(t, "^imap_tls_certificate_not_after", 1)
	s.some(t, `^imap_capability_info.*stage="after_auth"`, 5)

	c.at = noon.Add(24 * time.Hour)
	s = scrape(t, m)
	s.is(t, "imap_probe_success"+canary, 0)
	s.is(t, `imap_probe_last_failure_info{account="canary",phase="auth",reason="rejected",server="imap.example.org:993"}`, 1)
	s.is(t, "imap_probe_last_run_timestamp_seconds"+canary, float64(noon.Unix()))
	s.is(t, "imap_probe_last_success_timestamp_seconds"+canary, float64(noon.Add(-time.Minute).Unix()))
	s.none(t, momentary)

	m.Observe(healthy(c.at))
	s = scrape(t, m)
	s.is(t, "imap_probe_success"+canary, 1)
	s.none(t, "^imap_probe_last_failure_info")
}

func TestOnDemandNeverExpires(t *testing.T) {
	a := accountA()
	a.Interval = 0
	m, c := newTestMetrics(a)
	m.Observe(healthy(noon))
	c.at = noon.AddDate(1, 0, 0)
	s := scrape(t, m)
	s.is(t, "imap_probe_success"+canary, 1)
	s.is(t, "imap_probe_interval_seconds"+canary, 0)
	s.some(t, "^imap_quota_supported", 1)
}

func TestCountersStartAtZero(t *testing.T) {
	m, _ := newTestMetrics(accountA())
	s := scrape(t, m)
	s.is(t, "imap_probes_total"+canary, 0)
	s.is(t, "imap_probe_failures_total"+canary, 0)
	s.is(t, `imap_capability_changes_total{server="imap.example.org:993"}`, 0)
	s.is(t, `imap_probe_duration_seconds_count{server="imap.example.org:993"}`, 0)
	s.some(t, "^imap_probe_failure_reasons_total", len(commonFailures()))
	s.none(t, momentary)
	s.none(t, "^imap_(probe_success|connect_attempts|probe_phase|exporter_config|exporter_probes_in_flight)")
	s.none(t, "timestamp")
}

func TestCounting(t *testing.T) {
	m, _ := newTestMetrics(accountA())
	for n := range 3 {
		m.Observe(failed(noon.Add(time.Duration(n) * time.Second)))
	}
	rare := failed(noon)
	rare.Err = &probe.Error{Phase: probe.PhaseQuota, Reason: probe.ReasonProtocol}
	m.Observe(rare)
	m.Observe(healthy(noon))
	s := scrape(t, m)
	s.is(t, "imap_probes_total"+canary, 5)
	s.is(t, "imap_probe_failures_total"+canary, 4)
	s.is(t, `imap_probe_failure_reasons_total{phase="auth",reason="rejected",server="imap.example.org:993"}`, 3)
	s.is(t, `imap_probe_failure_reasons_total{phase="quota",reason="protocol",server="imap.example.org:993"}`, 1)
	s.is(t, `imap_connect_attempts_total{family="4",result="ok",server="imap.example.org:993"}`, 5)
	s.is(t, `imap_connect_attempts_total{family="6",result="timeout",server="imap.example.org:993"}`, 1)
	s.is(t, `imap_connect_attempts_total{family="6",result="ok",server="imap.example.org:993"}`, 0)
}

func TestOnlyWhatWentWellEntersHistograms(t *testing.T) {
	m, _ := newTestMetrics(accountA())
	m.Observe(failed(noon))
	s := scrape(t, m)
	s.is(t, `imap_probe_duration_seconds_count{server="imap.example.org:993"}`, 0)
	s.is(t, `imap_probe_phase_duration_seconds_count{phase="tls",server="imap.example.org:993"}`, 1)
	s.none(t, `^imap_probe_phase_duration_seconds.*phase="auth"`)

	unreachable := &probe.Result{
		Account: "canary", Server: serverA, Start: noon,
		Err:      &probe.Error{Phase: probe.PhaseConnect, Reason: probe.ReasonTimeout},
		Phases:   []probe.Timing{{Phase: probe.PhaseConnectFailed, Duration: time.Second}},
		Connects: []probe.Connect{{Family: probe.IPv6, Reason: probe.ReasonTimeout}},
	}
	m.Observe(unreachable)
	scrape(t, m).none(t, `^imap_probe_phase_duration_seconds.*phase="connect_failed"`)

	m.Observe(healthy(noon))
	s = scrape(t, m)
	s.is(t, `imap_probe_duration_seconds_count{server="imap.example.org:993"}`, 1)
	s.is(t, `imap_probe_phase_duration_seconds_count{phase="connect_failed",server="imap.example.org:993"}`, 1)
}

func TestReloads(t *testing.T) {
	m, _ := newTestMetrics(accountA())
	m.Reloaded(false, noon)
	s := scrape(t, m)
	s.is(t, "imap_exporter_config_last_reload_successful", 0)
	s.none(t, "reload_success_timestamp")
	m.Reloaded(true, noon.Add(time.Second))
	m.Reloaded(false, noon.Add(time.Minute))
	s = scrape(t, m)
	s.is(t, "imap_exporter_config_last_reload_successful", 0)
	s.is(t, "imap_exporter_config_last_reload_success_timestamp_seconds", float64(noon.Unix()+1))
}

func TestRemovedSeriesVanish(t *testing.T) {
	m, _ := newTestMetrics()
	b := account.Account{Name: "b", Server: "b.example.org:993", Interval: time.Minute, Labels: map[string]string{"site": "fra1"}}
	m.SetAccounts(registered([]account.Account{accountA(), b}...))
	m.Observe(healthy(noon))
	ofB := healthy(noon)
	ofB.Account, ofB.Server = b.Name, b.Server
	m.Observe(ofB)
	scrape(t, m).some(t, `^imap_probe_success`, 2)

	m.SetAccounts(registered([]account.Account{b}...))
	m.Observe(healthy(noon)) // Its probe was running when the account was removed.
	s := scrape(t, m)
	s.none(t, `canary|imap\.example\.org|team=`)
	s.is(t, `imap_probes_total{account="b",server="b.example.org:993"}`, 1)
	s.is(t, "imap_exporter_accounts", 1)

	b.Server = "new.example.org:993"
	m.SetAccounts(registered([]account.Account{b}...))
	m.Observe(ofB) // Its probe went to the old server.
	s = scrape(t, m)
	s.none(t, `b\.example\.org`)
	s.none(t, momentary)
	s.is(t, `imap_probes_total{account="b",server="new.example.org:993"}`, 0)
}

func TestCountersGoOnOverReloads(t *testing.T) {
	m, _ := newTestMetrics(accountA())
	m.Observe(failed(noon))
	m.SetAccounts(registered([]account.Account{accountA()}...))
	s := scrape(t, m)
	s.is(t, "imap_probes_total"+canary, 1)
	s.is(t, `imap_probe_failure_reasons_total{phase="auth",reason="rejected",server="imap.example.org:993"}`, 1)
	s.is(t, `imap_probe_phase_duration_seconds_count{phase="tls",server="imap.example.org:993"}`, 1)
	s.is(t, "imap_probe_success"+canary, 0)
}

func TestVanishedMailboxesAndRootsVanish(t *testing.T) {
	m, _ := newTestMetrics(accountA())
	m.Observe(healthy(noon))
	next := healthy(noon)
	next.Mailboxes = next.Mailboxes[:1]
	next.Quota = &probe.Quota{}
	m.Observe(next)
	s := scrape(t, m)
	s.some(t, "^imap_mailbox_messages", 1)
	s.none(t, "^imap_quota_(storage|messages)")
	s.is(t, "imap_quota_supported"+canary, 0)
}

func TestWhatIsNotKnownIsAbsent(t *testing.T) {
	m, _ := newTestMetrics(accountA())
	m.Observe(&probe.Result{
		Account: "canary", Server: serverA, Mode: probe.TLSNone, Start: noon,
		TLS: &probe.TLS{}, Mailboxes: []probe.Mailbox{{Name: "INBOX"}},
		Quota: &probe.Quota{Supported: true, Roots: []probe.QuotaRoot{{Name: ""}}},
	})
	s := scrape(t, m)
	s.none(t, "^imap_(mailbox|fetch|tls|quota_storage|quota_messages|capability_info)")
	s.is(t, "imap_probe_success"+canary, 1)
}

func TestCreatedIsWhenTheCounterWasZero(t *testing.T) {
	m, c := newTestMetrics(accountA())
	c.at = noon.Add(time.Hour)
	m.Observe(failed(c.at))
	for _, f := range gather(t, m) {
		for _, metric := range f.GetMetric() {
			if metric.Counter != nil && !metric.Counter.CreatedTimestamp.AsTime().Equal(noon) {
				t.Errorf("%s was created at %v, want %v", f.GetName(), metric.Counter.CreatedTimestamp.AsTime(), noon)
			}
		}
	}
}

// TestConcurrentUse is for the race detector.
func TestConcurrentUse(t *testing.T) {
	m := New(Options{InFlight: func() int { return 1 }})
	accounts := []account.Account{accountA(), {Name: "b", Server: serverA, Interval: time.Minute}}
	m.SetAccounts(accounts)
	var wg sync.WaitGroup
	for worker := range 4 {
		wg.Go(func() {
			for n := range 100 {
				at := time.Now()
				m.Observe(healthy(at))
				m.Observe(failed(at))
				m.Started(time.Millisecond)
				m.Changed(key("canary"), schedule.State{NextRun: at, Suspended: n%2 == 0, NextLogin: at})
				if n%10 == worker {
					m.SetAccounts(accounts[:1+n%2])
					m.Reloaded(true, at)
				}
			}
		})
	}
	errs := make(chan error, 2)
	for range 2 {
		wg.Go(func() {
			for range 50 {
				families, _, err := m.Gather()
				if err != nil {
					errs <- err
					return
				}
				e := expfmt.NewEncoder(io.Discard, expfmt.NewFormat(expfmt.TypeProtoDelim))
				for _, f := range families {
					if err := e.Encode(f); err != nil {
						errs <- fmt.Errorf("%s: %w", f.GetName(), err)
						return
					}
				}
			}
		})
	}
	wg.Wait()
	close(errs)
	for err := range errs {
		t.Error(err)
	}
}
