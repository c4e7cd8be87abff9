package format

import (
	"encoding/json"
	"errors"
	"flag"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"imap-exporter/internal/account"
	"imap-exporter/probe"
)

var update = flag.Bool("update", false, "write testdata/*.json")

var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// probes are one that learnt everything, one that failed, and one that there wasn't.
func probes() []Probe {
	at := func(name string) account.Account {
		return account.Account{Name: name, Server: "imap.example.org:993"}
	}
	newest, oldest := noon.Add(-time.Hour).In(time.FixedZone("", 2*60*60)), noon.AddDate(-1, 0, 0)
	return []Probe{
		{Account: at("canary"), Result: &probe.Result{
			Account: "canary", Server: "imap.example.org:993", Mode: probe.TLSImplicit, Start: noon, Duration: 1500 * time.Millisecond,
			Phases: []probe.Timing{{Phase: probe.PhaseAuth, Duration: 400 * time.Millisecond, OK: true}},
			Spans:  []probe.Span{{Phase: probe.PhaseAuth, Start: 100 * time.Millisecond, Duration: 400 * time.Millisecond, OK: true}},
			RTT:    new(2500 * time.Microsecond),
			TLS:    &probe.TLS{Version: "TLS 1.3", Cipher: "TLS_AES_128_GCM_SHA256", NotAfter: noon.AddDate(0, 0, 30)},
			Capabilities: []probe.Capabilities{
				{Stage: probe.StageBeforeAuth, Names: []string{"IMAP4REV1"}},
			},
			Mailboxes: []probe.Mailbox{{Name: "Entwürfe"}, {
				Name: "INBOX", Messages: new(uint32(42)), Unseen: new(uint32(7)), Recent: new(uint32(0)), UIDNext: new(uint32(43)), UIDValidity: new(uint32(1)),
				SizeBytes: new(uint64(1 << 40)), HighestModSeq: new(uint64(99)), Newest: &newest, Oldest: &oldest,
			}},
			MailboxesTruncated: new(false),
			Fetched:            &probe.Fetched{Mailbox: "INBOX", Bytes: 345},
			Quota: &probe.Quota{Supported: true, Roots: []probe.QuotaRoot{{
				Name: "User quota", Storage: &probe.Resource{Used: 937, Limit: 1000}, Messages: &probe.Resource{Used: 1, Limit: 0},
			}}},
			Notes:      []string{"STATUS <Trash> was refused"},
			Transcript: []probe.TranscriptLine{{At: 2 * time.Millisecond, Sent: true, Text: "a1 LOGIN canary ***"}},
		}},
		{Account: at("failed"), Result: &probe.Result{
			Account: "failed", Server: "imap.example.org:993", Mode: probe.TLSImplicit, Start: noon, Duration: 20 * time.Millisecond,
			Err: &probe.Error{Phase: probe.PhaseAuth, Reason: probe.ReasonRejected, Text: "NO | go away"},
			TLS: &probe.TLS{},
		}},
		{Account: at("missing"), Err: errors.New("canceled")},
	}
}

// The JSON is a promise: what is in the golden file stays.
func TestJSON(t *testing.T) {
	const golden = "testdata/probes.json"
	var b strings.Builder
	if err := JSON(&b, probes(), true); err != nil {
		t.Fatal(err)
	}
	if *update {
		if err := os.WriteFile(golden, []byte(b.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), b.String()); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	var without, none strings.Builder
	if err := errors.Join(JSON(&without, probes(), false), JSON(&none, nil, false)); err != nil {
		t.Fatal(err)
	}
	if strings.Contains(without.String(), "transcript") || none.String() != "{\n  \"probes\": []\n}\n" {
		t.Errorf("%s%s", &without, &none)
	}
}

// A date for which JSON has no form, such as a server may send by its time zone, doesn't cost the whole document.
func TestJSONWithImpossibleDates(t *testing.T) {
	all := probes()
	late := time.Date(9999, 12, 31, 23, 0, 0, 0, time.FixedZone("", -2*60*60))
	early := time.Date(0, 1, 1, 0, 0, 0, 0, time.FixedZone("", 2*60*60))
	all[0].Result.Mailboxes[1].Newest, all[0].Result.Mailboxes[1].Oldest, all[0].Result.TLS.NotAfter = &late, &early, late
	var b strings.Builder
	if err := JSON(&b, all, false); err != nil || strings.Contains(b.String(), "est_message") || strings.Contains(b.String(), "not_after") {
		t.Errorf("%v:\n%s", err, &b)
	}
}

// Every key is documented.
func TestJSONIsDocumented(t *testing.T) {
	docs, err := os.ReadFile("../../docs/command-line.md")
	if err != nil {
		t.Fatal(err)
	}
	golden, err := os.ReadFile("testdata/probes.json")
	if err != nil {
		t.Fatal(err)
	}
	var document any
	if err := json.Unmarshal(golden, &document); err != nil {
		t.Fatal(err)
	}
	var walk func(any)
	walk = func(v any) {
		switch v := v.(type) {
		case []any:
			for _, item := range v {
				walk(item)
			}
		case map[string]any:
			for key, value := range v {
				if !strings.Contains(string(docs), "`"+key+"`") {
					t.Errorf("docs/command-line.md has no %s", key)
				}
				walk(value)
			}
		}
	}
	walk(document)
}

func TestNagios(t *testing.T) {
	all := probes()
	limitless := *all[0].Result
	limitless.Quota = &probe.Quota{Supported: true, Roots: []probe.QuotaRoot{{Storage: &probe.Resource{Used: 1 << 30}}}}
	unlimited := []Probe{{Account: all[0].Account, Result: &limitless}} // A server that sets no limit says that it is 0.
	const measured = "auth=0.4s;;;0 certificate_days=30;;;0 quota_percent=93.7%;;;0 messages=42;;;0 unseen=7;;;0"
	for _, test := range []struct {
		probes            []Probe
		warning, critical []string
		state             NagiosState
		line              string
	}{
		{all[:1], nil, nil, NagiosOK, "IMAP OK - canary in 1500.0 ms | time=1.5s;;;0 " + measured},
		{all[:1], []string{"1"}, []string{"2"}, NagiosWarning, "IMAP WARNING - canary time is 1.5s | time=1.5s;1;2;0 " + measured},
		{all[:1], []string{"1"}, []string{"~:1.2"}, NagiosCritical, "IMAP CRITICAL - canary time is 1.5s | time=1.5s;1;~:1.2;0 " + measured},
		{
			all[:1],
			[]string{"unseen=@5:10", "fetch=1"},
			nil, NagiosWarning,
			"IMAP WARNING - canary unseen is 7, no fetch was measured | time=1.5s;;;0 " + strings.Replace(measured, "unseen=7;;", "unseen=7;@5:10;", 1),
		},
		{all[:1], []string{"fetch=1"}, nil, NagiosUnknown, "IMAP UNKNOWN - canary no fetch was measured | time=1.5s;;;0 " + measured},
		{unlimited, []string{"quota_percent=90"}, []string{"quota_percent=95"}, NagiosOK, "IMAP OK - canary in 1500.0 ms | time=1.5s;;;0 " + strings.Replace(measured, "quota_percent=93.7%;;;0 ", "", 1)},
		{all[1:2], []string{"60"}, nil, NagiosCritical, "IMAP CRITICAL - failed auth/rejected: NO ¦ go away | time=0.02s;60;;0"},
		{all[2:], nil, nil, NagiosUnknown, "IMAP UNKNOWN - missing not probed: canceled"},
		{
			all, nil, nil, NagiosCritical,
			"IMAP CRITICAL - 2 of 3 accounts: failed auth/rejected: NO ¦ go away; missing not probed: canceled | 'canary time'=1.5s;;;0 'failed time'=0.02s;;;0",
		},
		{[]Probe{all[0], all[0]}, nil, nil, NagiosOK, "IMAP OK - all 2 accounts | 'canary time'=1.5s;;;0 'canary time'=1.5s;;;0"},
	} {
		warning, err := ParseThresholds(test.warning)
		if err != nil {
			t.Fatal(err)
		}
		critical, err := ParseThresholds(test.critical)
		if err != nil {
			t.Fatal(err)
		}
		var b strings.Builder
		state, err := Nagios(&b, test.probes, warning, critical)
		if err != nil || state != test.state || b.String() != test.line+"\n" {
			t.Errorf("%s, %v:\n%swant\n%s", state, err, &b, test.line)
		}
	}
	for _, text := range []string{"lag=1", "=1", "1:2:3", "time=", ""} {
		if got, err := ParseThresholds([]string{text}); err == nil {
			t.Errorf("%q is taken for %v", text, got)
		}
	}
	if !slices.Contains(thresholdLabels(), string(probe.PhaseFetch)) {
		t.Error("phases are not among the labels")
	}
}

func TestForPeople(t *testing.T) {
	var summary, text strings.Builder
	for _, p := range probes() {
		if err := errors.Join(Summary(&summary, p), Text(&text, p, Style{}, true)); err != nil {
			t.Fatal(err)
		}
	}
	want := "ok      canary  imap.example.org:993  1500.0 ms\n" +
		"FAILED  failed  imap.example.org:993  auth/rejected: NO | go away\n" +
		"FAILED  missing  imap.example.org:993  canceled\n"
	if diff := cmp.Diff(want, summary.String()); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	want = `canary  imap.example.org:993  ok  1500.0 ms
  auth              █████████████▏                                    400.0 ms

  certificate    valid until 2026-03-31 12:00 UTC (30 days left)
  mailbox        Entwürfe: nothing is known of it
  mailbox        INBOX: 42 messages, 7 unseen, 1.0 TiB, newest 2026-03-01 11:00 UTC
  quota          User quota: 937 B of 1000 B (93%), 1 message without a limit
  note           STATUS <Trash> was refused

     2.0 ms  C: a1 LOGIN canary ***
failed  imap.example.org:993  failed  20.0 ms
  ✗ auth/rejected: NO | go away
missing  imap.example.org:993  not probed: canceled
`
	if diff := cmp.Diff(want, text.String()); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

// What there was no probe of has no metrics.
func TestPrometheus(t *testing.T) {
	var b strings.Builder
	if err := Prometheus(&b, probes()); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{`probe_success{account="canary",server="imap.example.org:993"} 1`, `probe_success{account="failed",server="imap.example.org:993"} 0`} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("no %s", want)
		}
	}
	if strings.Contains(b.String(), "missing") {
		t.Error("there are metrics of no probe")
	}
}
