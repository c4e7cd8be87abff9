package schedule

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"
)

// Do returns these errors, a *BlockedError, or the error of its context.
var (
	// ErrUnknown: there is no job of that name.
	ErrUnknown = errors.New("no such account")
	// ErrCanceled: the run was canceled or didn't start, because the job was changed or removed, or the schedule stops.
	ErrCanceled = errors.New("the probe was cut short: the exporter stops, or the account was changed or removed")
	// ErrNoRoom: the run could not start by Request.StartBy, because of the limits.
	ErrNoRoom = errors.New("too many probes are running or waiting")
)

// A BlockedError says why Do doesn't run a job now.
type BlockedError struct {
	// Until is when the job may run again, by the wall clock.
	Until time.Time
	// Reason is Backoff, Unavailable, Throttled or Cooldown.
	Reason Reason
}

// Error says why the job doesn't run, and until when.
func (e *BlockedError) Error() string {
	until := e.Until.Format(time.RFC3339)
	switch e.Reason {
	case Backoff:
		return fmt.Sprintf("the server rejected the last login: no other until %s, so that the account isn't locked; "+
			"correct the secret to end this", until)
	case Unavailable:
		return fmt.Sprintf("the server could not check the last login: no other until %s", until)
	case Throttled:
		return fmt.Sprintf("the server asked us to wait: no login until %s", until)
	default:
		return fmt.Sprintf("the server rejected a login just now: no other until %s, because it would be delayed", until)
	}
}

// A Request asks for a run that no slot asks for.
type Request struct {
	// Name is the job's name.
	Name string
	// Key says which requests for a job are the same: those with the same Key share a run. "" is the key of the slots.
	Key string
	// Run replaces the job's Run. Nil means the job's.
	Run func(context.Context) Outcome
	// NoLogin says that Run doesn't log in: it may run although the job is suspended.
	NoLogin bool
	// StartBy is the latest time for the start of the run. Zero means no limit.
	StartBy time.Time
	// EndedAfter is the earliest end of a run whose Outcome is reused; see Outcome.ReuseFor. Zero means that of any run.
	EndedAfter time.Time
	// IgnorePause says that the run doesn't wait for the end of a pause after a login that the server could not check.
	IgnorePause bool
	// UnconfiguredServer is the server of a Run that belongs to no job; otherwise it is "". Name is then ignored: requests
	// with the same Key and UnconfiguredServer share a run, and only the limits apply.
	UnconfiguredServer string
}

// jobName returns the name of the request's job. That of an unconfigured server's differs from every configured name.
func (r Request) jobName() string {
	if r.UnconfiguredServer == "" {
		return r.Name
	}
	return "unconfigured\x00" + r.Key + "\x00" + r.UnconfiguredServer
}

// A caller of Do waits for a run.
type caller struct {
	Request
	answer chan answer
}

// An answer is what a caller of Do gets.
type answer struct {
	outcome Outcome
	err     error
}

// Do runs a job now, or joins its run that waits or is under way, and returns the Outcome when the run has ended. It returns
// an earlier Outcome at once if that may still be reused. Within the time that ctx allows, it waits for the limits, and for
// the end of the server's cooldown. It returns a *BlockedError at once if the job is suspended, paused or throttled, or if
// StartBy is before the end of the cooldown. Do is not
// counted in Counts. After a run that does what the slots do, the next slot comes at least half an interval later; see
// also Outcome.OffSchedule.
func (s *Schedule) Do(ctx context.Context, r Request) (Outcome, error) {
	r.Name = r.jobName()
	s.recheckSecret(r.Name, r.Key)
	c := &caller{r, make(chan answer, 1)}
	var err error
	s.update(func(now time.Time) { err = s.addCaller(c, now) })
	if err != nil {
		return Outcome{}, err
	}
	var tooLate <-chan time.Time
	if !r.StartBy.IsZero() {
		timer := time.NewTimer(time.Until(r.StartBy))
		defer timer.Stop()
		tooLate = timer.C
	}
	for {
		select {
		case a := <-c.answer:
			return a.outcome, a.err
		case <-tooLate:
			s.update(func(now time.Time) {
				if !s.hasStarted(c) {
					err = ErrNoRoom
					s.removeCaller(c, now)
				}
			})
		case <-ctx.Done():
			err = ctx.Err()
			s.update(func(now time.Time) { s.removeCaller(c, now) })
		}
		if err != nil {
			return Outcome{}, err
		}
	}
}

// hasStarted reports whether the run that a caller waits for has started.
func (s *Schedule) hasStarted(c *caller) bool {
	j := s.jobs[c.Name]
	return j == nil || j.run != nil && !j.run.jobRemoved && j.run.key == c.Key
}

// addCaller makes a caller of Do wait for a run of a job, and the job wait to start, unless it runs.
func (s *Schedule) addCaller(c *caller, now time.Time) error {
	j := s.jobs[c.Name]
	if j == nil && c.UnconfiguredServer != "" && !s.stopping {
		j = s.addUnconfigured(c.Request)
	}
	switch {
	case s.stopping:
		return ErrCanceled
	case j == nil:
		return ErrUnknown
	case s.reuse(j, c, now):
		return nil
	case j.run == nil: // Otherwise it joins that run, or waits for its end.
		if err := s.callerBlocked(j, c, now); err != nil {
			s.removeUnconfigured(j)
			return err
		}
	}
	j.callers = append(j.callers, c)
	s.enqueue(j, now)
	return nil
}

// callerBlocked returns why a job that doesn't run must not run for a caller now, or nil.
func (s *Schedule) callerBlocked(j *job, c *caller, now time.Time) error {
	if !c.StartBy.IsZero() && now.Add(time.Until(c.StartBy)).Before(j.server.cooldownUntil) {
		return &BlockedError{Until: s.clock.wall(j.server.cooldownUntil), Reason: Cooldown}
	}
	if j.slotWaits || len(j.callers) > 0 { // It waits to start already.
		return nil
	}
	if blocked := s.blocked(j, c.Key, c.NoLogin, now); blocked != nil && (!c.IgnorePause || blocked.Reason != Unavailable) {
		blocked.Until = s.clock.wall(blocked.Until)
		return blocked
	}
	return nil
}

// removeCaller removes a caller that doesn't wait any longer. The job waits on only if a slot or another caller does.
func (s *Schedule) removeCaller(c *caller, now time.Time) {
	j := s.jobs[c.Name]
	if j == nil {
		return
	}
	before := j.nextKey()
	j.callers = slices.DeleteFunc(j.callers, func(other *caller) bool { return other == c })
	s.reconsider(j, before, now)
	s.removeUnconfigured(j)
}

// runKey says what a run of a job is for.
type runKey struct {
	key     string
	noLogin bool
}

// nextKey returns what a waiting job runs for next: the slot that waits, or else its first caller.
func (j *job) nextKey() runKey {
	if j.slotWaits || len(j.callers) == 0 {
		return runKey{}
	}
	return runKey{j.callers[0].Key, j.callers[0].NoLogin}
}

// reconsider decides whether a job waits on after the slot or a caller that waited was dropped. If the job's next run was for
// that one, nobody has checked yet whether that for the next caller is blocked.
func (s *Schedule) reconsider(j *job, before runKey, now time.Time) {
	switch {
	case j.run != nil || j.slotWaits:
	case len(j.callers) == 0:
		j.server.waiting.remove(j)
	case j.nextKey() != before:
		j.server.waiting.remove(j)
		s.resumeWaiting(j, now)
	}
	s.updateQueues(j.server, now)
}

// resumeWaiting lets the slot and the callers that waited for the end of a run wait to start, if they still may.
func (s *Schedule) resumeWaiting(j *job, now time.Time) {
	if j.slotWaits {
		if blocked := s.blocked(j, "", false, now); blocked != nil {
			s.skip(blocked.Reason, 1)
			j.slotWaits = false
			s.notifyChanged(j)
		}
	}
	waiting := j.callers
	j.callers = nil
	for _, c := range waiting {
		err := s.callerBlocked(j, c, now)
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

// answerCallers answers those callers whose requests have this key, and reports whether there were any.
func (j *job) answerCallers(key string, a answer) bool {
	before := len(j.callers)
	j.callers = slices.DeleteFunc(j.callers, func(c *caller) bool {
		if c.Key == key {
			c.answer <- a
		}
		return c.Key == key
	})
	return len(j.callers) < before
}

// answerAllCallers answers all callers.
func (j *job) answerAllCallers(a answer) {
	for _, c := range j.callers {
		c.answer <- a
	}
	j.callers = nil
}

// addUnconfigured adds a job for requests with an UnconfiguredServer. It exists as long as somebody waits for it.
func (s *Schedule) addUnconfigured(r Request) *job {
	v := s.serverNamed(r.UnconfiguredServer)
	v.jobs++
	j := &job{Job: Job{Name: r.Name, Server: v.name, Run: r.Run}, unconfigured: true, server: v}
	s.jobs[j.Name] = j
	return j
}

// removeUnconfigured removes such a job when nobody waits for it.
func (s *Schedule) removeUnconfigured(j *job) {
	if !j.unconfigured || j.run != nil || len(j.callers) > 0 || s.jobs[j.Name] != j {
		return
	}
	delete(s.jobs, j.Name)
	j.server.jobs--
	s.removeIfUnused(j.server)
}
