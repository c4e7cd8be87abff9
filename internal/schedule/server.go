package schedule

import (
	"slices"
	"time"
)

const (
	// suspendedLoginsApart is the least time between two suspended logins of one server. Each of them may bring a
	// cooldown; sixty wrong passwords must not keep the right ones from being probed.
	suspendedLoginsApart = 50 * time.Second
	// defaultThrottle is how long a job is throttled when the server names no time, maxThrottle when it names a longer one.
	defaultThrottle = 5 * time.Minute
	maxThrottle     = time.Hour
	// cooldown is how long no job starts on a server after it rejected a login. Dovecot delays the next logins from the
	// same address by 4 s after one rejected login, by twice as much after the next, up to 15 s, unless one succeeded
	// meanwhile. That delay would show as the server's slowness for accounts with the right password. A login that
	// starts after 15 s isn't delayed.
	cooldown = 15 * time.Second
	// maxExclusive limits how long a run has its server to itself. Dovecot counts a rejected login at once, but answers
	// after 2 s; a run that is older than this has either logged in, or hangs before the login.
	maxExclusive = 4 * time.Second
	// maxJobsUnverifiedExclusive is the number of a server's jobs up to which their first logins run exclusively: with
	// more, the first probes would take too long.
	maxJobsUnverifiedExclusive = 50
)

// A server is what the jobs of one server share.
type server struct {
	name         string
	jobs         int // on the schedule
	running      int
	unconfigured int               // how many of these are of unconfigured jobs
	waiting      queue[*job]       // jobs to start, in the order of startsBefore
	troubled     map[*job]struct{} // jobs with a login that is suspended, or that the server failed to check

	lastStart          time.Time
	exclusive          *run // the last run that started, if it runs exclusively
	cooldownUntil      time.Time
	nextSuspendedLogin time.Time // no suspended job may log in before

	readyAt                  time.Time // while in Schedule.delayed
	readyIndex, delayedIndex int       // in queues
}

func newServer(name string) *server {
	return &server{name: name, waiting: queue[*job]{less: startsBefore, index: func(j *job) *int { return &j.waitingIndex }}}
}

// startsBefore reports whether a starts before b when both wait: unconfigured jobs start last, of others that with the
// oldest last result, or else with the oldest slot, starts first.
func startsBefore(a, b *job) bool {
	if a.unconfigured != b.unconfigured {
		return b.unconfigured
	}
	if !a.lastResult.Equal(b.lastResult) {
		return a.lastResult.Before(b.lastResult)
	}
	return a.slot.Before(b.slot)
}

// noteTrouble updates whether the job is in troubled.
func (v *server) noteTrouble(j *job) {
	if !slices.ContainsFunc(j.logins, func(l *login) bool { return l.suspended() || l.failures > 0 }) {
		delete(v.troubled, j)
		return
	}
	if v.troubled == nil {
		v.troubled = make(map[*job]struct{})
	}
	v.troubled[j] = struct{}{}
}

// noteRejection starts the server's cooldown if the login was rejected.
func (v *server) noteRejection(o Outcome, now time.Time) {
	if o.Rejected {
		v.cooldownUntil = now.Add(cooldown)
	}
}

// throttledFor returns how long a job is throttled when the server asks for d; 0 means that it named no time.
func throttledFor(d time.Duration) time.Duration {
	if d <= 0 {
		return defaultThrottle
	}
	return min(d, maxThrottle)
}

// runsExclusively reports whether the job's next run starts with no other on its server, because its login may well be
// rejected: it is the first one with its secret, or the last one was rejected.
func (j *job) runsExclusively() bool {
	next := j.nextKey()
	return !next.noLogin && (j.suspension(next.key) != nil || j.unverified && j.server.jobs <= maxJobsUnverifiedExclusive)
}

// nextStart returns when the next waiting job may start; ok is false if no job waits, or a run must end before.
func (v *server) nextStart(limit int) (at time.Time, ok bool) {
	if len(v.waiting.items) == 0 || v.running >= limit || v.waiting.first().unconfigured && v.unconfigured >= quarter(limit) {
		return time.Time{}, false
	}
	if v.running > 0 && (v.exclusive != nil || v.waiting.first().runsExclusively()) {
		return later(v.cooldownUntil, v.lastStart.Add(maxExclusive)), true
	}
	return v.cooldownUntil, true
}

// quarter returns how many of limit runs may be of unconfigured jobs.
func quarter(limit int) int { return max(1, limit/4) }

// updateQueues puts a server into the ready or the delayed queue. It is called after each change of what decides that.
func (s *Schedule) updateQueues(v *server, now time.Time) {
	s.ready.remove(v)
	s.delayed.remove(v)
	at, ok := v.nextStart(s.opts.MaxConcurrentPerServer)
	switch {
	case !ok:
	case at.After(now):
		v.readyAt = at
		s.delayed.put(v)
	default:
		s.ready.put(v)
	}
}

// serverNamed returns the server of that name, and adds it if there is none.
func (s *Schedule) serverNamed(name string) *server {
	v := s.servers[name]
	if v == nil {
		v = newServer(name)
		s.servers[name] = v
	}
	return v
}

// removeIfUnused removes a server without jobs and runs.
func (s *Schedule) removeIfUnused(v *server) {
	if v.jobs == 0 && v.running == 0 {
		delete(s.servers, v.name)
	}
}
