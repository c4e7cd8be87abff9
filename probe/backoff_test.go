package probe

import (
	"testing"
	"time"

	"imap-exporter/internal/mailtest"
)

func TestBackoff(t *testing.T) {
	for text, want := range map[string]time.Duration{
		"Request is throttled. Suggested Backoff Time: 299961 milliseconds": 299961 * time.Millisecond,
		"request is throttled. SUGGESTED backoff time: 1 milliseconds.":     time.Millisecond,
		"Suggested Backoff Time: 0 milliseconds":                            0,
		"Suggested Backoff Time: 999999999999 milliseconds":                 999999999999 * time.Millisecond,
		"Suggested Backoff Time: 9999999999999 milliseconds":                0,
		"Suggested Backoff Time: -5 milliseconds":                           0,
		"Suggested Backoff Time: 5 seconds":                                 0,
		"Request is throttled.":                                             0,
		"":                                                                  0,
	} {
		if got := backoff(text); got != want {
			t.Errorf("%q: %v, want %v", text, got, want)
		}
	}
}

// The Result has the pause that a throttling server suggests; with any other reason the text is not searched for one.
func TestErrorBackoff(t *testing.T) {
	for reply, want := range map[string]struct {
		reason  Reason
		backoff time.Duration
	}{
		"%s BAD Request is throttled. Suggested Backoff Time: 4000 milliseconds\r\n": {ReasonThrottled, 4 * time.Second},
		"%s NO [LIMIT] Slow down\r\n": {ReasonThrottled, 0},
		"%s NO [AUTHENTICATIONFAILED] Wrong. Suggested Backoff Time: 4000 milliseconds\r\n": {ReasonRejected, 0},
	} {
		_, target := serve(t, mailtest.Options{Handle: map[string]mailtest.Handler{"LOGIN": answer(reply)}})
		if r := fail(t, target, PhaseAuth, want.reason); r.Err.Backoff != want.backoff {
			t.Errorf("%q: %v, want %v", reply, r.Err.Backoff, want.backoff)
		}
	}
}
