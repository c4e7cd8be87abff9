package probe

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"imap-exporter/internal/mailtest"
	"imap-exporter/internal/realtest"
)

// ending is how long after its timeout a probe may end on a busy machine.
const ending = 500 * time.Millisecond

// through returns target behind a proxy.
func through(t *testing.T, target *Target, o mailtest.ProxyOptions) *Target {
	t.Helper()
	proxy, err := mailtest.NewProxy(target.Address, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = proxy.Close() })
	far := *target
	far.Address = proxy.Addr()
	return &far
}

// TestCutAnywhere: after whichever byte a conversation with Dovecot or the scripted server is cut, the probe fails because of
// it, in a phase that is later the more was sent. If only LOGOUT's answer is missing, it succeeds.
func TestCutAnywhere(t *testing.T) {
	t.Parallel()
	_, scripted := serve(t, mailtest.Options{})
	scripted.Account = "scripted"
	dovecot := realTarget(realtest.Dovecot(t), TLSImplicit)
	dovecot.Account = "Dovecot"
	for _, target := range []*Target{scripted, dovecot} {
		target.Timeout = 5 * time.Second
		for _, end := range []mailtest.End{mailtest.EndClose, mailtest.EndReset} {
			t.Run(fmt.Sprint(target.Account, " ", end), func(t *testing.T) {
				t.Parallel()
				cutAnywhere(t, target, end)
			})
		}
	}
}

func cutAnywhere(t *testing.T, target *Target, end mailtest.End) {
	order := phases(succeed(t, target))
	reached, succeeded, seen := 0, false, map[Phase]int{}
	for after := int64(0); !succeeded; after += 43 {
		r := Run(t.Context(), through(t, target, mailtest.ProxyOptions{End: end, After: after}))
		if succeeded = r.OK(); succeeded {
			break
		}
		if r.Err.Reason != ReasonReset {
			logTranscript(t, r)
			t.Fatalf("cut after %d bytes: %v", after, r.Err)
		}
		seen[r.Err.Phase]++
		at := slices.Index(order, r.Err.Phase)
		// CAPABILITY is asked before the login and after it.
		if at < reached && r.Err.Phase != PhaseCapability {
			t.Errorf("cut after %d bytes in %s, before that in %s", after, r.Err.Phase, order[reached])
		}
		reached = max(at, reached)
		if after > 1<<20 {
			t.Fatal("it never succeeds")
		}
	}
	for _, phase := range []Phase{PhaseTLS, PhaseCapability, PhaseAuth, PhaseSelect, PhaseFetch, PhaseStatus, PhaseQuota} {
		if seen[phase] == 0 {
			t.Errorf("never cut in %s: %v", phase, seen)
		}
	}
}

// TestSilenceAnywhere: when a connection falls silent, the probe times out, in the right phase and on time.
func TestSilenceAnywhere(t *testing.T) {
	server, target := serve(t, mailtest.Options{})
	succeed(t, target)
	all := server.Conversations()[0].BytesOut
	target.Timeout = time.Second
	for after := int64(0); after < all*9/10; after += 400 { // The last bytes are LOGOUT's answer.
		t.Run(fmt.Sprint(after), func(t *testing.T) {
			t.Parallel()
			begin := time.Now()
			r := Run(t.Context(), through(t, target, mailtest.ProxyOptions{End: mailtest.EndSilence, After: after}))
			if d := time.Since(begin); d > target.Timeout+ending {
				t.Errorf("ended after %v", d)
			}
			if r.Err == nil || r.Err.Reason != ReasonTimeout {
				t.Errorf("got %v", r.Err)
			}
		})
	}
}

// TestPiecesAndJitter: it makes no difference in which pieces and how unevenly the bytes of real servers arrive.
func TestPiecesAndJitter(t *testing.T) {
	t.Parallel()
	for _, server := range realtest.All(t) {
		for _, mode := range []TLSMode{TLSImplicit, TLSStartTLS, TLSNone} {
			t.Run(server.Name+" "+string(mode), func(t *testing.T) {
				t.Parallel()
				target := realTarget(server, mode)
				succeed(t, through(t, target, mailtest.ProxyOptions{Piece: 1}))
				succeed(t, through(t, target, mailtest.ProxyOptions{RoundTrip: 4 * time.Millisecond, Jitter: 10 * time.Millisecond, Piece: 7}))
			})
		}
	}
}
