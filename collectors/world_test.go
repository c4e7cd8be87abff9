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
			w := newWorld(seed)
			for step := range 50 {
				what := w.step()
				if diff := cmp.Diff(content(w.gather(t)), content(gather(t, w.Metrics))); diff != "" {
					t.Fatalf("step %d, %s: /metrics is not what the registry would say:\n%s", step, what, diff)
				}
			}
		})
	}
}

// A world is where anything can happen.
type world struct {
	*plain
	*rand.Rand
	clock    *clock
	accounts []account.Account
}

func newWorld(seed uint64) *world {
	w := &world{Rand: rand.New(rand.NewPCG(seed, 0)), clock: &clock{noon}}
	counts := schedule.Counts{Scheduled: 9, Started: 4, Skipped: map[schedule.Reason]uint64{schedule.Overload: 5}}
	w.plain = newPlain(New(Options{Now: w.clock.now, Histograms: choose(w.Rand, histogramKinds...)}))
	w.program.counts, w.program.inFlight = &counts, new(w.IntN(5))
	w.program.linesDropped = new(int)
	w.linesDropped = func() int { return 0 }
	w.counts, w.inFlight = func() schedule.Counts { return counts }, func() int { return *w.program.inFlight }
	return w
}

func choose[T any](r *rand.Rand, some ...T) T { return some[r.IntN(len(some))] }

// step lets something happen and returns what.
func (w *world) step() (what string) {
	switch n := w.IntN(100); {
	case len(w.accounts) == 0 || n < 8:
		w.accounts = w.someAccounts()
		w.SetAccounts(registered(w.accounts...))
		return "accounts set"
	case n < 60:
		r := w.someResult()
		w.Observe(r)
		return fmt.Sprint("result of ", r.Account)
	case n < 75:
		a := choose(w.Rand, w.accounts...)
		w.Changed(a.Key(), schedule.State{
			NextRun: w.someTime(), Suspended: w.IntN(2) == 0, NextLogin: choose(w.Rand, time.Time{}, w.someTime()),
		})
		return "state changed"
	case n < 80:
		w.Started(time.Duration(w.IntN(1e9)))
		return "probe started"
	case n < 84:
		w.Reloaded(w.IntN(2) == 0, w.clock.at)
		return "configuration loaded"
	default:
		w.clock.at = w.clock.at.Add(time.Duration(w.IntN(300)) * time.Second)
		return "time passed"
	}
}

func (w *world) someTime() time.Time { return w.clock.at.Add(time.Duration(w.Int64N(1e12) - 5e11)) }

// someAccounts returns some of six accounts on some of three servers. Their names and labels sort before and after
// each other's in every way.
func (w *world) someAccounts() (accounts []account.Account) {
	for _, name := range []string{"b", "a", "a b", "ä", "A", "a\xff"} {
		if w.IntN(4) == 0 {
			continue
		}
		labels := map[string]string{}
		for _, label := range []string{"Zone", "a_first", "team", "zone"} {
			if w.IntN(3) == 0 {
				labels[label] = choose(w.Rand, "", "x", "y\xff")
			}
		}
		accounts = append(accounts, account.Account{
			Name: name, Server: choose(w.Rand, serverA, serverA, "b:993", "a:143"), Labels: labels,
			Interval: choose(w.Rand, 0, time.Second, time.Minute, time.Hour),
		})
	}
	return accounts
}

// someResult returns a Result in which anything may be missing.
func (w *world) someResult() *probe.Result {
	a := choose(w.Rand, w.accounts...)
	start := w.clock.at.Add(-time.Duration(w.IntN(4)) * time.Minute)
	r := choose(w.Rand, healthy, healthy, failed, canceled)(start)
	r.Account, r.Server = a.Name, choose(w.Rand, a.Server, a.Server, a.Server, serverA)
	r.Mode = choose(w.Rand, probe.TLSImplicit, probe.TLSStartTLS)
	r.Phases = r.Phases[:w.IntN(len(r.Phases)+1)]
	r.Capabilities = r.Capabilities[:w.IntN(len(r.Capabilities)+1)]
	if len(r.Capabilities) > 0 && w.IntN(3) == 0 {
		r.Capabilities[0].Names = []string{choose(w.Rand, "IDLE", "X-1", "X-2"), "X-3", "AUTH=\xff"}
	}
	if w.IntN(3) == 0 {
		r.TLS, r.RTT, r.Quota, r.Fetched, r.Connects, r.TimestampSource = nil, nil, nil, nil, nil, "user"
	}
	if w.IntN(3) == 0 {
		r.Mailboxes = append(r.Mailboxes[1:], r.Mailboxes...)
		r.Phases = append(r.Phases, r.Phases...)
	}
	return r
}

// TestWhatAScrapeReadsStays lets the world change under a scrape that is never done.
func TestWhatAScrapeReadsStays(t *testing.T) {
	w := newWorld(1)
	for range 30 {
		w.step()
	}
	families := gather(t, w.Metrics)
	var before []string
	for _, f := range families {
		if f.GetType() != dto.MetricType_HISTOGRAM {
			before = append(before, f.String())
		}
	}
	for range 300 {
		w.step()
		gather(t, w.Metrics)
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
	m, _ := bench(accountA())
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
