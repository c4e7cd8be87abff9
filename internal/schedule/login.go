package schedule

import (
	"strconv"
	"time"
)

// The waits between logins after rejected ones; the last of each list repeats.
var (
	// acceptedBefore: +1, +5, +15 min, then every 15 min. The cause is probably a fault of the server, or a new password
	// that will soon be known here too.
	acceptedBefore = [...]time.Duration{time.Minute, 4 * time.Minute, 10 * time.Minute, 15 * time.Minute}
	// neverAccepted: +1, +5, +30 min, +2 h, then every 6 h. Somebody must correct the password.
	neverAccepted = [...]time.Duration{time.Minute, 4 * time.Minute, 25 * time.Minute, 90 * time.Minute, 6 * time.Hour}
	// unavailable: the pauses after logins that the server could not check.
	unavailable = [...]time.Duration{time.Minute, 2 * time.Minute, 5 * time.Minute, 10 * time.Minute, 15 * time.Minute}
)

// A login is what is known about the logins of a job by the runs with one key. Different keys may log in in different
// ways, of which a server may accept some and reject others.
type login struct {
	key      string
	accepted bool   // since the start
	works    bool   // the last verdict was to accept it
	secret   string // fingerprint of the secret of the last verdict

	rejections int       // in a row; 0 if it isn't suspended
	next       time.Time // while suspended: when the next login is due
	reserved   bool      // next was set by the server's nextSuspendedLogin
	forAllKeys bool      // the suspension applies to all keys; only that of the job's own login can

	failures    int       // of the server to check it, in a row
	pausedUntil time.Time // after these
}

func (l *login) suspended() bool { return l.rejections > 0 }

// loginWith returns the job's login with a key, nil before the first one.
func (j *job) loginWith(key string) *login {
	for _, l := range j.logins {
		if l.key == key {
			return l
		}
	}
	return nil
}

// addLogin returns the job's login with a key, which it adds if there is none.
func (j *job) addLogin(key string) *login {
	l := j.loginWith(key)
	if l == nil {
		l = &login{key: key}
		j.logins = append(j.logins, l)
	}
	return l
}

// suspension returns the suspended login that keeps runs with a key from logging in, or nil: that with the same key, or the
// job's own, whichever ends later.
func (j *job) suspension(key string) *login {
	var found *login
	for _, l := range j.logins {
		if l.suspended() && (l.key == key || l.forAllKeys) && (found == nil || l.next.After(found.next)) {
			found = l
		}
	}
	return found
}

// pausedUntil returns the end of the job's throttling, or of the pause of its logins with a key.
func (j *job) pausedUntil(key string) time.Time {
	if l := j.loginWith(key); l != nil {
		return later(j.throttledUntil, l.pausedUntil)
	}
	return j.throttledUntil
}

// blocked returns why an idle job must not run with a key now, or nil. When it returns nil for a suspended login, it takes
// that for an attempt: the next suspended login of the server must wait.
func (s *Schedule) blocked(j *job, key string, noLogin bool, now time.Time) *BlockedError {
	if now.Before(j.throttledUntil) {
		return &BlockedError{Until: j.throttledUntil, Reason: Throttled}
	}
	if noLogin {
		return nil
	}
	if until := j.pausedUntil(key); now.Before(until) {
		return &BlockedError{Until: until, Reason: Unavailable}
	}
	l, v := j.suspension(key), j.server
	switch {
	case l == nil:
		return nil
	case now.Before(l.next):
		return &BlockedError{Until: l.next, Reason: Backoff}
	case l.reserved:
		l.reserved = false
		return nil
	case now.Before(v.nextSuspendedLogin):
		l.reserved, l.next = true, v.nextSuspendedLogin
		v.nextSuspendedLogin = v.nextSuspendedLogin.Add(suspendedLoginsApart)
		return &BlockedError{Until: l.next, Reason: Backoff}
	default:
		v.nextSuspendedLogin = now.Add(suspendedLoginsApart)
		return nil
	}
}

// applyLogin begins, prolongs or ends suspensions and pauses after a run that tried to log in.
func (s *Schedule) applyLogin(j *job, r *run, now time.Time) {
	l, wasSuspended := j.addLogin(r.key), j.suspension(r.key) != nil
	j.unverified = false
	switch o := r.outcome; {
	case o.OK || o.LoggedIn:
		s.acceptLogin(j, l, r.secret, now)
	case o.Rejected:
		s.rejectLogin(j, l, r.secret, now)
	case o.Unavailable:
		l.failures++
		pause := unavailable[min(l.failures, len(unavailable))-1]
		l.pausedUntil = r.started.Add(pause - pause/10) // A slot that comes after just this time is served.
	case wasSuspended && !o.Throttled: // No verdict, but some servers count such a login and let it time out.
		s.rejectLogin(j, l, r.secret, now)
	}
	j.server.noteTrouble(j)
}

// acceptLogin notes that a login was accepted. If the server had rejected it before, or failed to check it, then it works
// again, and so may the other accounts of the server.
func (s *Schedule) acceptLogin(j *job, l *login, secret string, now time.Time) {
	wasSuspended, wasPaused := l.suspended(), l.failures > 0
	l.accepted, l.works, l.secret = true, true, secret
	if own := j.loginWith(""); own != nil {
		own.forAllKeys = false
	}
	if wasPaused {
		s.endPauses(j.server)
	}
	if wasSuspended {
		s.endSuspensions(j.server, now)
	}
}

// rejectLogin suspends a login after one more that wasn't accepted. If no other login of the job works with this secret, then
// the secret is probably wrong, and the job's own login is suspended, for all keys.
func (s *Schedule) rejectLogin(j *job, l *login, secret string, now time.Time) {
	l.works, l.secret = false, secret
	l.failures, l.pausedUntil = 0, time.Time{}
	l.rejections++
	wait := j.backoff(l, s.opts.Seed)
	l.next = now.Add(wait)
	otherWorks := false
	for _, other := range j.logins {
		otherWorks = otherWorks || other.works && other.secret == secret
		if l.key != "" && other.key != "" && other.suspended() { // Callers' keys take turns.
			other.next = later(other.next, l.next)
		}
	}
	own := j.addLogin("")
	newly := !otherWorks && !own.suspended()
	if newly {
		own.rejections, own.next, own.secret = 1, l.next, secret
	}
	own.forAllKeys = own.suspended() && !otherWorks
	if l == own || newly {
		s.planSuspendedSlot(j, own, wait, now)
	}
}

// planSuspendedSlot sets the next slot of a job whose own login must wait.
func (s *Schedule) planSuspendedSlot(j *job, own *login, wait time.Duration, now time.Time) {
	s.realignSlots(j, now)
	switch {
	case !own.next.Before(j.nextSlot):
	case wait < j.Interval*9/10: // Logins don't come more often than slots, but for the 10 % of backoff.
		own.next = j.nextSlot
	case j.Interval > 0:
		s.setNextSlot(j, own.next)
	}
}

// backoff returns how long a login must wait after its last rejection. All rejections with callers' keys count together. The
// wait varies by ± 10 % by the name, so that accounts that were rejected at the same time don't log in at the same time
// again.
func (j *job) backoff(l *login, seed string) time.Duration {
	waits := neverAccepted[:]
	if l.accepted {
		waits = acceptedBefore[:]
	}
	rejections := 0
	for _, other := range j.logins {
		if (other.key == "") == (l.key == "") {
			rejections += other.rejections
		}
	}
	wait := waits[min(rejections, len(waits))-1]
	return wait*9/10 + hash(seed+j.Name+"#"+strconv.Itoa(rejections))%(wait/5)
}

// endSuspension ends the suspension of a login.
func (s *Schedule) endSuspension(j *job, l *login, now time.Time) {
	l.rejections, l.next, l.reserved, l.forAllKeys = 0, time.Time{}, false, false
	j.server.noteTrouble(j)
	s.dropAllReusable(j) // That of the rejected login isn't the present any more.
	s.realignSlots(j, now)
}

// endSuspensions ends all suspensions of a server: it accepted a login that it had rejected, so the fault was its own.
// The jobs log in in their regular slots, which are spread over one interval.
func (s *Schedule) endSuspensions(v *server, now time.Time) {
	v.nextSuspendedLogin = time.Time{}
	for j := range v.troubled {
		for _, l := range j.logins {
			if l.suspended() {
				s.endSuspension(j, l, now)
			}
		}
		s.notifyChanged(j)
	}
}

// endPauses ends all pauses of a server: it checks logins again.
func (s *Schedule) endPauses(v *server) {
	for j := range v.troubled {
		for _, l := range j.logins {
			l.failures, l.pausedUntil = 0, time.Time{}
		}
		v.noteTrouble(j)
		s.notifyChanged(j)
	}
}
