package schedule

// A Reason says why a slot was skipped, or why Do was blocked.
type Reason string

// The reasons.
const (
	// Overload: the job still waited or ran, or the whole process was stopped.
	Overload Reason = "overload"
	// Backoff: the job is suspended after rejected logins.
	Backoff Reason = "backoff"
	// Unavailable: the server could not check the last login, because of a failure of its own.
	Unavailable Reason = "unavailable"
	// Throttled: the server asked for fewer logins.
	Throttled Reason = "throttled"
	// Shutdown: the job still waited when the schedule was stopped.
	Shutdown Reason = "shutdown"
	// Cooldown: the server rejected a login less than 15 s ago. It blocks only Do: slots wait.
	Cooldown Reason = "quiet"
)

// Counts are numbers of slots since the start. Scheduled is always the sum of Started and all Skipped. A slot is counted
// when it is started or skipped, which is later than its time if the job has to wait.
type Counts struct {
	Scheduled, Started uint64
	// Skipped always has Overload, Backoff, Unavailable, Throttled and Shutdown.
	Skipped map[Reason]uint64
}

// skip counts n skipped slots.
func (s *Schedule) skip(r Reason, n uint64) {
	s.counts.Scheduled += n
	s.counts.Skipped[r] += n
}
