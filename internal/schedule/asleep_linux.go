package schedule

import (
	"time"

	"golang.org/x/sys/unix"
)

// machineAsleep returns how long the machine has been suspended since it was booted: CLOCK_BOOTTIME counts that,
// CLOCK_MONOTONIC doesn't (clock_gettime(2)). It is 0 where the clocks can't be read.
func machineAsleep() time.Duration {
	for {
		before, err := read(unix.CLOCK_MONOTONIC)
		if err != nil {
			return 0
		}
		boot, err := read(unix.CLOCK_BOOTTIME)
		if err != nil {
			return 0
		}
		after, err := read(unix.CLOCK_MONOTONIC)
		if err != nil {
			return 0
		}
		if after-before < leap/4 { // Else we were held up between the readings, which looks like sleep.
			return boot - after
		}
	}
}

// read reads a clock.
func read(clockID int32) (time.Duration, error) {
	var now unix.Timespec
	if err := unix.ClockGettime(clockID, &now); err != nil {
		return 0, err
	}
	return time.Duration(now.Nano()), nil
}
