package schedule

import "time"

// maxSecretChecks limits how many secrets are checked at a time. On a file system that hangs, each check holds a thread.
const maxSecretChecks = 4

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
	if s.compareSecret(j, secret, now); j.suspension("") != nil {
		s.skip(Backoff, 1)
		return
	}
	j.slotWaits = true
	s.notifyChanged(j)
	s.enqueue(j, now)
}

// recheckSecret ends the suspension of a job's login with a key if its secret has changed. It reads the secret without the
// lock, as that may block.
func (s *Schedule) recheckSecret(name, key string) {
	var suspended *job
	var job Job
	s.update(func(time.Time) {
		if j := s.jobs[name]; j != nil && j.suspension(key) != nil {
			suspended, job = j, j.Job
		}
	})
	if suspended == nil {
		return
	}
	secret := job.fingerprint()
	s.update(func(now time.Time) {
		if s.jobs[name] == suspended {
			s.compareSecret(suspended, secret, now)
			s.notifyChanged(suspended)
		}
	})
}

// compareSecret ends the suspensions of those logins whose rejected secret has another fingerprint.
func (s *Schedule) compareSecret(j *job, secret string, now time.Time) {
	if secret == "" {
		return
	}
	for _, l := range j.logins {
		switch {
		case !l.suspended():
		case l.secret == "":
			l.secret = secret
		case l.secret != secret:
			j.unverified = true
			s.endSuspension(j, l, now)
		}
	}
}
