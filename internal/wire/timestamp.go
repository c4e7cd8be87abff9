package wire

import (
	"net"
	"time"
)

// A receiver reads, and returns when the last of the bytes arrived, by the wall clock; zero if that is unknown.
type receiver interface {
	receive(p []byte) (n int, stamp time.Time, err error)
}

// A userReceiver has no timestamps.
type userReceiver struct{ conn net.Conn }

func (r userReceiver) receive(p []byte) (n int, stamp time.Time, err error) {
	n, err = r.conn.Read(p)
	return n, time.Time{}, err
}

// jitter is how far apart two readings of the clocks may be.
const jitter = time.Millisecond

// receiveTime returns when bytes were received, from the kernel's timestamp and the time now at which they had been read. The
// timestamp has only the wall clock; now has both clocks, so that the timestamp can be converted to the monotonic clock. If
// the result is before earliest or after now, the wall clock was set in between, and receiveTime returns now.
func receiveTime(now, stamp, earliest time.Time) time.Time {
	if stamp.IsZero() {
		return now
	}
	age := now.Round(0).Sub(stamp)
	at := now.Add(-age)
	switch {
	case age < 0 || at.Before(earliest.Add(-jitter)):
		return now
	case at.Before(earliest):
		return earliest
	}
	return at
}
