package schedule

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"
)

// Slots that have come when the schedule is stopped count, though they weren't handled yet.
func TestStopAfterStandstill(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		job := newRecorder().job("a", "s", 10*time.Second, time.Second)
		start := time.Now()
		w := begin(t, Options{}, job)
		wait(time.Minute)
		w.sleep(time.Minute)
		w.stop()
		if counts, want := w.Counts(), slotsUntil(job, start, start.Add(2*time.Minute)); counts.Scheduled != want {
			t.Errorf("counts are %+v, want %d slots", counts, want)
		}
	})
}

// Slots pass while the process is stopped, as by SIGSTOP. Afterwards each job runs once, within the limits, and the slots
// that it missed are counted.
func TestStandstill(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRecorder()
		start := time.Now()
		var jobs []Job
		var slots uint64
		for i := range 100 {
			job := r.job(fmt.Sprintf("job-%d", i), fmt.Sprintf("server-%d", i), 10*time.Second, time.Second)
			jobs = append(jobs, job)
			slots += slotsUntil(job, start, start.Add(400*time.Second))
		}
		w := begin(t, Options{MaxConcurrent: 20}, jobs...)
		wait(100 * time.Second)
		w.standStill(200 * time.Second)
		resumed := time.Now()
		wait(10*time.Second - time.Nanosecond)
		for _, job := range jobs {
			n := 0
			for _, at := range r.startsOf(job.Name) {
				if !at.Before(resumed) {
					n++
				}
			}
			if n == 0 || n > 2 { // One for what was missed, and perhaps its next slot.
				t.Errorf("%s ran %d times in 10 s after the standstill", job.Name, n)
			}
		}
		wait(90*time.Second + time.Nanosecond)
		w.stop()
		if r.most("") > 20 {
			t.Errorf("%d ran at once", r.most(""))
		}
		counts := w.Counts()
		checkSum(t, counts)
		if counts.Scheduled != slots || counts.Skipped[Overload] < 100*18 || counts.Skipped[Overload] > 100*21 {
			t.Errorf("counts are %+v, want %d slots", counts, slots)
		}
	})
}

// The slots that passed while the machine slept are counted, though Go's monotonic clock stood still.
func TestMachineSleep(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRecorder()
		w := begin(t, Options{}, r.job("a", "s", time.Minute, time.Second))
		wait(10 * time.Minute)
		before, count := r.startsOf("a")[r.count("a")-1], r.count("a")
		w.sleep(time.Hour)
		wait(2 * time.Minute)
		w.stop()
		counts := w.Counts()
		if more := r.count("a") - count; more < 2 || more > 3 {
			t.Errorf("%d runs within 2 minutes after the sleep", more)
		}
		if skipped := counts.Skipped[Overload]; skipped < 59 || skipped > 60 {
			t.Errorf("%d slots skipped, want those of an hour", skipped)
		}
		for _, start := range r.startsOf("a")[count+1:] { // The first is late; the others are at their own phase of the wall clock.
			if phase := start.Add(time.Hour).Sub(before) % time.Minute; phase != 0 {
				t.Errorf("a run is %s off its phase", phase)
			}
		}
	})
}

// A sleep is noticed within a minute, however long the intervals are, and the State has the next run by the wall clock.
func TestMachineSleepWithLongIntervals(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRecorder()
		w := begin(t, Options{}, r.job("a", "s", 6*time.Hour, time.Second))
		wait(time.Hour)
		count := r.count("a")
		w.sleep(12 * time.Hour)
		wait(maxTimer)
		state, _ := w.State("a")
		if r.count("a") != count+1 || time.Until(state.NextRun) <= 0 || time.Until(state.NextRun) > 6*time.Hour {
			t.Errorf("%d runs, %s before the next", r.count("a")-count, time.Until(state.NextRun))
		}
	})
}
