package history

import (
	"fmt"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"imap-exporter/probe"
)

// talk is a conversation of n lines.
func talk(n int) []probe.TranscriptLine {
	lines := make([]probe.TranscriptLine, n)
	for i := range lines {
		lines[i] = probe.TranscriptLine{At: time.Duration(i) * time.Millisecond, Sent: i%2 == 0, Text: fmt.Sprintf("T%d OK Completed (0.001 + 0.000 secs).", i)}
	}
	return lines
}

func TestTranscript(t *testing.T) {
	s := New(Limits{Successes: 1, Failures: 1})
	r := result("a", 0, probe.ReasonTimeout)
	r.Transcript = talk(3)
	s.Add(r)
	s.Add(result("a", 1, ""))
	if s.Last(key("a")).Transcript != nil || s.Recent(key("a"))[1].Transcript != nil {
		t.Error("a Result has its transcript with it")
	}
	if len(r.Transcript) != 3 {
		t.Error("the Result that was added has changed")
	}
	kept, lines := s.Result(key("a"), IDOf(r))
	if kept == nil || kept.Err.Reason != probe.ReasonTimeout {
		t.Fatalf("the failed probe is %v", kept)
	}
	if diff := cmp.Diff(talk(3), lines); diff != "" {
		t.Errorf("transcript (-want +got):\n%s", diff)
	}
	for name, id := range map[string]int64{"a": 1, "b": IDOf(r)} {
		if kept, lines := s.Result(key(name), id); kept != nil || lines != nil {
			t.Errorf("account %s has a probe %d", name, id)
		}
	}
}

func TestLastResultIsAlwaysThere(t *testing.T) {
	s := New(Limits{})
	r := result("a", 0, "")
	r.Transcript = talk(1)
	s.Add(r)
	if kept, lines := s.Result(key("a"), IDOf(r)); kept == nil || lines != nil {
		t.Errorf("the last probe is %v, with %d lines", kept, len(lines))
	}
}

// The limit is for all accounts together: the oldest are dropped first, successes before failures, until successes take a quarter.
func TestBytesAreBounded(t *testing.T) {
	add := func(s *Store, account string, n int, reason probe.Reason) {
		r := result(account, n, reason)
		r.Transcript = talk(50)
		s.Add(r)
	}
	weight := func(reason probe.Reason) int {
		kept, bytes := copyResult(result("a", 0, reason), nil)
		return newRecentResult(kept, bytes, talk(50)).bytes
	}
	one, failed := weight(""), weight(probe.ReasonBye)
	s := New(Limits{Successes: 100, Failures: 100, Bytes: 40 * one})
	for n := range 30 {
		add(s, "fails", n, probe.ReasonBye)
	}
	for n := range 100 {
		add(s, "well", 100+n, "")
	}
	if got := len(s.Recent(key("fails"))); got < 40*3/4*one/failed-1 {
		t.Errorf("%d failures are left of 30", got)
	}
	if got := minutes(s.Recent(key("well"))); len(got) < 9 || got[0] != 199 || !slices.IsSortedFunc(got, func(a, b int) int { return b - a }) {
		t.Errorf("successes are left of minutes %v, want the newest, and at least a quarter", got)
	}
	if sum := s.recent.successBytes + s.recent.failureBytes; sum > s.limits.Bytes {
		t.Errorf("%d bytes are kept of at most %d", sum, s.limits.Bytes)
	}
	s.SetAccounts(nil)
	if s.recent.successBytes != 0 || s.recent.failureBytes != 0 || s.recent.successes.Len()+s.recent.failures.Len() != 0 {
		t.Errorf("an empty store has %+v", s.recent)
	}
}

func TestCapabilitiesAreShared(t *testing.T) {
	s := New(Limits{Successes: 2})
	names := func() []string { return []string{"IDLE", strings.ToUpper("imap4rev1")} }
	for n := range 2 {
		r := result("a", n, "")
		r.Capabilities = []probe.Capabilities{{Stage: probe.StageBeforeAuth, Names: names()}, {Stage: probe.StageAfterAuth, Names: names()[n:]}}
		s.Add(r)
	}
	after, before := s.Recent(key("a"))[0].Capabilities, s.Recent(key("a"))[1].Capabilities
	if &after[0].Names[0] != &before[0].Names[0] {
		t.Error("the same capabilities are kept twice")
	}
	if diff := cmp.Diff(names()[1:], after[1].Names); diff != "" {
		t.Errorf("changed capabilities (-want +got):\n%s", diff)
	}
}

// full is a Result as a probe of Dovecot has it.
func full(account string, n int) *probe.Result {
	r := result(account, n, "")
	r.TLS = &probe.TLS{Version: "TLS 1.3", Cipher: "TLS_AES_128_GCM_SHA256"}
	for _, p := range probe.IMAP.Phases {
		r.Phases = append(r.Phases, probe.Timing{Phase: p, Duration: time.Millisecond, OK: true})
		r.Spans = append(r.Spans, probe.Span{Phase: p, Duration: time.Millisecond, OK: true})
	}
	for _, stage := range []probe.Stage{probe.StageBeforeAuth, probe.StageAfterAuth} {
		r.Capabilities = append(r.Capabilities, probe.Capabilities{Stage: stage, Names: strings.Fields(strings.Repeat("CAPABILITY=NAME ", 30))})
	}
	number := func() *uint32 { n := uint32(n); return &n }
	r.Mailboxes = []probe.Mailbox{{Name: "INBOX", Messages: number(), Unseen: number(), UIDNext: number(), UIDValidity: number()}}
	r.Transcript = talk(45)
	return r
}

// BenchmarkMemory measures the full history of ten thousand accounts, in bytes for each account.
func BenchmarkMemory(b *testing.B) {
	const accounts = 10_000
	for range b.N {
		before := heap()
		s := New(Limits{Summaries: 60, Successes: 20, Failures: 20, Bytes: 32 << 20})
		for n := range 60 {
			for i := range accounts {
				s.Add(full(fmt.Sprintf("account%05d", i), n))
			}
		}
		used := heap() - before
		b.ReportMetric(float64(used)/accounts, "B/account")
		b.ReportMetric(float64(used)/(1<<20), "MiB")
		b.ReportMetric(float64(s.recent.successBytes)/(1<<20), "weighed-MiB")
		s.SetAccounts(nil)
	}
}

func BenchmarkAdd(b *testing.B) {
	s := New(Limits{Summaries: 60, Successes: 20, Failures: 20, Bytes: 32 << 20})
	r := full("a", 0)
	for b.Loop() {
		s.Add(r)
	}
}

func heap() uint64 {
	runtime.GC()
	runtime.GC()
	var stats runtime.MemStats
	runtime.ReadMemStats(&stats)
	return stats.HeapAlloc
}
