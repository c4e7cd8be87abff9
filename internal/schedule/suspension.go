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
)

const (
	// suspendedLoginsApart is the least time between two logins of suspended jobs of one server. Each of them may bring
	// a cooldown; sixty wrong passwords must not keep the right ones from being probed.
	suspendedLoginsApart = 50 * time.Second
	// defaultThrottle is how long a job is throttled when the server names no time, maxThrottle when it names a longer one.
	defaultThrottle = 5 * time.Minute
	maxThrottle     = time.Hour
	// maxSecretChecks limits how many secrets are checked at a time. On a file system that hangs, each check holds a thread.
	maxSecretChecks = 4
)

// A suspension keeps a job from logging in after rejected logins.
type suspension struct {
	rejections     int       // in a row; 0 if the job isn't suspended
	nextLogin      time.Time // while suspended
	loginReserved  bool      // nextLogin was set by the server's nextSuspendedLogin
	rejectedSecret string    // fingerprint of the secret that was rejected
	accepted       bool      // a login was accepted since the start
}

func (p *suspension) suspended() bool { return p.rejections > 0 }

// backoff returns how long to wait after the last rejection, varied by ± 10 % by the name, so that accounts that were
// rejected at the same time don't log in at the same time again.
func (j *job) backoff(seed string) time.Duration {
	waits := neverAccepted[:]
	if j.accepted {
		waits = acceptedBefore[:]
	}
	wait := waits[min(j.rejections, len(waits))-1]
	return wait*9/10 + hash(seed+j.Name+"#"+strconv.Itoa(j.rejections))%(wait/5)
}

// throttledFor returns how long a job is throttled when the server asks for d; 0 means that it named no time.
func throttledFor(d time.Duration) time.Duration {
	if d <= 0 {
		return defaultThrottle
	}
	return min(d, maxThrottle)
}

// blocked returns why an idle job must not run now, or nil. When it returns nil for a suspended job that logs in, it takes
// that for a login: the next suspended job of the server must wait.
func (s *Schedule) blocked(j *job, noLogin bool, now time.Time) *BlockedError {
	switch v := j.server; {
	case now.Before(j.throttledUntil):
		return &BlockedError{Until: j.throttledUntil, Reason: Throttled}
	case !j.suspended() || noLogin:
		return nil
	case now.Before(j.nextLogin):
		return &BlockedError{Until: j.nextLogin, Reason: Backoff}
	case j.loginReserved:
		j.loginReserved = false
		return nil
	case now.Before(v.nextSuspendedLogin):
		j.loginReserved, j.nextLogin = true, v.nextSuspendedLogin
		v.nextSuspendedLogin = v.nextSuspendedLogin.Add(suspendedLoginsApart)
		return &BlockedError{Until: j.nextLogin, Reason: Backoff}
	default:
		v.nextSuspendedLogin = now.Add(suspendedLoginsApart)
		return nil
	}
}

// applyLogin begins, prolongs or ends the job's suspension after a run that tried to log in.
func (s *Schedule) applyLogin(j *job, r *run, now time.Time) {
	wasSuspended := j.suspended()
	j.unverified = false
	switch o := r.outcome; {
	case o.OK || o.LoggedIn:
		j.accepted = true
		if wasSuspended {
			s.endSuspensions(j.server, now)
		}
	case o.Rejected:
		s.suspend(j, r.secret, now)
	case wasSuspended && !o.Throttled: // No verdict, but some servers count such a login and let it time out.
		s.suspend(j, r.secret, now)
	}
}

// suspend suspends a job after one more login that wasn't accepted.
func (s *Schedule) suspend(j *job, secret string, now time.Time) {
	j.rejections++
	j.rejectedSecret = secret
	j.server.addSuspended(j)
	s.realignSlots(j, now)
	wait := j.backoff(s.opts.Seed)
	j.nextLogin = now.Add(wait)
	switch {
	case !j.nextLogin.Before(j.nextSlot):
	case wait < j.Interval*9/10: // Logins don't come more often than slots, but for the 10 % of backoff.
		j.nextLogin = j.nextSlot
	case j.Interval > 0:
		s.setNextSlot(j, j.nextLogin)
	}
}

// endSuspension ends the suspension of a job.
func (s *Schedule) endSuspension(j *job, now time.Time) {
	j.suspension = suspension{accepted: j.accepted}
	delete(j.server.suspended, j)
	s.realignSlots(j, now)
}

// endSuspensions ends all suspensions of a server: it accepted a login that it had rejected, so the fault was its own.
// The jobs log in in their regular slots, which are spread over one interval.
func (s *Schedule) endSuspensions(v *server, now time.Time) {
	v.nextSuspendedLogin = time.Time{}
	for j := range v.suspended {
		s.endSuspension(j, now)
		s.notifyChanged(j)
	}
}

// checkSecret finds out whether the secret of a suspended job has changed, while its slot waits.
func (s *Schedule) checkSecret(j *job) {
	j.checkingSecret = true
	s.uncheckedSecrets = append(s.uncheckedSecrets, j)
	s.startSecretChecks()
}

// startSecretChecks starts as many checks as may run at a time, each in a goroutine, since it may block on a file.
func (s *Schedule) startSecretChecks() {
	for s.secretChecks < maxSecretChecks && len(s.uncheckedSecrets) > 0 {
		j := s.uncheckedSecrets[0]
		s.uncheckedSecrets[0] = nil
		s.uncheckedSecrets = s.uncheckedSecrets[1:]
		s.secretChecks++
		job := j.Job
		go func() {
			secret := job.fingerprint()
			s.update(func(now time.Time) { s.endSecretCheck(j, secret, now) })
		}()
	}
}

// endSecretCheck serves the slot of a job whose secret has changed, and skips that of any other.
func (s *Schedule) endSecretCheck(j *job, secret string, now time.Time) {
	s.secretChecks--
	s.startSecretChecks()
	if !j.checkingSecret { // It was removed meanwhile, or the schedule was stopped.
		return
	}
	j.checkingSecret = false
	if s.compareSecret(j, secret, now); j.suspended() {
		s.skip(Backoff, 1)
		return
	}
	j.slotWaits = true
	s.notifyChanged(j)
	s.enqueue(j, now)
}

// compareSecret ends the job's suspension if the fingerprint differs from that of the rejected secret.
func (s *Schedule) compareSecret(j *job, secret string, now time.Time) {
	switch {
	case secret == "" || !j.suspended():
	case j.rejectedSecret == "":
		j.rejectedSecret = secret
	case j.rejectedSecret != secret:
		j.unverified = true
		s.endSuspension(j, now)
	}
}
