package schedule

import (
	"fmt"
	"runtime"
	"testing"
	"testing/synctest"
	"time"
)

func newJob(name string, interval time.Duration) *job {
	return &job{Job: Job{Name: name, Interval: interval}, hash: hash(name), server: newServer("")}
}

// at returns the time of day of a fixed date.
func at(hour, minute, second int) time.Time {
	return time.Date(2026, 3, 14, hour, minute, second, 0, time.UTC)
}

// The example of the package comment.
func TestFirstSlotsExample(t *testing.T) {
	const interval = 10 * time.Minute
	for _, test := range []struct{ start, first, second, third time.Time }{
		{at(12, 0, 0), at(12, 0, 12), at(12, 7, 12), at(12, 17, 12)},
		{at(12, 4, 0), at(12, 4, 12), at(12, 17, 12), at(12, 27, 12)},
		{at(12, 6, 50), at(12, 7, 12), at(12, 17, 12), at(12, 27, 12)},
	} {
		t.Run(test.start.Format(time.TimeOnly), func(t *testing.T) {
			j := newJob("", interval)
			j.hash = 7*time.Minute + 12*time.Second
			j.slot = j.firstSlot(test.start)
			for i, want := range []time.Time{test.first, test.second, test.third} {
				if !j.slot.Equal(want) {
					t.Errorf("slot %d is at %s, want %s", i+1, j.slot.Format(time.TimeOnly), want.Format(time.TimeOnly))
				}
				j.slot = j.slotAfter(j.slot, j.slot)
			}
		})
	}
}

// What the package comment says of the first slots holds for any name, interval and start.
func TestFirstSlotsOfAnyJob(t *testing.T) {
	for _, interval := range []time.Duration{time.Second, 7 * time.Second, 30 * time.Second, time.Minute, 10 * time.Minute, time.Hour} {
		for i := range 500 {
			j := newJob(fmt.Sprintf("account-%d", i), interval)
			start := at(12, 0, 0).Add(time.Duration(i) * 1237 * time.Millisecond)

			first := j.firstSlot(start)
			if wait := first.Sub(start); wait < 0 || wait >= min(interval, 30*time.Second) {
				t.Errorf("%s every %s: first slot %s after the start", j.Name, interval, wait)
			}
			j.slot = first
			second := j.slotAfter(first, first)
			if gap := second.Sub(first); gap < interval/2 || gap >= interval*3/2 {
				t.Errorf("%s every %s: second slot %s after the first", j.Name, interval, gap)
			}
			if phase := time.Duration(second.UnixNano()) % interval; phase != j.shareOf(interval) {
				t.Errorf("%s every %s: second slot at phase %s, want %s", j.Name, interval, phase, j.shareOf(interval))
			}
			j.slot = second
			if gap := j.slotAfter(second, second).Sub(second); gap != interval {
				t.Errorf("%s every %s: third slot %s after the second", j.Name, interval, gap)
			}
		}
	}
}

func TestSpreadIsEven(t *testing.T) {
	perSecond := make([]int, 60)
	for i := range 6000 {
		perSecond[newJob(fmt.Sprintf("account-%04d", i), time.Minute).shareOf(time.Minute)/time.Second]++
	}
	for second, n := range perSecond {
		if n < 60 || n > 140 {
			t.Errorf("%d of 6000 jobs start in second %d, want about 100", n, second)
		}
	}
}

func TestAdvance(t *testing.T) {
	for _, test := range []struct {
		name    string
		failing bool
		now     time.Time
		next    time.Time
		passed  uint64
	}{
		{"at its time", false, at(12, 0, 0), at(12, 1, 0), 0},
		{"before the next slot", false, at(12, 0, 59), at(12, 1, 0), 0},
		{"on the next slot", false, at(12, 1, 0), at(12, 2, 0), 1},
		{"after the next slot", false, at(12, 1, 1), at(12, 2, 0), 1},
		{"on the one after", false, at(12, 2, 0), at(12, 3, 0), 2},
		{"after the one after", false, at(12, 2, 59), at(12, 3, 0), 2},
		{"on the third", false, at(12, 3, 0), at(12, 4, 0), 3},
		{"on a later one", false, at(12, 5, 0), at(12, 6, 0), 5},
		{"after a day asleep", false, at(12, 0, 1).AddDate(0, 0, 1), at(12, 1, 0).AddDate(0, 0, 1), 24 * 60},
		{"failing", true, at(12, 0, 1), at(12, 0, 5), 0},
		{"failing, slowly", true, at(12, 0, 12), at(12, 0, 15), 2},
		{"failing, after an hour asleep", true, at(13, 0, 1), at(13, 0, 5), 12 * 60},
	} {
		t.Run(test.name, func(t *testing.T) {
			j := newJob("", time.Minute)
			j.hash, j.nextSlot, j.failing, j.RetryInterval = 0, at(12, 0, 0), test.failing, 5*time.Second
			if passed := j.advanceSlot(test.now); passed != test.passed || !j.nextSlot.Equal(test.next) {
				t.Errorf("%d slots passed before %s, want %d before %s", passed, j.nextSlot, test.passed, test.next)
			}
		})
	}
}

// A login between two slots doesn't move those that follow, even if the machine slept at its time.
func TestAdvancePastLogin(t *testing.T) {
	for now, want := range map[time.Time]uint64{at(12, 1, 15): 1, at(12, 1, 30): 2, at(12, 4, 30): 5} {
		j := newJob("", time.Minute)
		j.hash, j.nextSlot, j.logins = 0, at(12, 0, 0), []*login{{rejections: 1, next: at(12, 1, 25)}}
		if passed := j.advanceSlot(now); passed != want || !j.nextSlot.After(now) || j.nextSlot.Second() != 0 && !j.nextSlot.Equal(j.logins[0].next) {
			t.Errorf("at %s: %d slots passed before %s, want %d", now.Format(time.TimeOnly), passed, j.nextSlot.Format(time.TimeOnly), want)
		}
	}
}

func TestLongRetryIntervalIsIgnored(t *testing.T) {
	j := newJob("", time.Minute)
	j.hash, j.failing, j.RetryInterval = 0, true, time.Hour
	if got, want := j.slotAfter(at(12, 0, 0), at(12, 0, 0)), at(12, 1, 0); !got.Equal(want) {
		t.Errorf("next slot at %s, want %s", got, want)
	}
}

// Two copies of the program with different seeds don't start their probes together.
func TestSeed(t *testing.T) {
	phase := func(seed string) time.Duration {
		s := New(Options{Seed: seed})
		s.Set([]Job{{Name: "a", Interval: time.Hour}})
		return s.jobs["a"].shareOf(time.Hour)
	}
	if phase("") != newJob("a", time.Hour).shareOf(time.Hour) || phase("") == phase("b") {
		t.Errorf("the phase is %s without a seed, %s with one", phase(""), phase("b"))
	}
}

// A job that waits for its slot takes no goroutine and a few hundred bytes.
func TestMemoryOfIdleJobs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const n = 100_000
		jobs := make([]Job, n)
		for i := range jobs {
			jobs[i] = Job{Name: fmt.Sprintf("account-%d", i), Server: fmt.Sprintf("server-%d", i%100), Interval: time.Hour}
		}
		goroutines, before := runtime.NumGoroutine(), inUse()
		begin(t, Options{}, jobs...)
		perJob := int(inUse()-before) / n
		t.Logf("%d bytes a job", perJob)
		if more := runtime.NumGoroutine() - goroutines; perJob > 600 || more > 3 {
			t.Errorf("%d bytes a job, and %d goroutines in all", perJob, more)
		}
		runtime.KeepAlive(jobs)
	})
}

// inUse returns how many bytes are in use.
func inUse() uint64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}
