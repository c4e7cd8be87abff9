package wire

import (
	"net"
	"time"
)

// A receiver reads, and tells when the last of the bytes arrived, by the wall clock; zero if it doesn't know.
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

// receiveTime is when bytes were received that the kernel stamped at stamp and that had been read by now. The stamp goes
// by the wall clock, now by both clocks, so that stamp can be converted to the monotonic one. Nothing is received before
// earliest or after now: a stamp that says so was taken by a wall clock that has been set since, and now must do.
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
