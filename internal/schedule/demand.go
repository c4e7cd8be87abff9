package schedule

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"
)

// What Do returns, beside a *BlockedError and the error of its context.
var (
	// ErrUnknown: there is no job of that name.
	ErrUnknown = errors.New("no such account")
	// ErrCanceled: the run was cut short or never started, because the job was changed or removed, or the schedule stops.
	ErrCanceled = errors.New("the probe was cut short: the exporter stops, or the account was changed or removed")
	// ErrNoRoom: the run could not start by Request.StartBy, because others took all the room.
	ErrNoRoom = errors.New("too many probes are running or waiting")
)

// BlockedError is why Do doesn't run a job now.
type BlockedError struct {
	// Until is when it may run again, by the wall clock.
	Until time.Time
	// Reason is Backoff, Throttled or Cooldown.
	Reason Reason
}

// Error says why, and until when.
func (e *BlockedError) Error() string {
	until := e.Until.Format(time.RFC3339)
	switch e.Reason {
	case Backoff:
		return fmt.Sprintf("the server rejected the last login: no other until %s, so that the account isn't locked; "+
			"correct the secret to end this", until)
	case Throttled:
		return fmt.Sprintf("the server asked to be left alone: no login until %s", until)
	default:
		return fmt.Sprintf("the server rejected a login just now: no other until %s, because it would be delayed", until)
	}
}

// A Request is a run that is asked for beside the slots.
type Request struct {
	// Name is the job's.
	Name string
	// Key tells the runs of a job apart: who asks for the same Key shares a run. The slots' is "".
	Key string
	// Run is run in place of the job's own; nil is that.
	Run func(context.Context) Outcome
	// NoLogin says that Run doesn't log in, so that rejected logins don't hold it back.
	NoLogin bool
	// StartBy is when the run must have started, or it is not wanted; zero: whenever it can.
	StartBy time.Time
	// UnconfiguredServer, where it isn't "", is the server of a Run that belongs to no job. Name is then of no account: only Key
	// and UnconfiguredServer tell which runs are the same, and only the bounds hold for it.
	UnconfiguredServer string
}

// An answer is what a caller of Do gets.
type answer struct {
	outcome Outcome
	err     error
}

// A caller waits for a run.
type caller struct {
	Request
	answer chan answer
}

// Do runs a job now, or joins its run that is under way or waits for room, and returns the Outcome when that has ended.
// What bounds and guards the slots holds for it: it waits for room, and for the end of the quiet after a rejected login,
// while ctx lasts. It returns a *BlockedError at once when logins are held back, or StartBy comes before the end of the
// quiet. It isn't a slot, so the Counts don't have it. After a run that does what the slots do, the next slot comes
// half an interval later at the earliest; see also Outcome.OffSchedule.
func (s *Schedule) Do(ctx context.Context, d Request) (Outcome, error) {
	d.Name = d.jobName()
	s.lookAtSecret(d.Name)
	c := &caller{d, make(chan answer, 1)}
	var err error
	s.update(func(now time.Time) { err = s.demand(c, now) })
	if err != nil {
		return Outcome{}, err
	}
	var late <-chan time.Time
	if !d.StartBy.IsZero() {
		timer := time.NewTimer(time.Until(d.StartBy))
		defer timer.Stop()
		late = timer.C
	}
	for {
		select {
		case a := <-c.answer:
			return a.outcome, a.err
		case <-late:
			s.update(func(now time.Time) {
				if !s.started(c) {
					err = ErrNoRoom
					s.withdraw(c, now)
				}
			})
		case <-ctx.Done():
			err = ctx.Err()
			s.update(func(now time.Time) { s.withdraw(c, now) })
		}
		if err != nil {
			return Outcome{}, err
		}
	}
}

// started reports whether the run that a caller waits for has started.
func (s *Schedule) started(c *caller) bool {
	j := s.jobs[c.Name]
	return j == nil || j.run != nil && !j.run.orphaned && j.run.kind == c.Key
}

// lookAtSecret ends a suspension when the secret has changed. It reads it in the caller's goroutine, as it may block.
func (s *Schedule) lookAtSecret(name string) {
	var suspended *job
	var job Job
	s.update(func(time.Time) {
		if j := s.jobs[name]; j != nil && j.suspended() {
			suspended, job = j, j.Job
		}
	})
	if suspended == nil {
		return
	}
	secret := job.fingerprint()
	s.update(func(now time.Time) {
		if s.jobs[name] == suspended {
			s.noteSecret(suspended, secret, now)
			s.changed(suspended)
		}
	})
}

// demand has a caller of Do wait for a run of a job, which it makes wait for room if there is none yet.
func (s *Schedule) demand(c *caller, now time.Time) error {
	j := s.jobs[c.Name]
	if j == nil && c.UnconfiguredServer != "" && !s.stopping {
		j = s.invite(c.Request)
	}
	switch {
	case s.stopping:
		return ErrCanceled
	case j == nil:
		return ErrUnknown
	case j.run != nil: // An orphaned one, or one of another kind, is followed by another.
	default:
		if err := s.refusal(j, c, now); err != nil {
			s.dismiss(j)
			return err
		}
	}
	j.callers = append(j.callers, c)
	s.enqueue(j, now)
	return nil
}

// refusal returns why an idle or waiting job isn't run for a caller now, or nil.
func (s *Schedule) refusal(j *job, c *caller, now time.Time) error {
	if !c.StartBy.IsZero() && now.Add(time.Until(c.StartBy)).Before(j.server.quietUntil) {
		return &BlockedError{Until: s.clock.wall(j.server.quietUntil), Reason: Cooldown}
	}
	if j.slotWaits || len(j.callers) > 0 {
		return nil
	}
	if held := s.heldBack(j, c.NoLogin, now); held != nil {
		held.Until = s.clock.wall(held.Until)
		return held
	}
	return nil
}

// withdraw takes back what demand did for a caller.
func (s *Schedule) withdraw(c *caller, now time.Time) {
	j := s.jobs[c.Name]
	if j == nil {
		return
	}
	j.callers = slices.DeleteFunc(j.callers, func(other *caller) bool { return other == c })
	if len(j.callers) == 0 && !j.slotWaits {
		j.server.waiting.remove(j)
	}
	s.settle(j.server, now) // Who waits now may be another.
	s.dismiss(j)
}

// recall deals with what waited for the end of a run of another kind: a slot, and callers.
func (s *Schedule) recall(j *job, now time.Time) {
	if j.slotWaits {
		if held := s.heldBack(j, false, now); held != nil {
			s.skip(held.Reason, 1)
			j.slotWaits = false
			s.changed(j)
		}
	}
	waiting := j.callers
	j.callers = nil
	for _, c := range waiting {
		err := s.refusal(j, c, now)
		if s.stopping {
			err = ErrCanceled
		}
		if err != nil {
			c.answer <- answer{err: err}
			continue
		}
		j.callers = append(j.callers, c)
	}
	if j.slotWaits || len(j.callers) > 0 {
		s.enqueue(j, now)
	}
}

// jobName is the name under which the schedule has the job. No job's own name is like a guest's.
func (d Request) jobName() string {
	if d.UnconfiguredServer == "" {
		return d.Name
	}
	return "guest\x00" + d.Key + "\x00" + d.UnconfiguredServer
}

// invite makes a job for a guest, which lasts as long as there are callers.
func (s *Schedule) invite(d Request) *job {
	j := &job{Job: Job{Name: d.Name, Server: d.UnconfiguredServer, Run: d.Run}, guest: true, server: s.serverOf(d.UnconfiguredServer)}
	j.server.jobs++
	s.jobs[j.Name] = j
	return j
}

// dismiss removes a guest that nobody waits for.
func (s *Schedule) dismiss(j *job) {
	if !j.guest || j.run != nil || len(j.callers) > 0 || s.jobs[j.Name] != j {
		return
	}
	delete(s.jobs, j.Name)
	j.server.jobs--
	s.forget(j.server)
}
