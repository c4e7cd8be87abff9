package schedule

import (
	"context"
	"time"
)

// A run is one run of a job, which takes room until it has ended.
type run struct {
	job      *job
	server   *server
	cancel   context.CancelFunc
	orphaned bool // the job was removed, or is another one by now: what comes out doesn't matter
	outcome  Outcome
	secret   string
}

// due deals with a job whose slot has come.
func (s *Schedule) due(j *job, now time.Time) {
	busy := j.slotWaits || j.run != nil && !j.run.orphaned
	var held *HeldBack
	if !busy && !j.checking && len(j.callers) == 0 {
		held = s.heldBack(j, now)
	}
	slot := j.next
	passed := j.advance(now)
	s.timeline.put(j)
	switch {
	case busy:
		s.tally.skip(Overload, passed+1)
	case j.checking:
		s.tally.skip(Backoff, passed+1)
	case held == nil:
		s.tally.skip(Overload, passed)
		j.slot, j.slotWaits = slot, true
		s.enqueue(j, now)
		return // NextRun is still this slot.
	case held.Reason == Backoff && j.Secret != nil:
		s.tally.skip(Backoff, passed)
		j.slot = slot
		s.check(j)
	default:
		s.tally.skip(held.Reason, passed+1)
	}
	s.changed(j)
}

// enqueue makes a job wait at its server.
func (s *Schedule) enqueue(j *job, now time.Time) {
	if j.run == nil { // Else the end of the orphaned run comes first.
		j.server.waiting.put(j)
		s.settle(j.server, now)
	}
}

// startReady starts the waiting jobs, those with the oldest last Result first, as far as the bounds allow.
func (s *Schedule) startReady(ctx context.Context, now time.Time) {
	for len(s.closed.items) > 0 && !s.closed.first().opens.After(now) {
		s.settle(s.closed.first(), now)
	}
	for len(s.ready.items) > 0 && s.InFlight() < s.opts.MaxConcurrent {
		s.start(ctx, s.ready.first().waiting.first(), now)
	}
}

// start runs a job in a goroutine of its own.
func (s *Schedule) start(ctx context.Context, j *job, now time.Time) {
	v := j.server
	ctx, cancel := context.WithCancel(ctx)
	r := &run{job: j, server: v, cancel: cancel}
	v.alone = nil
	if j.alone() {
		v.alone = r
	}
	j.run = r
	s.inFlight.Add(1)
	v.running++
	v.lastStart = now
	v.waiting.remove(j)
	s.settle(v, now)

	if j.slotWaits {
		j.slotWaits = false
		s.tally.start()
		s.opts.Observe.Started(j.Name, now.Sub(j.slot))
	} else if j.slot = now; j.Interval > 0 { // By Do.
		j.next = j.after(now, now)
		s.timeline.put(j)
	}
	s.changed(j)

	job := j.Job
	go func() {
		r.secret = job.fingerprint()
		r.outcome = job.Run(ctx)
		s.ended <- r
	}()
}

// end gives back the room that a run took, and draws the conclusions.
func (s *Schedule) end(r *run, now time.Time) {
	r.cancel()
	s.inFlight.Add(-1)
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
		if j.slotWaits || len(j.callers) > 0 {
			s.enqueue(j, now)
		}
	case !r.outcome.Canceled:
		s.judge(j, r.outcome, r.secret, now)
		s.changed(j)
		j.answer(answer{outcome: r.outcome})
	default:
		j.answer(answer{err: ErrCanceled})
	}
	s.settle(v, now)
	s.forget(v)
}

// answer tells the callers of Do how their run ended.
func (j *job) answer(a answer) {
	for _, caller := range j.callers {
		caller <- a
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
func (s *Schedule) changed(j *job) { s.opts.Observe.Changed(j.Name, s.state(j)) }
