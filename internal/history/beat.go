package history

import (
	"math"
	"math/bits"
	"slices"
	"time"

	"imap-exporter/probe"
)

// A Beat is what remains of a probe when its Result is gone: when it was, how it came out and what its phases took.
type Beat struct {
	// ID is that of the probe, as of IDOf.
	ID    int64
	Start time.Time
	// Duration is rounded to 10 µs.
	Duration time.Duration
	// Phase and Reason say what failed; "" after a success.
	Phase  probe.Phase
	Reason probe.Reason
	// Phases are the phases that ran, in the order of probe.Phases, rounded to 0.1 %.
	Phases []probe.Timing
}

// OK reports whether the probe succeeded.
func (b *Beat) OK() bool { return b.Reason == "" }

// Took returns the time of a phase; ok says whether it ran.
func (b *Beat) Took(phase probe.Phase) (took time.Duration, ok bool) {
	for _, t := range b.Phases {
		if t.Phase == phase {
			return t.Duration, true
		}
	}
	return 0, false
}

// IDOf names a probe among those of its account: by the millisecond of its start, since an account is never probed
// twice at a time.
func IDOf(r *probe.Result) int64 { return r.Start.UnixMilli() }

// maxPhases is how many phases a beat has room for. A test holds it against probe.Phases.
const maxPhases = 20

// beatUnit is that in which a beat keeps the duration of its probe: 11 hours fit.
const beatUnit = 10 * time.Microsecond

// A beat is a Beat in 56 bytes: ten thousand accounts have 600,000 of them.
type beat struct {
	id       int64
	duration uint32 // in beatUnit
	// phase and reason are places in probe.Phases and probe.Reasons, from 1 on; 0 after a success.
	phase, reason uint8
	// phases are durations, by the place in probe.Phases; 0 where the phase didn't run.
	phases [maxPhases]short
}

// newBeat keeps the essence of a Result.
func newBeat(r *probe.Result) beat {
	units := min(max(0, r.Duration.Round(beatUnit)/beatUnit), math.MaxUint32)
	b := beat{id: IDOf(r), duration: uint32(units)}
	phases := probe.Phases()
	if r.Err != nil {
		b.phase, b.reason = place(phases, r.Err.Phase), place(probe.Reasons(), r.Err.Reason)
	}
	for _, t := range r.Phases {
		if i := place(phases, t.Phase); i > 0 && int(i) <= maxPhases {
			b.phases[i-1] = newShort(t.Duration)
		}
	}
	return b
}

// place returns where a value stands in a closed list, from 1 on; 0 where it doesn't.
func place[T comparable](list []T, value T) uint8 { return uint8(slices.Index(list, value) + 1) } //nolint:gosec // The lists are short.

// long returns the Beat.
func (b *beat) long() Beat {
	phases, reasons := probe.Phases(), probe.Reasons()
	l := Beat{ID: b.id, Start: time.UnixMilli(b.id), Duration: time.Duration(b.duration) * beatUnit}
	if b.phase > 0 {
		l.Phase = phases[b.phase-1]
	}
	if b.reason > 0 {
		l.Reason = reasons[b.reason-1]
	}
	for i, s := range b.phases {
		if s > 0 {
			l.Phases = append(l.Phases, probe.Timing{Phase: phases[i], Duration: s.duration(), OK: phases[i] != l.Phase})
		}
	}
	return l
}

// Beats returns the last probes of an account in short, the oldest first.
func (s *Store) Beats(name string) []Beat {
	s.mu.RLock()
	var beats []beat
	if a := s.accounts[name]; a != nil {
		beats = slices.Clone(a.beats)
	}
	s.mu.RUnlock()
	long := make([]Beat, len(beats))
	for i := range beats {
		long[i] = beats[i].long()
	}
	return long
}

// Usual returns the duration that half of the successful beats don't exceed; 0 when there is none.
func Usual(beats []Beat) time.Duration {
	var durations []time.Duration
	for i := range beats {
		if beats[i].OK() {
			durations = append(durations, beats[i].Duration)
		}
	}
	if len(durations) == 0 {
		return 0
	}
	slices.Sort(durations)
	return durations[(len(durations)-1)/2]
}

// beat adds b, and drops the oldest beat over the limit.
func (a *account) beat(b beat, limit int) {
	if limit <= 0 {
		return
	}
	if len(a.beats) >= limit {
		copy(a.beats, a.beats[1:])
		a.beats[len(a.beats)-1] = b
		return
	}
	if len(a.beats) == cap(a.beats) { // Append would take more than the limit.
		grown := make([]beat, len(a.beats), min(limit, max(8, 2*len(a.beats))))
		copy(grown, a.beats)
		a.beats = grown
	}
	a.beats = append(a.beats, b)
}

// A short is a duration in 16 bits: 11 bits of digits, shifted to the left by what the upper 5 say, in microseconds,
// and 1 more, so that 0 is none.
type short uint16

const digits = 11

func newShort(d time.Duration) short {
	us := uint64(max(0, d.Round(time.Microsecond)/time.Microsecond))
	shift := max(0, bits.Len64(us)-digits)
	if shift > 0 { // Round, which may need one bit more.
		us += 1 << (shift - 1)
		shift = bits.Len64(us) - digits
	}
	if shift >= 1<<5-1 {
		return math.MaxUint16
	}
	return short(shift<<digits|int(us>>shift)) + 1 //nolint:gosec // It fits.
}

func (s short) duration() time.Duration {
	s--
	return time.Duration(uint64(s&(1<<digits-1))<<(s>>digits)) * time.Microsecond //nolint:gosec // It fits.
}
