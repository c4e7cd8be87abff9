package schedule

import "sync"

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

// A tally counts slots.
type tally struct {
	mu      sync.Mutex
	started uint64
	skipped map[Reason]uint64
}

func newTally() *tally {
	return &tally{skipped: map[Reason]uint64{Overload: 0, Backoff: 0, Throttled: 0, Shutdown: 0}}
}

// start counts a slot that is served.
func (t *tally) start() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.started++
}

// skip counts n slots that are not.
func (t *tally) skip(r Reason, n uint64) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.skipped[r] += n
}

// counts returns all counts as of one moment.
func (t *tally) counts() Counts {
	t.mu.Lock()
	defer t.mu.Unlock()
	c := Counts{Scheduled: t.started, Started: t.started, Skipped: make(map[Reason]uint64, len(t.skipped))}
	for reason, n := range t.skipped {
		c.Skipped[reason] = n
		c.Scheduled += n
	}
	return c
}
