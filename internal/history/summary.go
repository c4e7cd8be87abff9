package history

import (
	"math"
	"math/bits"
	"slices"
	"time"

	"imap-exporter/internal/account"
	"imap-exporter/probe"
)

// A Summary is a compact record of a probe, kept longer than its Result: time, outcome, and durations of its phases.
type Summary struct {
	// ID is that of the probe, as of IDOf.
	ID    int64
	Start time.Time
	// Duration is rounded to 10 µs.
	Duration time.Duration
	// Phase and Reason say what failed; "" after a success.
	Phase  probe.Phase
	Reason probe.Reason
	// Phases are the phases that ran, in the protocol's order, rounded to 0.1 %.
	Phases []probe.Timing
}

// OK reports whether the probe succeeded.
func (s *Summary) OK() bool { return s.Reason == "" }

// Took returns the time of a phase; ok says whether it ran.
func (s *Summary) Took(phase probe.Phase) (took time.Duration, ok bool) {
	for _, t := range s.Phases {
		if t.Phase == phase {
			return t.Duration, true
		}
	}
	return 0, false
}

// IDOf identifies a probe of an account by the millisecond of its start: probes of an account never overlap.
func IDOf(r *probe.Result) int64 { return r.Start.UnixMilli() }

// maxPhases is the maximum of a protocol's phases. A test checks it.
const maxPhases = 20

// durationUnit is the unit of the duration of a probe in a compactSummary: 11 hours fit.
const durationUnit = 10 * time.Microsecond

// A compactSummary is a Summary in 56 bytes: ten thousand accounts have 600,000 of them.
type compactSummary struct {
	id       int64
	duration uint32 // in durationUnit
	// phase and reason are indexes in the protocol's phases and reasons, counted from 1; 0 after a success.
	phase, reason uint8
	// phases are durations, in the order of the protocol's phases; 0 where the phase didn't run.
	phases [maxPhases]compactDuration
}

// newCompactSummary summarizes a Result.
func newCompactSummary(r *probe.Result) compactSummary {
	units := min(max(0, r.Duration.Round(durationUnit)/durationUnit), math.MaxUint32)
	c := compactSummary{id: IDOf(r), duration: uint32(units)}
	protocol := probe.OrIMAP(r.Protocol)
	if r.Err != nil {
		c.phase, c.reason = positionIn(protocol.Phases, r.Err.Phase), positionIn(protocol.Reasons, r.Err.Reason)
	}
	for _, t := range r.Phases {
		if i := positionIn(protocol.Phases, t.Phase); i > 0 && int(i) <= maxPhases {
			c.phases[i-1] = newCompactDuration(t.Duration)
		}
	}
	return c
}

// positionIn returns the index of a value in a list, counted from 1; 0 if it isn't there.
func positionIn[T comparable](list []T, value T) uint8 { return uint8(slices.Index(list, value) + 1) } //nolint:gosec // The lists are short.

// expand returns the Summary of a probe in this protocol.
func (c *compactSummary) expand(protocol *probe.Protocol) Summary {
	s := Summary{ID: c.id, Start: time.UnixMilli(c.id), Duration: time.Duration(c.duration) * durationUnit}
	if c.phase > 0 {
		s.Phase = protocol.Phases[c.phase-1]
	}
	if c.reason > 0 {
		s.Reason = protocol.Reasons[c.reason-1]
	}
	for i, d := range c.phases {
		if d > 0 {
			phase := protocol.Phases[i]
			s.Phases = append(s.Phases, probe.Timing{Phase: phase, Duration: d.expand(), OK: phase != s.Phase})
		}
	}
	return s
}

// Summaries returns summaries of the last probes of an account, the oldest first.
func (s *Store) Summaries(key account.Key) []Summary {
	s.mu.RLock()
	var compact []compactSummary
	var protocol *probe.Protocol
	if h := s.accounts[key]; h != nil {
		compact, protocol = slices.Clone(h.summaries), probe.OrIMAP(h.last.Protocol)
	}
	s.mu.RUnlock()
	summaries := make([]Summary, len(compact))
	for i := range compact {
		summaries[i] = compact[i].expand(protocol)
	}
	return summaries
}

// MedianDuration returns the duration that half of the successful probes don't exceed; 0 when there is none.
func MedianDuration(summaries []Summary) time.Duration {
	var durations []time.Duration
	for i := range summaries {
		if summaries[i].OK() {
			durations = append(durations, summaries[i].Duration)
		}
	}
	if len(durations) == 0 {
		return 0
	}
	slices.Sort(durations)
	return durations[(len(durations)-1)/2]
}

// summarize adds c, and drops the oldest summary over the limit.
func (h *accountHistory) summarize(c compactSummary, limit int) {
	if limit <= 0 {
		return
	}
	if len(h.summaries) >= limit {
		copy(h.summaries, h.summaries[1:])
		h.summaries[len(h.summaries)-1] = c
		return
	}
	if len(h.summaries) == cap(h.summaries) { // Append would take more than the limit.
		grown := make([]compactSummary, len(h.summaries), min(limit, max(8, 2*len(h.summaries))))
		copy(grown, h.summaries)
		h.summaries = grown
	}
	h.summaries = append(h.summaries, c)
}

// A compactDuration is a floating-point duration in 16 bits: in microseconds, plus 1 so that 0 means none, an 11-bit mantissa
// shifted left by the exponent in the upper 5 bits.
type compactDuration uint16

const digits = 11

func newCompactDuration(d time.Duration) compactDuration {
	us := uint64(max(0, d.Round(time.Microsecond)/time.Microsecond))
	shift := max(0, bits.Len64(us)-digits)
	if shift > 0 { // Round, which may need one bit more.
		us += 1 << (shift - 1)
		shift = bits.Len64(us) - digits
	}
	if shift >= 1<<5-1 {
		return math.MaxUint16
	}
	return compactDuration(shift<<digits|int(us>>shift)) + 1 //nolint:gosec // It fits.
}

// expand returns the duration. It must not be none.
func (d compactDuration) expand() time.Duration {
	d--
	return time.Duration(uint64(d&(1<<digits-1))<<(d>>digits)) * time.Microsecond //nolint:gosec // It fits.
}
