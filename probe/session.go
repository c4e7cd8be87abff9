package probe

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"os"
	"time"

	"imap-exporter/internal/text"
	"imap-exporter/internal/wire"
)

const (
	// budget is what a probe reads in bytes, apart from what FETCH may bring.
	budget = 1 << 20
	// logoutTime bounds each step at the end, such as LOGOUT.
	logoutTime = 2 * time.Second
	// abortTime bounds the LOGOUT that is sent when a conversation was interrupted or timed out.
	abortTime = 100 * time.Millisecond
)

// Run probes t once and returns what it learnt. It never retries. When ctx ends, it is cut short with ReasonCanceled.
func Run(ctx context.Context, t *Target) *Result {
	s := newSession(ctx, t)
	steps := s.Result.Protocol.Steps(s)
	ctx, cancel := context.WithDeadline(ctx, s.deadline)
	defer cancel()
	s.run(ctx, steps)
	s.end(ctx, steps)
	return s.Result
}

// A Session is a probe under way, as the steps of its Protocol see it.
type Session struct {
	Target *Target
	// Result is what the probe has learnt so far.
	Result *Result
	// Conn is the conversation, once Connect has succeeded.
	Conn *wire.Conn

	parent   context.Context
	deadline time.Time

	secret    string
	secretErr error    // why there is none
	addresses []string // to connect to, in order
	tcp       net.Conn
	opened    time.Time // when the opening of tcp began
	socket    *wire.Socket
	stop      func() bool // stops watching parent
	tls       *tls.Conn
	ready     time.Time // when the connection was ready: TCP, or TLS above it
	remark    string    // see Remark
	atEnd     func()    // see AtEnd
}

func newSession(ctx context.Context, t *Target) *Session {
	now := time.Now()
	return &Session{Target: t, parent: ctx, deadline: now.Add(t.Timeout), Result: &Result{
		Account: t.Account, Server: t.Server, Protocol: OrIMAP(t.Protocol), Mode: t.TLSMode, Start: now,
	}}
}

// run runs the steps up to the first failure.
func (s *Session) run(ctx context.Context, steps []Step) {
	if s.guard(PhaseAuth, func() { s.readSecret(ctx) }); s.Result.Err != nil {
		return
	}
	for _, step := range steps {
		if step.AtEnd {
			continue
		}
		var err error
		s.guard(step.Phase, func() { err = step.Run(ctx) })
		done := errors.Is(err, ErrDone)
		if done {
			err = nil
		}
		s.countCommands(step.Phase, err == nil && s.Result.Err == nil)
		if err != nil {
			s.Result.Err = s.newError(step.Phase, err)
		}
		if done || s.Result.Err != nil {
			return
		}
	}
}

// guard makes a panic in do a failure of this probe alone.
func (s *Session) guard(phase Phase, do func()) {
	defer func() {
		if r := recover(); r != nil && s.Result.Err == nil {
			s.Result.Err = s.newError(phase, newPanicError(r))
		}
	}()
	do()
}

// end runs the steps for the end, and closes everything.
func (s *Session) end(ctx context.Context, steps []Step) {
	for _, step := range steps {
		if step.AtEnd && s.Conn != nil && s.Conn.Err() == nil {
			s.guard(step.Phase, func() { s.runAtEnd(ctx, step) })
		}
	}
	s.Result.Duration = time.Since(s.Result.Start)
	s.guard(PhaseLogout, s.close)
}

// runAtEnd runs a step for the end. If it succeeds, TLS is closed with a close_notify alert.
func (s *Session) runAtEnd(ctx context.Context, step Step) {
	s.socket.Shorten(time.Now().Add(logoutTime))
	err := step.Run(ctx)
	s.countCommands(step.Phase, err == nil)
	if s.tls != nil && err == nil {
		_ = s.tls.Close()
	}
}

func (s *Session) close() {
	if s.stop != nil {
		s.stop()
	}
	if s.Conn != nil {
		if logoutLine := s.Result.Protocol.LogoutLine; logoutLine != nil && s.brokenOff() {
			s.Conn.Abort(logoutLine(), time.Now().Add(abortTime))
		}
		for _, line := range s.Conn.Transcript() {
			s.Result.Transcript = append(s.Result.Transcript, TranscriptLine(line))
		}
	}
	if s.atEnd != nil {
		s.atEnd()
	}
	switch {
	case s.socket != nil:
		_ = s.socket.Close()
	case s.tcp != nil:
		_ = s.tcp.Close()
	}
}

// brokenOff reports whether a conversation was interrupted or timed out, on a connection that may still work.
func (s *Session) brokenOff() bool {
	err, failed := s.Conn.Err(), s.Result.Err
	return (errors.Is(err, os.ErrDeadlineExceeded) || errors.Is(err, wire.ErrCanceled)) &&
		failed != nil && failed.Phase != PhaseTLS && failed.Phase != PhaseGreeting
}

// readSecret reads the secret before anything is sent: a server may know it from the probe before, and repeat it in its
// greeting. If it can't be read, the probe fails only when it is needed.
func (s *Session) readSecret(ctx context.Context) {
	if s.Target.Secret != nil {
		s.secret, s.secretErr = s.Target.Secret(ctx)
	}
}

// countCommands adds the time that commands took since the last call to phase.
func (s *Session) countCommands(phase Phase, ok bool) {
	if s.Conn == nil {
		return
	}
	if spent := s.Conn.Spent(); spent.Commands > 0 {
		s.addTiming(spent.Begin, Timing{Phase: phase, Duration: spent.Time, ReadDelay: spent.ReadDelay, OK: ok})
	}
}

// addTiming adds a timing that began then. A phase that runs again is the sum, and OK only if all of it was.
func (s *Session) addTiming(begin time.Time, t Timing) {
	s.Result.Spans = append(s.Result.Spans, Span{
		Phase: t.Phase, Start: begin.Sub(s.Result.Start), Duration: t.Duration, ReadDelay: t.ReadDelay, OK: t.OK,
	})
	for i := range s.Result.Phases {
		if p := &s.Result.Phases[i]; p.Phase == t.Phase {
			p.Duration += t.Duration
			p.ReadDelay += t.ReadDelay
			p.OK = p.OK && t.OK
			return
		}
	}
	s.Result.Phases = append(s.Result.Phases, t)
}

// Ready is when the connection was ready for the greeting: TCP, or TLS above it.
func (s *Session) Ready() time.Time { return s.ready }

// Notef adds to the Result's Notes.
func (s *Session) Notef(format string, args ...any) {
	const maxNotes = 20
	if len(s.Result.Notes) < maxNotes {
		s.Result.Notes = append(s.Result.Notes, s.Conn.Clean(fmt.Sprintf(format, args...)))
	}
}

// LabelValue converts a name from a server to a label value, see [text.LabelValue], without secrets.
func (s *Session) LabelValue(name string) string {
	return text.LabelValue(s.Conn.Redact(name), MaxNameRunes)
}

// Remark stores an unsolicited text of the server that may explain a failure: it is added to the Error's text.
func (s *Session) Remark(remark string) { s.remark = remark }

// AtEnd sets a function to call when the conversation is over, before the connection is closed.
func (s *Session) AtEnd(f func()) { s.atEnd = f }
