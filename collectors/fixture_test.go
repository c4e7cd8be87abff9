package collectors

import (
	"bytes"
	"flag"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"

	"imap-exporter/internal/account"
	"imap-exporter/probe"
)

var update = flag.Bool("update", false, "write testdata/*.prom and the generated parts of docs/metrics.md")

// noon is when the tests scrape.
var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// clock is a clock that the test sets.
type clock struct{ at time.Time }

func (c *clock) now() time.Time { return c.at }

// newTestMetrics is Metrics with a clock, at noon, and accounts.
func newTestMetrics(accounts ...account.Account) (*Metrics, *clock) {
	c := &clock{noon}
	m := New(Options{Now: c.now, Histograms: classic})
	m.SetAccounts(registered(accounts...))
	return m, c
}

// registered are accounts as a Registry returns them.
func registered(accounts ...account.Account) []account.Account {
	var r account.Registry
	r.Set(accounts)
	return r.Accounts()
}

// key is that of an account.
func key(name string) account.Key { return account.Key{Account: name, Service: probe.IMAP.Name} }

// The kinds of histogram.
var classic, native, both = Histograms{Classic: true}, Histograms{Native: true}, Histograms{Classic: true, Native: true}

// gather scrapes m, and has client_golang check what it says, by the rules that a registry checks by.
func gather(t *testing.T, m *Metrics) []*dto.MetricFamily {
	t.Helper()
	families, done, err := m.Gather()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(done)
	strict := prometheus.Gatherers{prometheus.GathererFunc(func() ([]*dto.MetricFamily, error) { return families, nil })}
	if _, err := strict.Gather(); err != nil {
		t.Fatalf("/metrics is broken: %v", err)
	}
	return families
}

var anyBuildInfo = regexp.MustCompile(`(?m)^imap_exporter_build_info\{.*\} 1$`)

// exposition is the page in a format. The build's own data is redacted, since it differs between machines.
func exposition(t *testing.T, families []*dto.MetricFamily, format expfmt.Format, options ...expfmt.EncoderOption) string {
	t.Helper()
	var b bytes.Buffer
	e := expfmt.NewEncoder(&b, format, options...)
	for _, f := range families {
		if err := e.Encode(f); err != nil {
			t.Fatal(err)
		}
	}
	if c, ok := e.(expfmt.Closer); ok {
		if err := c.Close(); err != nil {
			t.Fatal(err)
		}
	}
	return anyBuildInfo.ReplaceAllString(b.String(),
		`imap_exporter_build_info{branch="",goarch="",goos="",goversion="",revision="",tags="",version=""} 1`)
}

// page is the scraped text format.
func page(t *testing.T, m *Metrics) string {
	t.Helper()
	return exposition(t, gather(t, m), expfmt.NewFormat(expfmt.TypeTextPlain))
}

// series are the lines of a page: the value by what stands before it.
type series map[string]float64

func scrape(t *testing.T, m *Metrics) series {
	t.Helper()
	s := series{}
	for line := range strings.Lines(page(t, m)) {
		line = strings.TrimSpace(line)
		at := strings.LastIndexByte(line, ' ')
		if strings.HasPrefix(line, "#") {
			continue
		}
		v, err := strconv.ParseFloat(line[at+1:], 64)
		if err != nil {
			t.Fatal(err)
		}
		s[line[:at]] = v
	}
	return s
}

// is checks the value of one series.
func (s series) is(t *testing.T, name string, want float64) {
	t.Helper()
	if got, ok := s[name]; !ok || got != want {
		t.Errorf("%s = %v (there: %v), want %v", name, got, ok, want)
	}
}

// matching returns the series that a regular expression matches.
func (s series) matching(expr string) (names []string) {
	re := regexp.MustCompile(expr)
	for name := range s {
		if re.MatchString(name) {
			names = append(names, name)
		}
	}
	return names
}

// none checks that no series matches a regular expression.
func (s series) none(t *testing.T, expr string) {
	t.Helper()
	if found := s.matching(expr); len(found) > 0 {
		t.Errorf("there are %q, want none that matches %s", found, expr)
	}
}

// some checks how many series match a regular expression.
func (s series) some(t *testing.T, expr string, want int) {
	t.Helper()
	if found := s.matching(expr); len(found) != want {
		t.Errorf("there are %q, want %d that match %s", found, want, expr)
	}
}

const serverA = "imap.example.org:993"

// accountA is the account that healthy and failed probe.
func accountA() account.Account {
	return account.Account{
		Name: "canary", Server: serverA, Interval: time.Minute,
		Labels: map[string]string{"team": "mail"},
	}
}

// healthy is a Result in which everything that can be known is known.
func healthy(start time.Time) *probe.Result {
	truncated := false
	newest, oldest := start.Add(-time.Hour), start.AddDate(-3, 0, 0)
	return &probe.Result{
		Account: "canary", Server: serverA, Mode: probe.TLSImplicit,
		Start: start, Duration: 182500 * time.Microsecond,
		Phases: allPhases(),
		Connects: []probe.Connect{
			{Family: probe.IPv6, Reason: probe.ReasonTimeout},
			{Family: probe.IPv4},
		},
		RTT: new(2500 * time.Microsecond), TimestampSource: "kernel",
		TLS: &probe.TLS{
			Version: "TLS 1.3", Cipher: "TLS_AES_128_GCM_SHA256",
			NotAfter: time.Date(2026, 5, 30, 23, 59, 59, 0, time.UTC),
		},
		Capabilities: []probe.Capabilities{
			{Stage: probe.StageBeforeAuth, Names: []string{"AUTH=PLAIN", "IMAP4REV1", "X-HOMEMADE-1", "X-HOMEMADE-2"}},
			{Stage: probe.StageAfterAuth, Names: []string{"APPENDLIMIT=35651584", "CONDSTORE", "IMAP4REV1", "QUOTA", "STATUS=SIZE"}},
		},
		Mailboxes: []probe.Mailbox{
			{
				Name: "INBOX", Messages: new(uint32(1042)), Unseen: new(uint32(17)), Recent: new(uint32(2)), UIDNext: new(uint32(5120)),
				UIDValidity: new(uint32(1700000000)), SizeBytes: new(uint64(734003200)), HighestModSeq: new(uint64(90210)),
				Newest: &newest, Oldest: &oldest,
			},
			{Name: "Entwürfe 2026", Messages: new(uint32(3)), Unseen: new(uint32(0)), UIDNext: new(uint32(4)), UIDValidity: new(uint32(1700000001))},
		},
		MailboxesTruncated: &truncated, MailboxesUnreadable: new(1),
		Fetched: &probe.Fetched{Mailbox: "INBOX", Bytes: 2817},
		Quota: &probe.Quota{Supported: true, Roots: []probe.QuotaRoot{{
			Name:    "User quota",
			Storage: &probe.Resource{Used: 998244352, Limit: 1073741824}, Messages: &probe.Resource{Used: 1045, Limit: 100000},
		}}},
	}
}

// allPhases gives the n-th phase n milliseconds. connect_failed did not end well.
func allPhases() (timings []probe.Timing) {
	for i, phase := range probe.IMAP.Phases {
		timings = append(timings, probe.Timing{
			Phase: phase, Duration: time.Duration(i+1) * time.Millisecond, ReadDelay: time.Duration(i) * 50 * time.Microsecond,
			OK: phase != probe.PhaseConnectFailed,
		})
	}
	return timings
}

// failed is a Result of accountA whose login was rejected. It has mailboxes and quota nevertheless, which must not show.
func failed(start time.Time) *probe.Result {
	r := healthy(start)
	r.Err = &probe.Error{Phase: probe.PhaseAuth, Reason: probe.ReasonRejected, Text: "AUTHENTICATIONFAILED: go away"}
	r.Phases = []probe.Timing{
		{Phase: probe.PhaseResolve, Duration: time.Millisecond, OK: true},
		{Phase: probe.PhaseConnect, Duration: 2 * time.Millisecond, OK: true},
		{Phase: probe.PhaseTLS, Duration: 5 * time.Millisecond, OK: true},
		{Phase: probe.PhaseGreeting, Duration: 3 * time.Millisecond, OK: true},
		{Phase: probe.PhaseCapability, Duration: time.Millisecond, OK: true},
		{Phase: probe.PhaseAuth, Duration: 2 * time.Second, OK: false},
		{Phase: probe.PhaseLogout, Duration: time.Millisecond, OK: true},
	}
	r.Connects = []probe.Connect{{Family: probe.IPv4}}
	r.Capabilities = r.Capabilities[:1]
	return r
}

// canceled is a probe of accountA that a shutdown cut short.
func canceled(start time.Time) *probe.Result {
	r := failed(start)
	r.Err = &probe.Error{Phase: probe.PhaseSelect, Reason: probe.ReasonCanceled}
	return r
}
