package schedule

import (
	"crypto/sha256"
	"encoding/binary"
	"time"
)

// firstSlotWithin is the longest wait for a job's first slot.
const firstSlotWithin = 30 * time.Second

// firstSlot returns the job's first slot after now.
func (j *job) firstSlot(now time.Time) time.Time {
	slot := j.regularSlot(now)
	if slot.Sub(now) < firstSlotWithin {
		return slot
	}
	return now.Add(j.shareOf(firstSlotWithin))
}

// slotAfter returns the slot after the one at t.
func (j *job) slotAfter(t, now time.Time) time.Time {
	if j.retrying(now) {
		return t.Add(j.RetryInterval)
	}
	slot := j.regularSlot(t.Add(j.Interval / 2))
	if l := j.suspension(""); l != nil && l.next.After(t) && l.next.Before(slot) {
		return l.next
	}
	return slot
}

// regularSlot returns the first time at or after t that is at the job's offset within its interval.
func (j *job) regularSlot(t time.Time) time.Time {
	sinceSlot := (time.Duration(t.UnixNano()) - j.shareOf(j.Interval)) % j.Interval
	if sinceSlot == 0 {
		return t
	}
	return t.Add(j.Interval - sinceSlot)
}

// shareOf returns the job's offset within d. It is always the same, and different names are evenly spread over d.
func (j *job) shareOf(d time.Duration) time.Duration {
	return j.hash % d
}

// advanceSlot moves the next slot, which has come, to the first one after now, and returns how many slots it left out.
// It calculates them: a week's sleep costs no more than a second's.
func (j *job) advanceSlot(now time.Time) (leftOut uint64) {
	j.nextSlot = j.slotAfter(j.nextSlot, now)
	for ; leftOut < 2 && !j.nextSlot.After(now); leftOut++ { // A login may be due between slots. All later ones are regular.
		j.nextSlot = j.slotAfter(j.nextSlot, now)
	}
	period := j.Interval
	if j.retrying(now) {
		period = j.RetryInterval
	}
	if late := now.Sub(j.nextSlot); late >= 0 {
		skipped := late - late%period + period
		j.nextSlot = j.nextSlot.Add(skipped)
		leftOut += uint64(skipped / period) //nolint:gosec // It isn't negative.
	}
	return leftOut
}

// retrySlot returns the first slot after now that is a multiple of RetryInterval after the slot that failed.
func (j *job) retrySlot(now time.Time) time.Time {
	sinceSlot := now.Sub(j.slot)
	return now.Add(j.RetryInterval - sinceSlot%j.RetryInterval)
}

// realignSlots returns a job to its regular slots after its retries, its suspension or a new suspension.
func (s *Schedule) realignSlots(j *job, now time.Time) {
	if j.Interval > 0 {
		s.setNextSlot(j, j.regularSlot(later(j.slot.Add(j.Interval/2), now.Add(1))))
	}
}

// postponeSlot moves the next slot to at least half an interval after a run for Do that counts like one for a slot.
func (s *Schedule) postponeSlot(j *job, r *run, now time.Time) {
	j.slot = r.started
	if j.Interval > 0 {
		s.setNextSlot(j, j.slotAfter(r.started, now))
	}
}

// setNextSlot sets the job's next slot.
func (s *Schedule) setNextSlot(j *job, slot time.Time) {
	j.nextSlot = slot
	s.slots.put(j)
}

// hash returns 63 bits of SHA-256 as a duration, up to 292 years: names that differ in one digit get very different ones.
func hash(name string) time.Duration {
	sum := sha256.Sum256([]byte(name))
	return time.Duration(binary.BigEndian.Uint64(sum[:]) >> 1)
}
