package collectors

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	dto "github.com/prometheus/client_model/go"

	"imap-exporter/internal/account"
	"imap-exporter/internal/schedule"
	"imap-exporter/probe"
)

// TestSameAsTheRegistry lets anything happen in any order, and compares with the registry after each step.
func TestSameAsTheRegistry(t *testing.T) {
	for seed := range uint64(8) {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			s := newSimulation(seed)
			for step := range 50 {
				what := s.step()
				if diff := cmp.Diff(content(s.gather(t)), content(gather(t, s.Metrics))); diff != "" {
					t.Fatalf("step %d, %s: /metrics is not what the registry would say:\n%s", step, what, diff)
				}
			}
		})
	}
}

// A simulation is a Metrics to which anything may happen, at random, by a seed.
type simulation struct {
	*plain
	*rand.Rand
	clock    *clock
	accounts []account.Account
}

func newSimulation(seed uint64) *simulation {
	s := &simulation{Rand: rand.New(rand.NewPCG(seed, 0)), clock: &clock{noon}}
	counts := schedule.Counts{Scheduled: 9, Started: 4, Skipped: map[schedule.Reason]uint64{schedule.Overload: 5}}
	s.plain = newPlain(New(Options{Now: s.clock.now, Histograms: choose(s.Rand, histogramKinds...)}))
	s.program.counts, s.program.inFlight = &counts, new(s.IntN(5))
	s.program.linesDropped = new(int)
	s.linesDropped = func() int { return 0 }
	s.counts, s.inFlight = func() schedule.Counts { return counts }, func() int { return *s.program.inFlight }
	return s
}

func choose[T any](r *rand.Rand, some ...T) T { return some[r.IntN(len(some))] }

// step lets something happen and returns what.
func (s *simulation) step() (what string) {
	switch n := s.IntN(100); {
	case len(s.accounts) == 0 || n < 8:
		s.accounts = s.someAccounts()
		s.SetAccounts(registered(s.accounts...))
		return "accounts set"
	case n < 60:
		r := s.someResult()
		s.Observe(r)
		return fmt.Sprint("result of ", r.Account)
	case n < 75:
		a := choose(s.Rand, s.accounts...)
		s.Changed(a.Key(), schedule.State{
			NextRun: s.someTime(), Suspended: s.IntN(2) == 0, NextLogin: choose(s.Rand, time.Time{}, s.someTime()),
		})
		return "state changed"
	case n < 80:
		s.Started(time.Duration(s.IntN(1e9)))
		return "probe started"
	case n < 84:
		s.Reloaded(s.IntN(2) == 0, s.clock.at)
		return "configuration loaded"
	default:
		s.clock.at = s.clock.at.Add(time.Duration(s.IntN(300)) * time.Second)
		return "time passed"
	}
}

func (s *simulation) someTime() time.Time {
	return s.clock.at.Add(time.Duration(s.Int64N(1e12) - 5e11))
}

// someAccounts returns some of six accounts on some of three servers. Their names and labels sort before and after
// each other's in every way.
func (s *simulation) someAccounts() (accounts []account.Account) {
	for _, name := range []string{"b", "a", "a b", "ä", "A", "a\xff"} {
		if s.IntN(4) == 0 {
			continue
		}
		labels := map[string]string{}
		for _, label := range []string{"Zone", "a_first", "team", "zone"} {
			if s.IntN(3) == 0 {
				labels[label] = choose(s.Rand, "", "x", "y\xff")
			}
		}
		accounts = append(accounts, account.Account{
			Name: name, Server: choose(s.Rand, serverA, serverA, "b:993", "a:143"), Labels: labels,
			Interval: choose(s.Rand, 0, time.Second, time.Minute, time.Hour),
		})
	}
	return accounts
}

// someResult returns a Result in which anything may be missing.
func (s *simulation) someResult() *probe.Result {
	a := choose(s.Rand, s.accounts...)
	start := s.clock.at.Add(-time.Duration(s.IntN(4)) * time.Minute)
	r := choose(s.Rand, healthy, healthy, failed, canceled)(start)
	r.Account, r.Server = a.Name, choose(s.Rand, a.Server, a.Server, a.Server, serverA)
	r.Mode = choose(s.Rand, probe.TLSImplicit, probe.TLSStartTLS)
	r.Phases = r.Phases[:s.IntN(len(r.Phases)+1)]
	r.Capabilities = r.Capabilities[:s.IntN(len(r.Capabilities)+1)]
	if len(r.Capabilities) > 0 && s.IntN(3) == 0 {
		r.Capabilities[0].Names = []string{choose(s.Rand, "IDLE", "X-1", "X-2"), "X-3", "AUTH=\xff"}
	}
	if s.IntN(3) == 0 {
		r.TLS, r.RTT, r.Quota, r.Fetched, r.Connects, r.TimestampSource = nil, nil, nil, nil, nil, "user"
	}
	if s.IntN(3) == 0 {
		r.Mailboxes = append(r.Mailboxes[1:], r.Mailboxes...)
		r.Phases = append(r.Phases, r.Phases...)
	}
	return r
}

// TestWhatAScrapeReadsStays lets everything change under a scrape that is never done.
func TestWhatAScrapeReadsStays(t *testing.T) {
	s := newSimulation(1)
	for range 30 {
		s.step()
	}
	families := gather(t, s.Metrics)
	var before []string
	for _, f := range families {
		if f.GetType() != dto.MetricType_HISTOGRAM {
			before = append(before, f.String())
		}
	}
	for range 300 {
		s.step()
		gather(t, s.Metrics)
	}
	var after []string
	for _, f := range families {
		if f.GetType() != dto.MetricType_HISTOGRAM {
			after = append(after, f.String())
		}
	}
	if diff := cmp.Diff(before, after); diff != "" {
		t.Errorf("a scrape saw what came after it:\n%s", diff)
	}
}

// TestWhichHistogramsAScrapeReadsStays has one phase after the other end well for the first time.
func TestWhichHistogramsAScrapeReadsStays(t *testing.T) {
	m, _ := newTestMetrics(accountA())
	r := failed(noon)
	var seen, copies [][]histogram
	for _, timing := range slices.Backward(allPhases()) {
		r.Phases = []probe.Timing{timing}
		m.Observe(r)
		seen = append(seen, m.serverMetrics[0].histograms)
		copies = append(copies, slices.Clone(m.serverMetrics[0].histograms))
	}
	for i := range seen {
		if !slices.EqualFunc(seen[i], copies[i], func(a, b histogram) bool { return a.Histogram == b.Histogram }) {
			t.Errorf("what a scrape read after %d phases was changed", i+1)
		}
	}
}

// TestOrder says that the order on /metrics never depends on chance.
func TestOrder(t *testing.T) {
	first := page(t, full(both))
	for range 10 {
		if diff := cmp.Diff(first, page(t, full(both))); diff != "" {
			t.Fatal(diff)
		}
	}
}
