package schedule

import (
	"context"
	"time"
)

// A run is one run of a job. It counts against the limits until it has ended.
type run struct {
	job    *job
	server *server
	runKey
	do         func(context.Context) Outcome
	callersRun bool // do is a Request's Run: whether it postpones the next slot is known only when it has ended
	started    time.Time
	cancel     context.CancelFunc
	jobRemoved bool // the job was removed or replaced: the outcome is ignored
	outcome    Outcome
	secret     string // fingerprint of what it logged in with
}

// handleSlots handles all slots up to now.
func (s *Schedule) handleSlots(now time.Time) {
	for len(s.slots.items) > 0 && !s.slots.first().nextSlot.After(now) {
		s.handleSlot(s.slots.first(), now)
	}
}

// handleSlot handles the slot of a job that has come, and those that were missed since.
func (s *Schedule) handleSlot(j *job, now time.Time) {
	busy := j.slotWaits || j.run != nil && !j.run.jobRemoved && !j.run.callersRun
	var blocked *BlockedError
	if !busy && !j.checkingSecret && len(j.callers) == 0 {
		blocked = s.blocked(j, "", false, now)
	}
	slot := j.nextSlot
	leftOut := j.advanceSlot(now)
	s.slots.put(j)
	switch {
	case busy:
		s.skip(Overload, leftOut+1)
	case j.checkingSecret:
		s.skip(Backoff, leftOut+1)
	case blocked == nil:
		s.skip(Overload, leftOut)
		j.slot, j.slotWaits = slot, true
		s.enqueue(j, now)
		return // The State is the same: NextRun is still this slot.
	case blocked.Reason == Backoff && j.Secret != nil:
		s.skip(Backoff, leftOut)
		j.slot = slot
		s.checkSecret(j)
	default:
		s.skip(blocked.Reason, leftOut+1)
	}
	s.notifyChanged(j)
}

// enqueue makes a job wait at its server, unless it runs; then endRun does that.
func (s *Schedule) enqueue(j *job, now time.Time) {
	if j.run == nil {
		j.server.waiting.put(j)
		s.updateQueues(j.server, now)
	}
}

// startReady starts waiting jobs in the order of startsBefore, as far as the limits allow.
func (s *Schedule) startReady(now time.Time) {
	for len(s.delayed.items) > 0 && !s.delayed.first().readyAt.After(now) {
		s.updateQueues(s.delayed.first(), now)
	}
	for len(s.ready.items) > 0 && s.inFlight < s.opts.MaxConcurrent {
		j := s.ready.first().waiting.first()
		if j.unconfigured && s.unconfiguredInFlight >= quarter(s.opts.MaxConcurrent) {
			return // Only unconfigured jobs are left.
		}
		s.startRun(j, now)
	}
}

// startRun starts the run of a job.
func (s *Schedule) startRun(j *job, now time.Time) {
	v := j.server
	r := j.newRun(now)
	v.exclusive = nil
	if j.runsExclusively() {
		v.exclusive = r
	}
	j.run = r
	s.countRunning(r, 1)
	v.lastStart = now
	v.waiting.remove(j)
	s.updateQueues(v, now)

	if j.slotWaits {
		j.slotWaits = false
		s.counts.Scheduled++
		s.counts.Started++
		s.opts.Observe.Started(j.Name, now.Sub(j.slot))
	} else if !r.callersRun {
		s.postponeSlot(j, r, now)
	}
	s.notifyChanged(j)
	s.execute(r)
}

// countRunning adds n to the numbers of runs under way.
func (s *Schedule) countRunning(r *run, n int) {
	s.inFlight += n
	r.server.running += n
	if r.job.unconfigured {
		s.unconfiguredInFlight += n
		r.server.unconfigured += n
	}
}

// newRun returns the next run of a waiting job.
func (j *job) newRun(now time.Time) *run {
	r := &run{job: j, server: j.server, runKey: j.nextKey(), do: j.Run, started: now}
	if !j.slotWaits && len(j.callers) > 0 && j.callers[0].Run != nil {
		r.do, r.callersRun = j.callers[0].Run, true
	}
	return r
}

// endRun applies the outcome of a run that has ended, and tells its callers.
func (s *Schedule) endRun(r *run, now time.Time) {
	r.cancel()
	s.countRunning(r, -1)
	v, j := r.server, r.job
	if v.exclusive == r {
		v.exclusive = nil
	}
	j.run = nil
	if s.removedRuns[j.Name] == r {
		delete(s.removedRuns, j.Name)
	}
	switch {
	case r.jobRemoved:
		v.noteRejection(r.outcome, now)
	case !r.outcome.Canceled:
		if r.callersRun && !r.outcome.OffSchedule && !j.slotWaits {
			s.postponeSlot(j, r, now)
		}
		s.applyOutcome(j, r, now)
		s.notifyChanged(j)
		if j.answerCallers(r.key, answer{outcome: r.outcome}) {
			s.keepReusable(j, r, now)
		}
	default:
		j.answerCallers(r.key, answer{err: ErrCanceled})
	}
	s.resumeWaiting(j, now)
	s.updateQueues(v, now)
	s.removeUnconfigured(j)
	s.removeIfUnused(v)
}

// applyOutcome changes the job's slots and suspension after a run.
func (s *Schedule) applyOutcome(j *job, r *run, now time.Time) {
	o := r.outcome
	wasRetrying := j.retrying(now)
	if !o.OffSchedule {
		j.lastResult, j.failing = now, !o.OK
	}
	j.server.noteRejection(o, now)
	if o.Throttled {
		j.throttledUntil = now.Add(throttledFor(o.Backoff))
	}
	if !r.noLogin {
		s.applyLogin(j, r, now)
	}
	switch retrying := j.retrying(now); {
	case retrying && !wasRetrying:
		s.setNextSlot(j, earlier(j.nextSlot, j.retrySlot(now)))
	case wasRetrying && !retrying:
		s.realignSlots(j, now)
	}
}

// stateOf returns the state of a job.
func (s *Schedule) stateOf(j *job) State {
	state := State{NextRun: j.nextSlot}
	if l := j.suspension(""); l != nil {
		state.Suspended, state.NextLogin = true, l.next
	}
	switch {
	case j.slotWaits:
		state.NextRun = j.slot
	case j.Interval > 0:
		state.NextRun = later(j.nextSlot, state.NextLogin)
		if until := j.pausedUntil(""); state.NextRun.Before(until) {
			state.NextRun = j.regularSlot(until)
		}
	}
	state.NextRun, state.NextLogin = s.clock.wall(state.NextRun), s.clock.wall(state.NextLogin)
	return state
}

// notifyChanged tells the observer the state of a job.
func (s *Schedule) notifyChanged(j *job) {
	if !j.unconfigured {
		s.opts.Observe.Changed(j.Name, s.stateOf(j))
	}
}
