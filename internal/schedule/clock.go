package schedule

import "time"

// leap is how much the machine must have slept for the schedule to notice. It is far above what reading two clocks one
// after the other can err, and far below what matters.
const leap = time.Second

// A clock tells the time that slots are reckoned in: it reads the wall clock once, at its start, then counts on
// whatever the wall clock is set to, and also while the machine sleeps, when Go's own monotonic clock stands still.
type clock struct {
	start  time.Time
	asleep func() time.Duration // how long the machine has slept, since some moment
	awake  time.Duration        // what asleep said at the start
	slept  time.Duration        // since the start
}

func newClock(asleep func() time.Duration) *clock {
	return &clock{start: time.Now(), asleep: asleep, awake: asleep()}
}

// now returns the time.
func (c *clock) now() time.Time {
	if slept := c.asleep() - c.awake; slept >= c.slept+leap {
		c.slept = slept
	}
	return c.start.Add(time.Since(c.start) + c.slept)
}

// wall returns what the wall clock, as it is set now, says at t. It is the zero Time for the zero Time.
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
