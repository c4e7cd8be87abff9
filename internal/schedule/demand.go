package schedule

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"
)

// What Do returns, beside a *HeldBack and the error of its context.
var (
	// ErrUnknown: there is no job of that name.
	ErrUnknown = errors.New("no such account")
	// ErrCanceled: the run was cut short or never started, because the job was changed or removed, or the schedule stops.
	ErrCanceled = errors.New("the probe was cut short: the exporter stops, or the account was changed or removed")
)

// HeldBack is why Do doesn't run a job now.
type HeldBack struct {
	// Until is when it may run again, by the wall clock.
	Until time.Time
	// Reason is Backoff, Throttled or Quiet.
	Reason Reason
}

// Error says why, and until when.
func (h *HeldBack) Error() string {
	until := h.Until.Format(time.RFC3339)
	switch h.Reason {
	case Backoff:
		return fmt.Sprintf("the server rejected the last login: no other until %s, so that the account isn't locked; "+
			"correct the secret to end this", until)
	case Throttled:
		return fmt.Sprintf("the server asked to be left alone: no login until %s", until)
	default:
		return fmt.Sprintf("the server rejected a login just now: no other until %s, because it would be delayed", until)
	}
}

// An answer is what a caller of Do gets.
type answer struct {
	outcome Outcome
	err     error
}

// Do runs a job now, or joins its run that is under way or waits for room, and returns the Outcome when that has ended. What bounds and guards the slots holds for it: it waits for room while ctx lasts, and returns a
// *HeldBack at once when logins are held back. It isn't a slot, so the Counts don't have it; the next slot comes half
// an interval later at the earliest.
func (s *Schedule) Do(ctx context.Context, name string) (Outcome, error) {
	s.lookAtSecret(name)
	caller := make(chan answer, 1)
	var err error
	s.own(func(now time.Time) { err = s.demand(name, caller, now) })
	if err != nil {
		return Outcome{}, err
	}
	select {
	case a := <-caller:
		return a.outcome, a.err
	case <-ctx.Done():
		s.own(func(now time.Time) { s.withdraw(name, caller, now) })
		return Outcome{}, ctx.Err()
	}
}

// lookAtSecret ends a suspension when the secret has changed. It reads it in the caller's goroutine, as it may block.
func (s *Schedule) lookAtSecret(name string) {
	var suspended *job
	var job Job
	s.own(func(time.Time) {
		if j := s.jobs[name]; j != nil && j.suspended() {
			suspended, job = j, j.Job
		}
	})
	if suspended == nil {
		return
	}
	secret := job.fingerprint()
	s.own(func(now time.Time) {
		if s.jobs[name] == suspended {
			s.noteSecret(suspended, secret, now)
			s.changed(suspended)
		}
	})
}

// demand has a caller of Do wait for a run of a job, which it makes wait for room if there is none yet.
func (s *Schedule) demand(name string, caller chan<- answer, now time.Time) error {
	j := s.jobs[name]
	switch {
	case s.stopping:
		return ErrCanceled
	case j == nil:
		return ErrUnknown
	case j.run != nil: // An orphaned one is followed by another.
	case now.Before(j.server.quietUntil):
		return &HeldBack{Until: s.clock.wall(j.server.quietUntil), Reason: Quiet}
	case !j.slotWaits && len(j.callers) == 0:
		if held := s.heldBack(j, now); held != nil {
			held.Until = s.clock.wall(held.Until)
			return held
		}
		s.enqueue(j, now)
	}
	j.callers = append(j.callers, caller)
	return nil
}

// withdraw takes back what demand did for a caller.
func (s *Schedule) withdraw(name string, caller chan<- answer, now time.Time) {
	j := s.jobs[name]
	if j == nil {
		return
	}
	j.callers = slices.DeleteFunc(j.callers, func(c chan<- answer) bool { return c == caller })
	if len(j.callers) == 0 && !j.slotWaits {
		j.server.waiting.remove(j)
		s.settle(j.server, now)
	}
}
