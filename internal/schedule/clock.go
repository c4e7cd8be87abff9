package schedule

import "time"

// minSleep is the shortest sleep of the machine that the schedule notices. It is far above the error of reading two
// clocks one after the other.
const minSleep = time.Second

// A clock tells the time of slots: the wall clock as it was at the start, plus the time since then. It isn't moved when
// the wall clock is set, and counts the time in which the machine sleeps, which Go's monotonic clock doesn't.
type clock struct {
	start         time.Time
	asleep        func() time.Duration // total time the machine has slept
	asleepAtStart time.Duration
	slept         time.Duration // since the start
}

func newClock(asleep func() time.Duration) *clock {
	return &clock{start: time.Now(), asleep: asleep, asleepAtStart: asleep()}
}

// now returns the time.
func (c *clock) now() time.Time {
	if slept := c.asleep() - c.asleepAtStart; slept >= c.slept+minSleep {
		c.slept = slept
	}
	return c.start.Add(time.Since(c.start) + c.slept)
}

// wall converts t to the time that the wall clock, as it is set now, will show. The zero Time remains zero.
func (c *clock) wall(t time.Time) time.Time {
	if t.IsZero() {
		return t
	}
	return time.Now().Add(t.Sub(c.now())).Round(0)
}

// later returns the later of two times.
func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// earlier returns the earlier of two times.
func earlier(a, b time.Time) time.Time {
	if b.Before(a) {
		return b
	}
	return a
}
