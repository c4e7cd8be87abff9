package schedule

// A Reason says why a slot was skipped, or why Do holds a run back.
type Reason string

// The reasons.
const (
	// Overload: the job was still waiting for room, or running, or the whole process stood still.
	Overload Reason = "overload"
	// Backoff: logins are held back after rejected ones.
	Backoff Reason = "backoff"
	// Throttled: the server asked to be left alone.
	Throttled Reason = "throttled"
	// Shutdown: the slot's time had come, but the schedule stopped before there was room.
	Shutdown Reason = "shutdown"
	// Cooldown holds back runs by Do alone: a login was rejected on that server just now. Slots wait for the quiet's end.
	Cooldown Reason = "quiet"
)

// Counts are what became of the slots since the start: at any moment, Scheduled is Started and all Skipped. A slot
// counts once that is decided, which is when its time comes, or for one that has to wait, when it starts or is given up.
type Counts struct {
	Scheduled, Started uint64
	// Skipped has Overload, Backoff, Throttled and Shutdown, always.
	Skipped map[Reason]uint64
}

// skip counts n slots that are not served.
func (s *Schedule) skip(r Reason, n uint64) {
	s.counts.Scheduled += n
	s.counts.Skipped[r] += n
}
