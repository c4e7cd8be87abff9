package schedule

import "time"

const (
	// quietTime is how long nothing starts on a server after it rejected a login. Dovecot makes the next logins from the
	// same address wait for 4 s after one rejected login, twice as long after the next, up to 15 s, unless one succeeded
	// in between: the good accounts would show our own penalty as the server's slowness. Whoever begins later than
	// that isn't delayed.
	quietTime = 15 * time.Second
	// aloneTime bounds how long a run that goes alone keeps its server to itself. Dovecot notes a rejected login at once
	// but says so after 2 s; a run that is older than this has logged in, or hangs before that.
	aloneTime = 4 * time.Second
	// aloneAtFirst is up to how many jobs of a server go alone the first time: more would wait too long.
	aloneAtFirst = 50
)

// A server is what jobs of one server have in common.
type server struct {
	name      string
	jobs      int // on the schedule
	running   int
	waiting   queue[*job] // jobs that are due, the oldest last Result first
	suspended map[*job]struct{}

	lastStart  time.Time
	alone      *run // the last one to start, if it goes alone
	quietUntil time.Time
	nextTurn   time.Time // when a suspended login may be tried

	opens             time.Time // while in closed
	inReady, inClosed int
}

func newServer(name string) *server {
	return &server{name: name, waiting: queue[*job]{before: longerUnseen, place: func(j *job) *int { return &j.inWaiting }}}
}

// longerUnseen says which of two jobs has the older last Result, or the older slot.
func longerUnseen(a, b *job) bool {
	if !a.lastResult.Equal(b.lastResult) {
		return a.lastResult.Before(b.lastResult)
	}
	return a.slot.Before(b.slot)
}

// suspend notes a suspended job.
func (v *server) suspend(j *job) {
	if v.suspended == nil {
		v.suspended = make(map[*job]struct{})
	}
	v.suspended[j] = struct{}{}
}

// alone says whether a job's run has its server to itself at the start, because it may well be rejected: it was the
// last time, or it is the first try.
func (j *job) alone() bool {
	noLogin := !j.slotWaits && len(j.callers) > 0 && j.callers[0].NoLogin
	return !noLogin && (j.suspended() || j.untried && j.server.jobs <= aloneAtFirst)
}

// opening returns when the next waiting job may start; ok is false when that depends on the end of a run.
func (v *server) opening(limit int) (at time.Time, ok bool) {
	if len(v.waiting.items) == 0 || v.running >= limit {
		return time.Time{}, false
	}
	if v.running > 0 && (v.alone != nil || v.waiting.first().alone()) {
		return later(v.quietUntil, v.lastStart.Add(aloneTime)), true
	}
	return v.quietUntil, true
}

// settle puts a server where it belongs after anything that decides that has changed: to those that may start a run
// now, or to those that may later.
func (s *Schedule) settle(v *server, now time.Time) {
	s.ready.remove(v)
	s.closed.remove(v)
	at, ok := v.opening(s.opts.MaxConcurrentPerServer)
	switch {
	case !ok:
	case at.After(now):
		v.opens = at
		s.closed.put(v)
	default:
		s.ready.put(v)
	}
}

// serverOf returns a server, which is made when it is first asked for.
func (s *Schedule) serverOf(name string) *server {
	v := s.servers[name]
	if v == nil {
		v = newServer(name)
		s.servers[name] = v
	}
	return v
}

// forget forgets a server that nobody uses any more.
func (s *Schedule) forget(v *server) {
	if v.jobs == 0 && v.running == 0 {
		delete(s.servers, v.name)
	}
}

// note keeps the server quiet after a rejected login.
func (v *server) note(o Outcome, now time.Time) {
	if o.Rejected {
		v.quietUntil = now.Add(quietTime)
	}
}
