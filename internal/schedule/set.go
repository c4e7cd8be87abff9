package schedule

import "time"

// Set replaces the jobs of the schedule. It may be called before and during Run; afterwards it does nothing. If two jobs
// have the same name, the first one counts.
//
// A job with the same Name and Server as one on the schedule replaces it: a run under way continues, and the job keeps
// its suspension. With the same Interval and RetryInterval, it also keeps its slots; otherwise these are planned anew.
// Its Run and Secret are used from the next run on. A job with another Server is a new job. A new job has its first slot
// within 30 s. The run of a removed job is canceled, and a slot that waits is not counted.
func (s *Schedule) Set(jobs []Job) {
	indexByName := make(map[string]int, len(jobs))
	for i := range jobs {
		if _, exists := indexByName[jobs[i].Name]; !exists {
			indexByName[jobs[i].Name] = i
		}
	}
	s.update(func(now time.Time) {
		if s.stopping {
			return
		}
		for name, j := range s.jobs {
			if i, ok := indexByName[name]; !j.unconfigured && (!ok || jobs[i].Server != j.Server) {
				s.removeJob(j, now)
			}
		}
		for i := range jobs {
			if indexByName[jobs[i].Name] == i {
				s.setJob(jobs[i], now)
			}
		}
	})
}

// setJob adds a job, or replaces the one of its name.
func (s *Schedule) setJob(to Job, now time.Time) {
	j := s.jobs[to.Name]
	if j != nil {
		before := j.Job
		j.Job = to
		s.dropAllReusable(j)
		if before.Interval != to.Interval || before.RetryInterval != to.RetryInterval {
			s.planSlots(j, now)
		}
		return
	}
	j = &job{Job: to, hash: hash(s.opts.Seed + to.Name), server: s.serverNamed(to.Server), unverified: true}
	j.server.jobs++
	if r := s.removedRuns[j.Name]; r != nil { // It was removed and is back: its next run must wait for the end of that one.
		r.job, j.run = j, r
	}
	s.jobs[j.Name] = j
	s.planSlots(j, now)
}

// planSlots sets the first slot of a job with a new interval. Before Run, it does nothing.
func (s *Schedule) planSlots(j *job, now time.Time) {
	switch {
	case s.execute == nil:
		return
	case j.Interval > 0:
		s.setNextSlot(j, j.firstSlot(now))
	default:
		j.nextSlot = time.Time{}
		s.slots.remove(j)
		s.dropWaitingSlot(j, now)
	}
	s.notifyChanged(j)
}

// removeJob removes a job from the schedule.
func (s *Schedule) removeJob(j *job, now time.Time) {
	v := j.server
	delete(s.jobs, j.Name)
	delete(v.troubled, j)
	v.jobs--
	s.slots.remove(j)
	s.dropAllReusable(j)
	j.answerAllCallers(answer{err: ErrCanceled})
	s.dropWaitingSlot(j, now)
	if j.run != nil {
		j.run.jobRemoved = true
		j.run.cancel()
		s.removedRuns[j.Name] = j.run
	}
	s.removeIfUnused(v)
}

// dropWaitingSlot drops the slot that waits, uncounted. The job waits on only if there are callers.
func (s *Schedule) dropWaitingSlot(j *job, now time.Time) {
	before := j.nextKey()
	j.slotWaits, j.checkingSecret = false, false
	s.reconsider(j, before, now)
}
