package web

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"imap-exporter/internal/account"
	"imap-exporter/internal/history"
	"imap-exporter/internal/schedule"
	"imap-exporter/probe"
)

// A testAccount is an account, and what the schedule says of it.
type testAccount struct {
	Name, Server       string
	Interval           time.Duration
	NextRun, NextLogin time.Time
	Suspended          bool
}

// registry returns accounts in a Registry.
func registry(accounts ...testAccount) *account.Registry {
	r := new(account.Registry)
	all := make([]account.Account, len(accounts))
	for i, a := range accounts {
		all[i] = account.Account{Name: a.Name, Server: a.Server, Interval: a.Interval}
	}
	r.Set(all)
	for i, a := range accounts {
		r.SetState(all[i].Key().Job(), schedule.State{NextRun: a.NextRun, NextLogin: a.NextLogin, Suspended: a.Suspended})
	}
	return r
}

// A fixture is a set of accounts and their Results.
type fixture struct {
	Options
	accounts []testAccount
	now      time.Time
}

// newFixture has no account.
func newFixture() *fixture {
	w := &fixture{Options: testOptions(), now: time.Now()}
	w.History = history.New(history.Limits{Summaries: 60, Successes: 5, Failures: 5})
	w.Updates = NewUpdates()
	w.Accounts = registry()
	return w
}

// add adds an account, and probes of it, a minute apart, the last one 10 s ago.
func (w *fixture) add(a testAccount, probes ...*probe.Result) {
	w.accounts = append(w.accounts, a)
	w.Accounts = registry(w.accounts...)
	w.addProbes(a, probes...)
}

func (w *fixture) addProbes(a testAccount, probes ...*probe.Result) {
	for i, r := range probes {
		r.Account, r.Server = a.Name, a.Server
		if r.Start.IsZero() {
			r.Start = w.now.Add(-10*time.Second - time.Duration(len(probes)-1-i)*time.Minute)
		}
		w.History.Add(r)
	}
}

// key is that of an account's IMAP service.
func key(name string) account.Key { return account.Key{Account: name, Service: probe.IMAP.Name} }

func millis(n float64) time.Duration { return time.Duration(n * float64(time.Millisecond)) }

// success is a probe of so many milliseconds, half of which the login took.
func success(ms float64) *probe.Result {
	return &probe.Result{
		Mode: probe.TLSImplicit, Duration: millis(ms),
		Phases: []probe.Timing{
			{Phase: probe.PhaseConnect, Duration: millis(ms / 4), OK: true},
			{Phase: probe.PhaseAuth, Duration: millis(ms / 2), OK: true},
			{Phase: probe.PhaseSelect, Duration: millis(ms / 4), OK: true},
		},
		Spans: []probe.Span{
			{Phase: probe.PhaseConnect, Duration: millis(ms / 4), OK: true},
			{Phase: probe.PhaseAuth, Start: millis(ms / 4), Duration: millis(ms / 2), OK: true},
			{Phase: probe.PhaseSelect, Start: millis(ms * 3 / 4), Duration: millis(ms / 4), OK: true},
		},
		Connects: []probe.Connect{{Family: probe.IPv6, Reason: probe.ReasonRefused}, {Family: probe.IPv4}},
		TLS:      &probe.TLS{Version: "TLS 1.3", Cipher: "TLS_AES_128_GCM_SHA256", NotAfter: time.Now().Add(90 * 24 * time.Hour)},
		Capabilities: []probe.Capabilities{
			{Stage: probe.StageBeforeAuth, Names: []string{"AUTH=PLAIN", "IMAP4REV1"}},
			{Stage: probe.StageAfterAuth, Names: []string{"IMAP4REV1", "QUOTA"}},
		},
		Mailboxes: []probe.Mailbox{{Name: "INBOX", Messages: new(uint32(1843)), Unseen: new(uint32(12)), SizeBytes: new(uint64(91234567))}},
		Quota: &probe.Quota{Supported: true, Roots: []probe.QuotaRoot{
			{Name: "User quota", Storage: &probe.Resource{Used: 93 << 20, Limit: 100 << 20}, Messages: &probe.Resource{Used: 1, Limit: 10}},
		}},
		Transcript: []probe.TranscriptLine{{At: millis(1), Text: "* OK ready"}, {At: millis(2), Sent: true, Text: "T1 LOGIN ***"}},
	}
}

// rejected is a probe whose login was rejected with these words.
func rejected(words string) *probe.Result {
	r := success(40)
	r.Phases, r.Spans = r.Phases[:2], r.Spans[:2]
	r.Phases[1].OK, r.Spans[1].OK = false, false
	r.Mailboxes, r.Quota, r.Capabilities = nil, nil, r.Capabilities[:1]
	r.Err = &probe.Error{Phase: probe.PhaseAuth, Reason: probe.ReasonRejected, Text: words}
	r.Transcript = append(r.Transcript, probe.TranscriptLine{At: millis(30), Text: words})
	return r
}

// get returns a page.
func (w *fixture) get(t *testing.T, path string) string {
	t.Helper()
	answer := request(w.Options, http.MethodGet, path, "")
	if answer.Code != http.StatusOK {
		t.Fatalf("GET %s: status %d: %s", path, answer.Code, answer.Body)
	}
	return answer.Body.String()
}

// post returns the answer to a form that one of our own pages sends.
func (w *fixture) post(path string, header ...string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(http.MethodPost, path, nil)
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	answer := httptest.NewRecorder()
	NewServer(w.Options).Handler.ServeHTTP(answer, r)
	return answer
}

// assertHas looks for texts in a page, whose non-breaking spaces count as any other.
func assertHas(t *testing.T, page string, wants ...string) {
	t.Helper()
	plain := strings.ReplaceAll(page, nonBreakingSpace, " ")
	for _, want := range wants {
		if !strings.Contains(plain, want) {
			t.Errorf("the page has no %q", want)
		}
	}
	if t.Failed() {
		t.Log(page)
	}
}

// manyAccounts is a fixture of so many accounts, all probed 60 times, one in a hundred of which is failing.
func manyAccounts(n int) *fixture {
	w := newFixture()
	for i := range n {
		probes := make([]*probe.Result, 60)
		for j := range probes {
			probes[j] = success(float64(20 + (i*7+j*13)%90))
		}
		if i%100 == 7 {
			probes[59] = rejected("NO [AUTHENTICATIONFAILED] Authentication failed.")
		}
		a := testAccount{Name: fmt.Sprintf("account%05d", i), Server: fmt.Sprintf("imap%d.example.org:993", i%20), Interval: time.Minute, NextRun: w.now.Add(time.Duration(i%60) * time.Second)}
		w.accounts = append(w.accounts, a)
		w.addProbes(a, probes...)
	}
	w.Accounts = registry(w.accounts...)
	return w
}
