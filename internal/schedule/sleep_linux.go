package schedule

import (
	"time"

	"golang.org/x/sys/unix"
)

// timeAsleep returns how long the machine has slept since it was booted: CLOCK_BOOTTIME counts that time,
// CLOCK_MONOTONIC doesn't (clock_gettime(2)). It returns 0 if the clocks can't be read.
func timeAsleep() time.Duration {
	for {
		before, err := readClock(unix.CLOCK_MONOTONIC)
		if err != nil {
			return 0
		}
		boot, err := readClock(unix.CLOCK_BOOTTIME)
		if err != nil {
			return 0
		}
		after, err := readClock(unix.CLOCK_MONOTONIC)
		if err != nil {
			return 0
		}
		if after-before < minSleep/4 { // Otherwise this goroutine was paused between the readings, which looks like sleep.
			return boot - after
		}
	}
}

func readClock(clockID int32) (time.Duration, error) {
	var now unix.Timespec
	if err := unix.ClockGettime(clockID, &now); err != nil {
		return 0, err
	}
	return time.Duration(now.Nano()), nil
}
