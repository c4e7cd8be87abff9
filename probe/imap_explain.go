package probe

import (
	"context"
	"errors"
	"fmt"

	"imap-exporter/internal/imap"
)

// explained makes a step whose errors have the reason that the server's answer names, and say what it had said before.
func (s *imapSession) explained(step Step) Step {
	run := step.Run
	step.Run = func(ctx context.Context) error {
		err := run(ctx)
		if err == nil || s.conn == nil {
			return err
		}
		if alert := s.conn.Alert(); alert != nil {
			s.Remark(alert.Error())
		}
		return s.explain(step.Phase, err)
	}
	return step
}

// explain gives err the reason that the server's answer names.
func (s *imapSession) explain(phase Phase, err error) error {
	if _, explained := errors.AsType[*reasonError](err); explained {
		return err
	}
	refusal := s.conn.Refusal()
	if phase != PhaseAuth {
		refusal = nil // Elsewhere an untagged NO is a warning.
	}
	status, answered := errors.AsType[*imap.StatusError](err)
	if !answered {
		return s.explainSilence(refusal, err)
	}
	r, certain := s.statusReason(phase, status)
	if refusal != nil && !certain {
		if named, ok := s.statusReason(phase, refusal); ok {
			r = named
		}
	}
	if r == ReasonToken && phase == PhaseAuth && s.bearer != nil {
		err = s.bearer.describe(err)
	}
	e := &reasonError{reason: r, error: err}
	if r == ReasonRejected && s.authMethod == AuthSCRAMSHA256 && !refusesAccount(status.Text) {
		e.hint = s.scramHint()
	}
	return e
}

// explainSilence explains a login that was refused by an untagged NO, and never by a tagged one, as Stalwart does.
func (s *imapSession) explainSilence(refusal *imap.StatusError, err error) error {
	if lost := reason(PhaseAuth, err); refusal == nil || lost != ReasonTimeout && lost != ReasonReset {
		return err
	}
	r, certain := s.statusReason(PhaseAuth, refusal)
	if !certain {
		return err
	}
	s.Remark("")
	return &reasonError{reason: r, error: fmt.Errorf("%w, untagged; the tagged answer never came", refusal)}
}

// statusReason is [statusReason], but for what a refused bearer token means.
func (s *imapSession) statusReason(phase Phase, e *imap.StatusError) (r Reason, certain bool) {
	r, certain = statusReason(phase, e)
	switch {
	case s.bearer == nil:
	case phase == PhaseAuth:
		r = s.bearer.reason(r, e)
	case r == ReasonRejected && e.Code != "AUTHORIZATIONFAILED":
		r = ReasonToken // It was accepted, and has expired since.
	}
	return r, certain
}

// scramHint says what else than a wrong password makes a server refuse SCRAM: it can't use passwords that are stored in
// another form, as after a migration.
func (s *imapSession) scramHint() string {
	hint := "SCRAM-SHA-256 was refused; if the password is right, the server may keep none for SCRAM"
	switch {
	case s.capabilities["AUTH=PLAIN"]:
		hint += ": try auth: plain"
	case !s.disabled(AuthLogin):
		hint += ": try auth: login"
	}
	return hint
}
