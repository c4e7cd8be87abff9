package probe

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"imap-exporter/internal/mailtest"
)

// TestPanicIsOneProbesFailure: a fault of ours, in whichever phase, ends the probe that met it, and no other. It tells where
// it is, but not what was at hand; the connection is closed.
func TestPanicIsOneProbesFailure(t *testing.T) {
	server, target := serve(t, mailtest.Options{})
	ordinary := steps
	defer func() { steps = ordinary }()
	for i := range ordinary {
		phase := ordinary[i].phase
		t.Run(string(phase), func(t *testing.T) {
			steps = append(steps[:0:0], ordinary...)
			steps[i].do = func(*session, context.Context) error { return faulty("canary-argument-secret") }
			checkPanicError(t, fail(t, target, phase, ReasonInternal))
			steps = ordinary
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
	fault, ok := errors.AsType[*PanicError](r.Err)
	if !ok {
		t.Fatalf("error %v", r.Err)
	}
	stack := strings.Join(fault.Stack, "\n")
	if !strings.HasPrefix(stack, "imap-exporter/probe.faulty panic_test.go:") || !strings.Contains(stack, "probe.Run probe.go:") || strings.Contains(stack, "secret") {
		t.Errorf("stack\n%s", stack)
	}
}

//go:noinline
func faulty(argument string) error {
	var nothing *string
	*nothing = argument
	return nil
}

// TestPanicAtTheEnd: even one in the leave-taking, and in the closing after that.
func TestPanicAtTheEnd(t *testing.T) {
	_, target := serve(t, mailtest.Options{})
	s := &session{t: target, parent: t.Context(), result: &Result{}, addresses: []string{target.Address}, deadline: time.Now().Add(time.Minute)}
	if err := s.connect(t.Context()); err != nil {
		t.Fatal(err)
	}
	socket := s.socket
	defer socket.Close()
	s.socket = nil // Which logout needs.
	s.end()
	if r := s.result; r.Err == nil || r.Err.Phase != PhaseLogout || r.Err.Reason != ReasonInternal {
		t.Errorf("error %v", r.Err)
	}
}
