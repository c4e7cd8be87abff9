package schedule

import (
	"context"
	"slices"
	"time"
)

// A run is one run of a job, which takes room until it has ended.
type run struct {
	job      *job
	server   *server
	kind     string
	noLogin  bool
	began    time.Time
	ownTime  bool // it was asked for with a Run of the caller's: the slots go on until it is known whether that matters
	cancel   context.CancelFunc
	orphaned bool // the job was removed, or is another one by now: what comes out doesn't matter
	outcome  Outcome
	secret   string
}

// due deals with a job whose slot has come.
func (s *Schedule) due(j *job, now time.Time) {
	busy := j.slotWaits || j.run != nil && !j.run.orphaned && !j.run.ownTime
	var held *BlockedError
	if !busy && !j.checking && len(j.callers) == 0 {
		held = s.heldBack(j, false, now)
	}
	slot := j.next
	passed := j.advance(now)
	s.timeline.put(j)
	switch {
	case busy:
		s.skip(Overload, passed+1)
	case j.checking:
		s.skip(Backoff, passed+1)
	case held == nil:
		s.skip(Overload, passed)
		j.slot, j.slotWaits = slot, true
		s.enqueue(j, now)
		return // NextRun is still this slot.
	case held.Reason == Backoff && j.Secret != nil:
		s.skip(Backoff, passed)
		j.slot = slot
		s.check(j)
	default:
		s.skip(held.Reason, passed+1)
	}
	s.changed(j)
}

// enqueue makes a job wait at its server.
func (s *Schedule) enqueue(j *job, now time.Time) {
	if j.run == nil { // Else its end comes first.
		j.server.waiting.put(j)
		s.settle(j.server, now)
	}
}

// startReady starts the waiting jobs, those with the oldest last Result first, as far as the bounds allow.
func (s *Schedule) startReady(now time.Time) {
	for len(s.closed.items) > 0 && !s.closed.first().opens.After(now) {
		s.settle(s.closed.first(), now)
	}
	for len(s.ready.items) > 0 && s.inFlight < s.opts.MaxConcurrent {
		s.start(s.ready.first().waiting.first(), now)
	}
}

// start runs a job in a goroutine of its own.
func (s *Schedule) start(j *job, now time.Time) {
	v := j.server
	ctx, cancel := context.WithCancel(s.ctx)
	r := &run{job: j, server: v, cancel: cancel, began: now}
	do := j.chooseRun(r)
	v.alone = nil
	if j.alone() {
		v.alone = r
	}
	j.run = r
	s.inFlight++
	v.running++
	v.lastStart = now
	v.waiting.remove(j)
	s.settle(v, now)

	if j.slotWaits {
		j.slotWaits = false
		s.counts.Scheduled++
		s.counts.Started++
		s.opts.Observe.Started(j.Name, now.Sub(j.slot))
	} else if !r.ownTime {
		s.countAsSlot(j, r, now)
	}
	s.changed(j)

	job := j.Job
	s.runs.Go(func() {
		r.secret = job.fingerprint()
		r.outcome = do(ctx)
		s.update(func(now time.Time) { s.end(r, now) })
	})
}

// chooseRun returns what to run next: the waiting slot's own, or else what the first caller wants.
func (j *job) chooseRun(r *run) func(context.Context) Outcome {
	if j.slotWaits || len(j.callers) == 0 {
		return j.Run
	}
	first := j.callers[0]
	r.kind, r.noLogin, r.ownTime = first.Key, first.NoLogin, first.Run != nil
	if first.Run == nil {
		return j.Run
	}
	return first.Run
}

// countAsSlot has the next slot come half an interval after a run by Do at the earliest.
func (s *Schedule) countAsSlot(j *job, r *run, now time.Time) {
	j.slot = r.began
	if j.Interval > 0 {
		j.next = j.after(r.began, now)
		s.timeline.put(j)
	}
}

// end gives back the room that a run took, and draws the conclusions.
func (s *Schedule) end(r *run, now time.Time) {
	r.cancel()
	s.inFlight--
	v, j := r.server, r.job
	v.running--
	if v.alone == r {
		v.alone = nil
	}
	j.run = nil
	if s.leaving[j.Name] == r {
		delete(s.leaving, j.Name)
	}
	switch {
	case r.orphaned:
		v.note(r.outcome, now)
	case !r.outcome.Canceled:
		if r.ownTime && !r.outcome.OffSchedule && !j.slotWaits {
			s.countAsSlot(j, r, now)
		}
		s.judge(j, r, now)
		s.changed(j)
		j.answerKind(r.kind, answer{outcome: r.outcome})
	default:
		j.answerKind(r.kind, answer{err: ErrCanceled})
	}
	s.recall(j, now)
	s.settle(v, now)
	s.dismiss(j)
	s.forget(v)
}

// answerKind tells those callers of Do that asked for this kind of run how it ended.
func (j *job) answerKind(kind string, a answer) {
	j.callers = slices.DeleteFunc(j.callers, func(c *caller) bool {
		if c.Key == kind {
			c.answer <- a
		}
		return c.Key == kind
	})
}

// answer tells all callers of Do.
func (j *job) answer(a answer) {
	for _, c := range j.callers {
		c.answer <- a
	}
	j.callers = nil
}

// state returns what a job is up to.
func (s *Schedule) state(j *job) State {
	state := State{NextRun: j.next, Suspended: j.suspended(), NextLogin: j.login}
	switch {
	case j.slotWaits:
		state.NextRun = j.slot
	case j.Interval > 0:
		state.NextRun = later(j.next, j.login)
		if state.NextRun.Before(j.calm) {
			state.NextRun = j.own(j.calm)
		}
	}
	state.NextRun, state.NextLogin = s.clock.wall(state.NextRun), s.clock.wall(state.NextLogin)
	return state
}

// changed tells the observer.
func (s *Schedule) changed(j *job) {
	if !j.guest {
		s.opts.Observe.Changed(j.Name, s.state(j))
	}
}
