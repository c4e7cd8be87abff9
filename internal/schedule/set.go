package schedule

import "time"

// Set makes jobs the jobs of the schedule, all at once. It may be called before Run and while it runs; afterwards it
// does nothing. Their names must differ: of two that don't, the first counts.
//
// A job with the Name, Server, Interval and RetryInterval of one that is there goes on as that one: it keeps its slots,
// a run under way, what it waits for, and whether it is held back. From its next run on it uses the new Run and Secret.
// With another Interval or RetryInterval, only its slots are planned anew. With another Server it is another job.
// A new job has its first slot within the lesser of its Interval and 30 s. The run of a removed one is canceled, and
// the slot that it was waiting for is as if it had never come.
func (s *Schedule) Set(jobs []Job) {
	wanted := make(map[string]int, len(jobs))
	for i := range jobs {
		if _, twice := wanted[jobs[i].Name]; !twice {
			wanted[jobs[i].Name] = i
		}
	}
	s.update(func(now time.Time) {
		if s.stopping {
			return
		}
		for name, j := range s.jobs {
			if i, ok := wanted[name]; !j.guest && (!ok || jobs[i].Server != j.Server) {
				s.remove(j, now)
			}
		}
		for i := range jobs {
			if wanted[jobs[i].Name] == i {
				s.put(jobs[i], now)
			}
		}
	})
}

// put adds a job, or gives the one of its name the new form.
func (s *Schedule) put(to Job, now time.Time) {
	j := s.jobs[to.Name]
	if j != nil {
		before := j.Job
		j.Job = to
		if before.Interval != to.Interval || before.RetryInterval != to.RetryInterval {
			s.plan(j, now)
		}
		return
	}
	j = &job{Job: to, hash: hash(s.opts.Seed + to.Name), server: s.serverOf(to.Server), untried: true}
	j.server.jobs++
	if r := s.leaving[j.Name]; r != nil { // Back again: never two runs at a time.
		r.job, j.run = j, r
	}
	s.jobs[j.Name] = j
	s.plan(j, now)
}

// plan gives a job its first slot, once the schedule runs.
func (s *Schedule) plan(j *job, now time.Time) {
	switch {
	case s.ctx == nil:
		return
	case j.Interval > 0:
		j.next = j.first(now)
		s.timeline.put(j)
	default:
		j.next = time.Time{}
		s.timeline.remove(j)
		s.dropSlot(j, now)
	}
	s.changed(j)
}

// remove takes a job off the schedule.
func (s *Schedule) remove(j *job, now time.Time) {
	v := j.server
	delete(s.jobs, j.Name)
	delete(v.suspended, j)
	v.jobs--
	s.timeline.remove(j)
	j.answer(answer{err: ErrCanceled})
	s.dropSlot(j, now)
	if j.run != nil {
		j.run.orphaned = true
		j.run.cancel()
		s.leaving[j.Name] = j.run
	}
	s.forget(v)
}

// dropSlot gives up the slot that a job waits for, and its place at the server if nobody else wants the run.
func (s *Schedule) dropSlot(j *job, now time.Time) {
	j.slotWaits, j.checking = false, false
	if len(j.callers) == 0 {
		j.server.waiting.remove(j)
		s.settle(j.server, now)
	}
}
