package probe

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"os"
	"time"

	"github.com/emersion/go-imap/v2/imapclient"

	"imap-exporter/internal/wire"
)

const (
	// budget is what a probe reads in bytes, apart from what FETCH may bring.
	budget = 1 << 20
	// logoutTime bounds LOGOUT, which is a courtesy.
	logoutTime = 2 * time.Second
	// farewellTime bounds the LOGOUT that is sent on a connection whose conversation was broken off.
	farewellTime = 100 * time.Millisecond
)

// Run probes t once and returns what it learnt. It never retries. When ctx ends, it is cut short with ReasonCanceled.
func Run(ctx context.Context, t *Target) *Result {
	s := &session{t: t, parent: ctx, result: &Result{
		Account: t.Account, Server: t.Server, Mode: t.TLSMode, Start: time.Now(),
	}}
	s.deadline = s.result.Start.Add(t.Timeout)
	s.converse(ctx)
	s.end()
	return s.result
}

// A session is a probe under way.
type session struct {
	t        *Target
	parent   context.Context
	deadline time.Time
	result   *Result

	secret    string
	secretErr error    // why there is none
	addresses []string // to connect to, in order
	tcp       net.Conn
	opened    time.Time // when tcp was begun to be opened
	socket    *wire.Socket
	stop      func() bool // stops watching parent
	tls       *tls.Conn
	gate      *wire.Gate
	client    *imapclient.Client
	lent      *wire.Conn // the client's end of gate
	ready     time.Time  // when the greeting was to be expected from

	caps    map[string]bool // of the latest CAPABILITY
	preauth bool
	mailbox *Mailbox // the selected one
	wanted  []wanted // whose counts are to be read
}

// steps are the parts of the conversation, in order, each in the phase that it belongs to.
var steps = []struct {
	phase Phase
	do    func(*session, context.Context) error
}{
	{PhaseResolve, (*session).resolve},
	{PhaseConnect, (*session).connect},
	{PhaseTLS, (*session).implicitTLS},
	{PhaseGreeting, (*session).greeting},
	{PhaseCapability, (*session).capabilityBeforeTLS},
	{PhaseStartTLS, (*session).startTLS},
	{PhaseTLS, (*session).upgrade},
	{PhaseCapability, (*session).capabilityBeforeAuth},
	{PhaseAuth, (*session).auth},
	{PhaseCapability, (*session).capabilityAfterAuth},
	{PhaseID, (*session).id},
	{PhaseSelect, (*session).selectMailbox},
	{PhaseFetch, (*session).fetch},
	{PhaseUnselect, (*session).unselect},
	{PhaseList, (*session).list},
	{PhaseStatus, (*session).status},
	{PhaseQuota, (*session).quota},
}

// converse goes through the steps up to the first failure.
func (s *session) converse(ctx context.Context) {
	ctx, cancel := context.WithDeadline(ctx, s.deadline)
	defer cancel()
	if s.guard(PhaseAuth, func() { s.readSecret(ctx) }); s.result.Err != nil {
		return
	}
	for _, step := range steps {
		var err error
		s.guard(step.phase, func() { err = step.do(s, ctx) })
		s.spend(step.phase, err == nil && s.result.Err == nil)
		if err != nil {
			s.result.Err = s.failure(step.phase, err)
		}
		if s.result.Err != nil || step.phase == PhaseAuth && s.t.Auth == AuthNone && !s.preauth {
			return
		}
	}
}

// guard makes a panic of ours a failure of this probe alone.
func (s *session) guard(phase Phase, do func()) {
	defer func() {
		if r := recover(); r != nil && s.result.Err == nil {
			s.result.Err = s.failure(phase, newPanicError(r))
		}
	}()
	do()
}

// end takes leave of the server and closes everything.
func (s *session) end() {
	s.guard(PhaseLogout, s.leave)
	s.guard(PhaseLogout, s.close)
}

func (s *session) leave() {
	if s.gate != nil && s.gate.Err() == nil {
		s.logout()
	}
	s.result.Duration = time.Since(s.result.Start)
	if s.gate != nil {
		s.stop()
		if s.brokenOff() {
			s.gate.Farewell(time.Now().Add(farewellTime))
		}
		for _, line := range s.gate.Transcript() {
			s.result.Transcript = append(s.result.Transcript, TranscriptLine(line))
		}
	}
}

// brokenOff reports whether a conversation was left in the middle, on a connection that may still live.
func (s *session) brokenOff() bool {
	err, failed := s.gate.Err(), s.result.Err
	return (errors.Is(err, os.ErrDeadlineExceeded) || errors.Is(err, wire.ErrCanceled)) &&
		failed != nil && failed.Phase != PhaseTLS && failed.Phase != PhaseGreeting
}

// logout says LOGOUT, and has the socket closed in good order.
func (s *session) logout() {
	s.socket.Shorten(time.Now().Add(logoutTime))
	_, err := s.gate.Do("LOGOUT")
	s.spend(PhaseLogout, err == nil)
	if s.tls != nil && err == nil {
		_ = s.tls.Close()
	}
}

func (s *session) close() {
	if s.stop != nil {
		s.stop()
	}
	if s.lent != nil {
		_ = s.lent.Close()
		_ = s.client.Close()
	}
	switch {
	case s.socket != nil:
		_ = s.socket.Close()
	case s.tcp != nil:
		_ = s.tcp.Close()
	}
}

// imap is go-imap's client on the conversation so far.
func (s *session) imap() *imapclient.Client {
	if s.client == nil {
		s.lent = s.gate.Conn()
		s.client = imapclient.New(s.lent, nil)
	}
	return s.client
}

// cause is what lies behind an error of go-imap's client, which flattens what the Gate tells it.
func (s *session) cause(err error) error {
	switch {
	case err == nil:
		return nil
	case s.gate.Err() != nil:
		return s.gate.Err()
	case s.lent.LastError() != nil:
		return s.lent.LastError()
	}
	return fmt.Errorf("%w: %w", wire.ErrProtocol, err)
}

// spend puts the time that commands took since the last call down to phase.
func (s *session) spend(phase Phase, ok bool) {
	if s.gate == nil {
		return
	}
	if spent := s.gate.Spent(); spent.Commands > 0 {
		s.timed(spent.Begin, Timing{Phase: phase, Duration: spent.Time, ReadDelay: spent.ReadDelay, OK: ok})
	}
}

// timed adds a timing that began then. A phase that runs again is the sum, and OK only if all of it was.
func (s *session) timed(begin time.Time, t Timing) {
	s.result.Spans = append(s.result.Spans, Span{
		Phase: t.Phase, Start: begin.Sub(s.result.Start), Duration: t.Duration, ReadDelay: t.ReadDelay, OK: t.OK,
	})
	for i := range s.result.Phases {
		if p := &s.result.Phases[i]; p.Phase == t.Phase {
			p.Duration += t.Duration
			p.ReadDelay += t.ReadDelay
			p.OK = p.OK && t.OK
			return
		}
	}
	s.result.Phases = append(s.result.Phases, t)
}

// note keeps a refusal that is no failure, for the log.
func (s *session) note(format string, args ...any) {
	const enough = 20
	if len(s.result.Notes) < enough {
		s.result.Notes = append(s.result.Notes, s.gate.Clean(fmt.Sprintf(format, args...)))
	}
}
