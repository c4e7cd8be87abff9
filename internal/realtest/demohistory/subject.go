package demohistory

import (
	"math"
	"math/rand/v2"
	"slices"
	"time"

	"imap-exporter/internal/schedule"
	"imap-exporter/probe"
)

// A subject is an account of the demo, with what a real probe found there.
type subject struct {
	found    *probe.Result
	interval time.Duration
	offset   time.Duration // less than interval; no two accounts are probed at once
	end      time.Time     // of the past
	rand     *rand.Rand
	// next is when the next probe is due, and number how many came before.
	next   time.Time
	number int
	// quiet is why the schedule skips slots, and for how many more.
	quiet      schedule.Reason
	quietSlots int
}

// skip returns why no probe is started now, or "".
func (s *subject) skip() schedule.Reason {
	if s.quietSlots == 0 {
		return ""
	}
	s.quietSlots--
	return s.quiet
}

// state returns the schedule's state.
func (s *subject) state() schedule.State {
	state := schedule.State{NextRun: s.next}
	if s.quiet == schedule.Backoff && s.quietSlots > 0 {
		state.NextRun = s.next.Add(time.Duration(s.quietSlots) * s.interval)
		state.Suspended, state.NextLogin = true, state.NextRun
	}
	return state
}

// probe returns what a probe finds at the time of s.next.
func (s *subject) probe() *probe.Result {
	s.number++
	r := *s.found
	r.Start = s.next
	r.Transcript, r.Notes = nil, nil
	r.Phases = s.phases(r.Phases)
	if r.RTT != nil {
		r.RTT = new(time.Duration(30_000 + s.rand.IntN(20_000)))
	}
	r.Capabilities = s.capabilities(r.Capabilities)
	s.fail(&r)
	r.Duration = 0
	for _, t := range r.Phases {
		r.Duration += t.Duration
	}
	if r.TLS != nil {
		lifetime := r.TLS.NotAfter.Sub(s.found.Start).Round(day)
		renewed := *r.TLS
		renewed.NotAfter = r.Start.Truncate(lifetime / 5).Add(lifetime) // As the demo's servers renew it.
		r.TLS = &renewed
	}
	if r.Err == nil {
		s.fill(&r)
	}
	return &r
}

// fail makes the probe fail as on the account's server.
func (s *subject) fail(r *probe.Result) {
	switch r.Account {
	case "demo-rejected":
		s.quiet, s.quietSlots = schedule.Backoff, int(time.Hour/s.interval)-1
	case "demo-hanging":
		if s.number%3 == 0 {
			s.breakOff(r, probe.PhaseSelect, probe.ReasonTimeout, 2900*time.Millisecond)
		}
	case "demo-busy":
		switch s.number % 7 {
		case 3, 4:
			s.breakOff(r, probe.PhaseAuth, probe.ReasonThrottled, 0)
			s.quiet, s.quietSlots = schedule.Throttled, 1
		case 0:
			s.breakOff(r, probe.PhaseAuth, probe.ReasonUnavailable, 0)
		}
	}
}

// breakOff makes a probe fail in a phase. after is the duration of that phase; 0 means the usual one.
func (s *subject) breakOff(r *probe.Result, phase probe.Phase, reason probe.Reason, after time.Duration) {
	r.Err = &probe.Error{Phase: phase, Reason: reason}
	i := slices.IndexFunc(r.Phases, func(t probe.Timing) bool { return t.Phase == phase })
	r.Phases = r.Phases[:i+1]
	r.Phases[i].OK = false
	if after > 0 {
		r.Phases[i].Duration = after
	}
	r.Fetched, r.Mailboxes, r.Quota = nil, nil, nil
	if phase == probe.PhaseAuth {
		r.Capabilities = slices.DeleteFunc(slices.Clone(r.Capabilities),
			func(c probe.Capabilities) bool { return c.Stage == probe.StageAfterAuth })
	}
}

// upgraded is how long before the end of the history the server of demo-slow got a new capability.
const upgraded = 18 * time.Hour

// capabilities returns the capabilities found. Before the upgrade, demo-slow's server didn't offer the last one.
func (s *subject) capabilities(found []probe.Capabilities) []probe.Capabilities {
	if s.found.Account != "demo-slow" || s.next.After(s.end.Add(-upgraded)) {
		return found
	}
	before := slices.Clone(found)
	last := &before[len(before)-1]
	last.Names = last.Names[:len(last.Names)-1]
	return before
}

// phases returns durations of the phases for the hour of the day.
func (s *subject) phases(found []probe.Timing) []probe.Timing {
	load := load(s.next)
	timings := make([]probe.Timing, len(found))
	for i, t := range found {
		usual := usualTimes[t.Phase]
		if usual == 0 {
			usual = time.Millisecond
		}
		switch {
		case t.Phase == probe.PhaseAuth && s.found.Account == "demo-slow":
			usual = 600 * time.Millisecond
		case t.Phase == probe.PhaseAuth && s.found.Account == "demo-rejected":
			usual = 250 * time.Millisecond
		case t.Phase == probe.PhaseStatus:
			usual *= time.Duration(max(1, len(s.found.Mailboxes)))
		}
		chance := 0.7 + 0.6*s.rand.Float64()
		if s.rand.IntN(100) == 0 { // Now and then one takes longer.
			chance *= 3
		}
		t.Duration = time.Duration(float64(usual) * chance * load)
		t.ReadDelay = time.Duration(s.rand.IntN(200_000))
		timings[i] = t
	}
	return timings
}

// usualTimes are about the durations of the demo's servers.
var usualTimes = map[probe.Phase]time.Duration{
	probe.PhaseResolve: 100 * time.Microsecond, probe.PhaseConnect: 60 * time.Microsecond,
	probe.PhaseTLS: 2 * time.Millisecond, probe.PhaseGreeting: 2 * time.Millisecond,
	probe.PhaseStartTLS: 100 * time.Microsecond, probe.PhaseCapability: 2 * time.Millisecond,
	probe.PhaseAuth: 10 * time.Millisecond, probe.PhaseSelect: 7 * time.Millisecond,
	probe.PhaseFetch: 7 * time.Millisecond, probe.PhaseUnselect: 2 * time.Millisecond,
	probe.PhaseList: 2 * time.Millisecond, probe.PhaseStatus: 3 * time.Millisecond,
	probe.PhaseQuota: 2 * time.Millisecond, probe.PhaseLogout: 2 * time.Millisecond,
}

// load is the factor for durations at a time of day: 1 at night, nearly 2 in the middle of the morning, a little less in the
// afternoon, and little more than 1 at the weekend.
func load(at time.Time) float64 {
	at = at.UTC()
	hour := float64(at.Hour()) + float64(at.Minute())/60
	peak := func(at float64) float64 { return math.Exp(-(hour - at) * (hour - at) / 4) }
	busy := 0.8*peak(10) + 0.6*peak(15)
	if at.Weekday() == time.Saturday || at.Weekday() == time.Sunday {
		busy *= 0.15
	}
	return 1 + busy
}
