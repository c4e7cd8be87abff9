package schedule

import (
	"strconv"
	"time"
)

// After a rejected login, the next tries come so long after one another; the last one goes on for ever.
var (
	// knownGood, for a password that worked before: +1, +5, +15 min, then every 15 min. It is most likely a mishap of
	// the server's, or a password that was changed there and is about to be changed here.
	knownGood = [...]time.Duration{time.Minute, 4 * time.Minute, 10 * time.Minute, 15 * time.Minute}
	// neverGood, for one that didn't: +1, +5, +30 min, +2 h, then every 6 h. Somebody has to correct it.
	neverGood = [...]time.Duration{time.Minute, 4 * time.Minute, 25 * time.Minute, 90 * time.Minute, 6 * time.Hour}
)

const (
	// retryApart is the least time between two tries of suspended logins of one server, whichever accounts they are of:
	// each brings quietTime, and sixty wrong passwords must not keep the good ones from being probed.
	retryApart = 50 * time.Second
	// throttledFor is how long an account is left alone when the server doesn't say, and throttledAtMost when it says
	// more.
	throttledFor    = 5 * time.Minute
	throttledAtMost = time.Hour
	// checksAtOnce is how many secrets are looked at at a time. A hung file system would keep a thread for each.
	checksAtOnce = 4
)

// A guard is what keeps a job from logging in.
type guard struct {
	rejections int       // in a row
	login      time.Time // while there are any: the next try
	turn       bool      // login was put off until the server's next turn
	secret     string    // fingerprint of what was rejected
	accepted   bool      // a login was accepted, ever
	calm       time.Time // the server wants to be left alone until then
}

// suspended says whether logins are held back after rejected ones.
func (g *guard) suspended() bool { return g.rejections > 0 }

// backoff returns how long to wait after the last of so many rejections: as the list says, ± 10 %, which depends on
// the name, so that accounts that were rejected together aren't tried together again.
func (j *job) backoff(seed string) time.Duration {
	list := neverGood[:]
	if j.accepted {
		list = knownGood[:]
	}
	wait := list[min(j.rejections, len(list))-1]
	return wait*9/10 + hash(seed+j.Name+"#"+strconv.Itoa(j.rejections))%(wait/5)
}

// heldBack returns what keeps an idle job from running now, or nil. Of a suspended job it takes the answer nil for a
// try, but where the run doesn't log in.
func (s *Schedule) heldBack(j *job, noLogin bool, now time.Time) *BlockedError {
	switch v := j.server; {
	case now.Before(j.calm):
		return &BlockedError{Until: j.calm, Reason: Throttled}
	case !j.suspended() || noLogin:
		return nil
	case now.Before(j.login):
		return &BlockedError{Until: j.login, Reason: Backoff}
	case j.turn:
		j.turn = false
		return nil
	case now.Before(v.nextTurn): // Others had their try just now.
		j.turn, j.login = true, v.nextTurn
		v.nextTurn = v.nextTurn.Add(retryApart)
		return &BlockedError{Until: j.login, Reason: Backoff}
	default:
		v.nextTurn = now.Add(retryApart)
		return nil
	}
}

// judge draws the conclusions from a finished run.
func (s *Schedule) judge(j *job, r *run, now time.Time) {
	o := r.outcome
	retried := j.retrying(now)
	if !o.OffSchedule {
		j.lastResult, j.failing = now, !o.OK
	}
	j.server.note(o, now)
	if o.Throttled {
		j.calm = now.Add(throttledAtMost)
		switch {
		case o.Backoff <= 0:
			j.calm = now.Add(throttledFor)
		case o.Backoff < throttledAtMost:
			j.calm = now.Add(o.Backoff)
		}
	}
	if !r.noLogin {
		s.judgeLogin(j, r, now)
	}
	switch retries := j.retrying(now); {
	case retries && !retried:
		j.next = earlier(j.next, j.retry(now))
		s.timeline.put(j)
	case retried && !retries:
		s.toOwn(j, now)
	}
}

// judgeLogin holds logins back, or no longer, after one that was tried.
func (s *Schedule) judgeLogin(j *job, r *run, now time.Time) {
	tried := j.suspended()
	j.untried = false
	switch o := r.outcome; {
	case o.OK || o.LoggedIn:
		j.accepted = true
		if tried {
			s.liftServer(j.server, now)
		}
	case o.Rejected:
		s.suspend(j, r.secret, now)
	case tried && !o.Throttled: // No verdict, but perhaps a login that counts: some servers let wrong ones hang.
		s.suspend(j, r.secret, now)
	}
}

// toOwn brings a job back to its own slots, after what decides its pace has changed.
func (s *Schedule) toOwn(j *job, now time.Time) {
	if j.Interval > 0 {
		j.next = j.own(later(j.slot.Add(j.Interval/2), now.Add(1)))
		s.timeline.put(j)
	}
}

// suspend holds a job's logins back after one more that wasn't accepted.
func (s *Schedule) suspend(j *job, secret string, now time.Time) {
	j.rejections++
	j.secret = secret
	j.server.suspend(j)
	s.toOwn(j, now)
	wait := j.backoff(s.opts.Seed)
	j.login = now.Add(wait)
	switch {
	case !j.login.Before(j.next):
	case wait < j.Interval*9/10: // Intervals are not shortened, but for the 10 % of backoff.
		j.login = j.next
	case j.Interval > 0:
		j.next = j.login
		s.timeline.put(j)
	}
}

// lift ends a job's suspension.
func (s *Schedule) lift(j *job, now time.Time) {
	j.rejections, j.login, j.turn, j.secret = 0, time.Time{}, false, ""
	delete(j.server.suspended, j)
	s.toOwn(j, now)
}

// liftServer ends all suspensions of a server: it accepts a login that it rejected, so the fault was its own, and all
// others it rejected are worth a try. They take it at their own slots, which are spread over one interval.
func (s *Schedule) liftServer(v *server, now time.Time) {
	v.nextTurn = time.Time{}
	for j := range v.suspended {
		s.lift(j, now)
		s.changed(j)
	}
}

// check finds out whether the secret of a suspended job has changed, while its slot waits.
func (s *Schedule) check(j *job) {
	j.checking = true
	s.toCheck = append(s.toCheck, j)
	s.checkNext()
}

// checkNext begins the next check, if it may. A check may block on a file, so it has a goroutine of its own.
func (s *Schedule) checkNext() {
	for s.checks < checksAtOnce && len(s.toCheck) > 0 {
		j := s.toCheck[0]
		s.toCheck[0] = nil
		s.toCheck = s.toCheck[1:]
		s.checks++
		job := j.Job
		go func() {
			secret := job.fingerprint()
			s.update(func(now time.Time) { s.endCheck(j, secret, now) })
		}()
	}
}

// endCheck serves the slot of a job whose secret has changed, and skips that of any other.
func (s *Schedule) endCheck(j *job, secret string, now time.Time) {
	s.checks--
	s.checkNext()
	if !j.checking { // It was removed meanwhile.
		return
	}
	j.checking = false
	if s.noteSecret(j, secret, now); j.suspended() {
		s.skip(Backoff, 1)
		return
	}
	j.slotWaits = true
	s.changed(j)
	s.enqueue(j, now)
}

// noteSecret lifts a suspension when the fingerprint isn't that of the rejected secret.
func (s *Schedule) noteSecret(j *job, secret string, now time.Time) {
	switch {
	case secret == "" || !j.suspended():
	case j.secret == "":
		j.secret = secret
	case j.secret != secret:
		j.untried = true
		s.lift(j, now)
	}
}
