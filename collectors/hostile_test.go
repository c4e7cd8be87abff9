package collectors

import (
	"fmt"
	"math"
	"strings"
	"testing"
	"time"
	"unicode"
	"unicode/utf8"

	"imap-exporter/internal/account"
	"imap-exporter/probe"
)

func TestDuplicatesNeverBreakThePage(t *testing.T) {
	m, _ := newTestMetrics(accountA(), account.Account{Name: "canary", Server: "twice.example.org:993"})
	r := healthy(noon)
	r.Phases = append(r.Phases, r.Phases...)
	r.Capabilities[0].Names = []string{"X-A", "X-B", "IMAP4REV1", "IMAP4REV1", "APPENDLIMIT=1", "APPENDLIMIT=2"}
	r.Capabilities = append(r.Capabilities, r.Capabilities...)
	r.Mailboxes = []probe.Mailbox{
		{Name: "INBOX", Messages: new(uint32(1))},
		{Name: "inbox", Messages: new(uint32(2))},
		{Name: "Sent", Messages: new(uint32(3))},
		{Name: "Sent", Messages: new(uint32(4))},
		{Name: "sent", Messages: new(uint32(5))},
	}
	storage := func(used uint64) *probe.Resource { return &probe.Resource{Used: used, Limit: math.MaxUint64} }
	r.Quota.Roots = []probe.QuotaRoot{{Storage: storage(1)}, {Storage: storage(2)}, {Name: "r", Storage: storage(3)}}
	m.Observe(r)
	s := scrape(t, m)
	const tail = `",server="imap.example.org:993"}`
	s.is(t, `imap_mailbox_messages{account="canary",mailbox="INBOX`+tail, 1)
	s.is(t, `imap_mailbox_messages{account="canary",mailbox="Sent`+tail, 3)
	s.is(t, `imap_mailbox_messages{account="canary",mailbox="sent`+tail, 5)
	s.some(t, "^imap_mailbox_messages", 3)
	s.is(t, `imap_quota_storage_used_bytes{account="canary",root="`+tail, 1)
	s.is(t, `imap_quota_storage_limit_bytes{account="canary",root="r`+tail, math.MaxUint64)
	s.some(t, `^imap_capability_info.*stage="before_auth"`, 3)
	s.is(t, "imap_exporter_accounts", 1)
}

func TestHostileNames(t *testing.T) {
	m, _ := newTestMetrics(accountA())
	r := healthy(noon)
	evil := []string{
		"\xff\xfe", "a\x00b", "a\nimap_probe_success 1\n", `a"} 1`, `\`, "\u202e", "\ufeff", strings.Repeat("ü", 500), "\xc3(",
	}
	r.Mailboxes, r.Quota.Roots = nil, nil
	for _, name := range evil {
		r.Mailboxes = append(r.Mailboxes, probe.Mailbox{Name: name, Messages: new(uint32(1))})
		r.Quota.Roots = append(r.Quota.Roots, probe.QuotaRoot{Name: name, Messages: &probe.Resource{}})
		r.Capabilities[0].Names = append(r.Capabilities[0].Names, name, "AUTH="+name, "APPENDLIMIT="+name, name+"=1")
	}
	r.Fetched.Mailbox = evil[0]
	m.Observe(r)
	for _, f := range gather(t, m) {
		for _, metric := range f.GetMetric() {
			for _, l := range metric.GetLabel() {
				v := l.GetValue()
				if !utf8.ValidString(v) || utf8.RuneCountInString(v) > probe.MaxNameRunes {
					t.Errorf("%s: the label %s=%q is not fit", f.GetName(), l.GetName(), v)
				}
				for _, r := range v {
					if !unicode.IsPrint(r) {
						t.Errorf("%s: %s=%q holds the unprintable %U", f.GetName(), l.GetName(), v, r)
					}
				}
			}
		}
	}
	scrape(t, m).some(t, `^imap_capability_info.*stage="before_auth"`, 4) // AUTH=PLAIN, IMAP4REV1, APPENDLIMIT and other.
}

func TestBadConfiguredNamesCostOnlyTheirOwnSeries(t *testing.T) {
	bad := account.Account{
		Name: "bad\xff", Server: serverA, Interval: time.Minute,
		Labels: map[string]string{"le": "1", "server": "x", "job": "x", "instance": "x", "account": "x", "__name__": "x", "a-b": "x", "": "x"},
	}
	m, _ := newTestMetrics(accountA(), bad, account.Account{Name: "c", Server: serverA, Labels: map[string]string{"team": "a\xff\nb"}})
	m.Observe(healthy(noon))
	s := scrape(t, m)
	s.is(t, "imap_probe_success"+canary, 1)
	s.is(t, `imap_account_info{account="canary",server="imap.example.org:993",team="mail"}`, 1)
	s.is(t, `imap_account_info{account="c",server="imap.example.org:993",team="a��b"}`, 1)
	s.none(t, "bad")
}

func TestTheNumberOfSeriesIsBounded(t *testing.T) {
	m, _ := newTestMetrics(accountA())
	r := healthy(noon)
	for n := range 1000 {
		r.Mailboxes = append(r.Mailboxes, probe.Mailbox{Name: fmt.Sprint("m", n), Messages: new(uint32(1))})
		r.Quota.Roots = append(r.Quota.Roots, probe.QuotaRoot{Name: fmt.Sprint("r", n), Storage: &probe.Resource{}})
		r.Capabilities[0].Names = append(r.Capabilities[0].Names, fmt.Sprint("X-", n))
	}
	m.Observe(r)
	s := scrape(t, m)
	s.some(t, "^imap_mailbox_messages", probe.MaxMailboxes)
	s.some(t, "^imap_quota_storage_used_bytes", probe.MaxQuotaRoots)
	s.some(t, `^imap_capability_info.*stage="before_auth"`, 3)
}

// TestFarDates has dates that nanoseconds in 64 bits can't hold.
func TestFarDates(t *testing.T) {
	m, _ := newTestMetrics(accountA())
	r := healthy(noon)
	r.TLS.NotAfter = time.Date(9999, 12, 31, 23, 59, 59, 0, time.UTC)
	ancient := time.Date(1, 2, 3, 0, 0, 0, 500_000_000, time.UTC)
	r.Mailboxes[0].Oldest = &ancient
	m.Observe(r)
	s := scrape(t, m)
	s.is(t, "imap_tls_certificate_not_after_timestamp_seconds"+canary, 253402300799)
	s.is(t, `imap_mailbox_oldest_message_timestamp_seconds{account="canary",mailbox="INBOX",server="imap.example.org:993"}`, -62132745600+.5)
}
