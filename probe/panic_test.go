package probe

import (
	"context"
	"errors"
	"strings"
	"testing"

	"imap-exporter/internal/mailtest"
)

// TestPanicIsOneProbesFailure: a panic in any step ends its own probe and no other. The error says where it happened, but not
// with which values; the connection is closed.
func TestPanicIsOneProbesFailure(t *testing.T) {
	server, target := serve(t, mailtest.Options{})
	for i, step := range imapSteps(newSession(t.Context(), target)) {
		if step.AtEnd {
			continue // TestPanicAtTheEnd
		}
		t.Run(string(step.Phase), func(t *testing.T) {
			protocol := *IMAP
			protocol.Steps = func(s *Session) []Step {
				steps := imapSteps(s)
				steps[i].Run = func(context.Context) error { return panicking("canary-argument-secret") }
				return steps
			}
			broken := *target
			broken.Protocol = &protocol
			checkPanicError(t, fail(t, &broken, step.Phase, ReasonInternal))
			succeed(t, target)
		})
	}
	for _, v := range server.Conversations() {
		if len(v.Commands) > 0 && !v.LoggedOut() {
			t.Errorf("no LOGOUT in %v", v.Verbs())
		}
	}
}

func checkPanicError(t *testing.T, r *Result) {
	t.Helper()
	panicked, ok := errors.AsType[*PanicError](r.Err)
	if !ok {
		t.Fatalf("error %v", r.Err)
	}
	stack := strings.Join(panicked.Stack, "\n")
	if !strings.HasPrefix(stack, "imap-exporter/probe.panicking panic_test.go:") || !strings.Contains(stack, "probe.Run session.go:") || strings.Contains(stack, "secret") {
		t.Errorf("stack\n%s", stack)
	}
}

//go:noinline
func panicking(argument string) error {
	var nothing *string
	*nothing = argument
	return nil
}

// TestPanicAtTheEnd: a panic in LOGOUT, and in closing after that, is a failure of that probe, too.
func TestPanicAtTheEnd(t *testing.T) {
	_, target := serve(t, mailtest.Options{})
	s := newSession(t.Context(), target)
	s.addresses = []string{target.Address}
	if err := s.Connect(t.Context()); err != nil {
		t.Fatal(err)
	}
	socket := s.socket
	defer socket.Close()
	s.socket = nil // runAtEnd needs it.
	s.end(t.Context(), imapSteps(s))
	if r := s.Result; r.Err == nil || r.Err.Phase != PhaseLogout || r.Err.Reason != ReasonInternal {
		t.Errorf("error %v", r.Err)
	}
}
