package probe

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"imap-exporter/internal/mailtest"
	"imap-exporter/internal/realtest"
)

const (
	// remainderLimit bounds the time of a probe that belongs to no phase: our own work.
	remainderLimit = 5 * time.Millisecond * slowdown
	rounds         = 20
)

// TestDelaysAreTrue: the time that a server waits before an answer shows in its phase, and in no other.
func TestDelaysAreTrue(t *testing.T) {
	delay := map[string]time.Duration{
		"GREETING": 10 * time.Millisecond, "CAPABILITY": 5 * time.Millisecond, "LOGIN": 40 * time.Millisecond,
		"EXAMINE": 20 * time.Millisecond, "FETCH": 15 * time.Millisecond, "STATUS": 25 * time.Millisecond,
		"GETQUOTAROOT": 30 * time.Millisecond, "UNSELECT": 35 * time.Millisecond, "LOGOUT": 10 * time.Millisecond,
	}
	_, target := serve(t, mailtest.Options{Delay: delay})
	got := medians(t, 5, target)[0]
	for phase, want := range map[Phase]time.Duration{
		PhaseGreeting: delay["GREETING"], PhaseCapability: 2 * delay["CAPABILITY"], PhaseAuth: delay["LOGIN"],
		PhaseSelect: delay["EXAMINE"], PhaseFetch: 2 * delay["FETCH"], PhaseStatus: delay["STATUS"], PhaseQuota: delay["GETQUOTAROOT"],
		PhaseUnselect: delay["UNSELECT"], PhaseLogout: delay["LOGOUT"],
	} {
		if got[phase] < want || got[phase] > want+3*time.Millisecond {
			t.Errorf("%s took %v, want %v", phase, got[phase], want)
		}
	}
	if got[remainder] > remainderLimit {
		t.Errorf("the phases leave %v of the whole", got[remainder])
	}
}

// TestSegments: an answer that comes in many pieces ends with its last byte.
func TestSegments(t *testing.T) {
	_, target := serve(t, mailtest.Options{Chunk: 7, ChunkDelay: 0})
	succeed(t, target)
	_, target = serve(t, mailtest.Options{
		Mode: mailtest.ModePlain,
		Handle: map[string]mailtest.Handler{"EXAMINE": func(c *mailtest.Conn, cmd mailtest.Command) error {
			c.Raw("* 0 EXISTS\r\n" + cmd.Tag + " OK do")
			if err := c.Wait(50 * time.Millisecond); err != nil {
				return err
			}
			c.Raw("ne\r\n")
			return nil
		}},
	})
	target.Fetch, target.Mailboxes, target.Quota = FetchNone, nil, false
	r := Run(t.Context(), target)
	if d := took(t, r, PhaseSelect); d < 50*time.Millisecond || d > 60*time.Millisecond {
		t.Errorf("select took %v, want 50ms", d)
	}
}

// roundTrips has those of each phase through a proxy that answers the TCP handshake itself. The greeting may be sent before
// the probe waits for it, so it has no number.
var roundTrips = map[TLSMode]map[Phase]int{
	TLSImplicit: {PhaseTLS: 1, PhaseCapability: 2, PhaseAuth: 1, PhaseSelect: 1, PhaseFetch: 2, PhaseUnselect: 1, PhaseStatus: 1, PhaseQuota: 1, PhaseLogout: 1},
	TLSStartTLS: {PhaseTLS: 1, PhaseCapability: 3, PhaseStartTLS: 1, PhaseAuth: 1, PhaseSelect: 1, PhaseFetch: 2, PhaseUnselect: 1, PhaseStatus: 1, PhaseQuota: 1, PhaseLogout: 1},
}

// TestRoundTripsToDovecot: with 20 ms added to each round trip, each phase takes 20 ms for each of its round trips longer.
// A busy machine may spoil one measurement; an error of ours would spoil all.
func TestRoundTripsToDovecot(t *testing.T) {
	const added, attempts = 20 * time.Millisecond, 3
	server := realtest.Dovecot(t)
	for mode, trips := range roundTrips {
		t.Run(string(mode), func(t *testing.T) {
			near := realTarget(server, mode)
			far := *near
			proxy, err := mailtest.NewProxy(near.Address, mailtest.ProxyOptions{RoundTrip: added})
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { _ = proxy.Close() })
			far.Address = proxy.Addr()
			for attempt := 1; ; attempt++ {
				wrong := compare(t, near, &far, trips, added)
				if len(wrong) == 0 {
					return
				}
				if attempt == attempts {
					t.Fatalf("%d times out of %d, at last: %s", attempt, attempts, strings.Join(wrong, "; "))
				}
				t.Logf("measured once more: %s", strings.Join(wrong, "; "))
			}
		})
	}
}

// compare measures near and far in turn, and returns what is off by more than 2 ms.
func compare(t *testing.T, near, far *Target, trips map[Phase]int, added time.Duration) (wrong []string) {
	t.Helper()
	const tolerance = 2 * time.Millisecond
	results := medians(t, rounds, near, far)
	own, got := results[0], results[1]
	for phase, n := range trips {
		want := time.Duration(n)*added + own[phase]
		t.Logf("%s: %v, of it %v its own", phase, got[phase], own[phase])
		if diff := (got[phase] - want).Abs(); diff > tolerance {
			wrong = append(wrong, fmt.Sprintf("%s took %v, want %d round trips and %v of its own", phase, got[phase], n, own[phase]))
		}
	}
	t.Logf("remainder: %v, without the delay %v", got[remainder], own[remainder])
	if got[remainder] > remainderLimit {
		wrong = append(wrong, fmt.Sprintf("the phases leave %v of the whole", got[remainder]))
	}
	return wrong
}

// TestNoFalseDelay: Cyrus and Courier answer FETCH in two segments, and send the second only after our acknowledgement of the
// first. If that were delayed, 40 ms would show in every probe. The fastest of several probes is compared, to which a busy
// machine adds little.
func TestNoFalseDelay(t *testing.T) {
	for _, server := range realtest.All(t) {
		t.Run(server.Name, func(t *testing.T) {
			for _, mode := range []TLSMode{TLSImplicit, TLSNone} {
				target := realTarget(server, mode)
				quickest := map[Phase]time.Duration{PhaseFetch: time.Hour, PhaseGreeting: time.Hour}
				for range rounds {
					r := succeed(t, target)
					for phase := range quickest {
						quickest[phase] = min(quickest[phase], took(t, r, phase))
					}
				}
				for phase, d := range quickest {
					t.Logf("%s: %s takes %v at the quickest", mode, phase, d)
					if d > 20*time.Millisecond {
						t.Errorf("%s: %s takes %v at the quickest", mode, phase, d)
					}
				}
			}
		})
	}
}

// remainder stands for the time of a probe that belongs to no phase.
const remainder Phase = "remainder"

// medians probes each target n times, in turn, and returns the median of each phase.
func medians(t *testing.T, n int, targets ...*Target) []map[Phase]time.Duration {
	t.Helper()
	all := make([]map[Phase][]time.Duration, len(targets))
	for range n {
		for i, target := range targets {
			r := succeed(t, target)
			left := r.Duration
			for _, p := range r.Phases {
				left -= p.Duration
			}
			if all[i] == nil {
				all[i] = map[Phase][]time.Duration{}
			}
			for _, p := range append(r.Phases, Timing{Phase: remainder, Duration: left}) {
				all[i][p.Phase] = append(all[i][p.Phase], p.Duration)
			}
		}
	}
	median := make([]map[Phase]time.Duration, len(targets))
	for i := range all {
		median[i] = map[Phase]time.Duration{}
		for phase, durations := range all[i] {
			slices.Sort(durations)
			median[i][phase] = durations[len(durations)/2]
		}
	}
	return median
}
