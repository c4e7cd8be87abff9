package schedule

import (
	"slices"
	"time"
)

// A reusableOutcome is the Outcome of a run with callers, for requests with the same key that come soon after it.
type reusableOutcome struct {
	job     *job
	key     string
	outcome Outcome
	ended   time.Time
	until   time.Time
	index   int // in Schedule.reusable
}

// reuse answers a caller with an earlier Outcome, if it may be reused, and the caller's login isn't blocked.
func (s *Schedule) reuse(j *job, c *caller, now time.Time) bool {
	if j.suspension(c.Key) != nil || now.Before(j.pausedUntil(c.Key)) {
		return false
	}
	for _, o := range j.reusable {
		if o.key == c.Key && now.Before(o.until) && (c.EndedAfter.IsZero() || s.clock.wall(o.ended).After(c.EndedAfter)) {
			c.answer <- answer{outcome: o.outcome}
			return true
		}
	}
	return false
}

// keepReusable keeps the Outcome of a run for as long as it may be reused, in place of an earlier one with its key.
func (s *Schedule) keepReusable(j *job, r *run, now time.Time) {
	if i := slices.IndexFunc(j.reusable, func(o *reusableOutcome) bool { return o.key == r.key }); i >= 0 {
		s.dropReusable(j.reusable[i])
	}
	if r.outcome.ReuseFor <= 0 || j.unconfigured {
		return
	}
	o := &reusableOutcome{job: j, key: r.key, outcome: r.outcome, ended: now, until: now.Add(r.outcome.ReuseFor)}
	j.reusable = append(j.reusable, o)
	s.reusable.put(o)
}

// dropReusable drops one reusable Outcome.
func (s *Schedule) dropReusable(o *reusableOutcome) {
	o.job.reusable = slices.DeleteFunc(o.job.reusable, func(other *reusableOutcome) bool { return other == o })
	s.reusable.remove(o)
}

// dropAllReusable drops all reusable Outcomes of a job.
func (s *Schedule) dropAllReusable(j *job) {
	for len(j.reusable) > 0 {
		s.dropReusable(j.reusable[0])
	}
}

// dropExpired drops all Outcomes that may no longer be reused.
func (s *Schedule) dropExpired(now time.Time) {
	for len(s.reusable.items) > 0 && !now.Before(s.reusable.first().until) {
		s.dropReusable(s.reusable.first())
	}
}
