package history

import (
	"container/list"
	"unsafe"

	"imap-exporter/probe"
)

// A recentResult is a Result and its transcript. They are apart because the last Result of an account is kept without one.
type recentResult struct {
	result     *probe.Result
	transcript []probe.TranscriptLine
	// bytes is about how much memory it takes.
	bytes int
	// element is that of the list in recentResults.
	element *list.Element
}

// recentResults are the recent Results of all accounts, the oldest first, and how much memory they take.
type recentResults struct {
	successes, failures        list.List
	successBytes, failureBytes int
}

func (all *recentResults) listOf(ok bool) (*list.List, *int) {
	if ok {
		return &all.successes, &all.successBytes
	}
	return &all.failures, &all.failureBytes
}

// add adds r as the newest.
func (all *recentResults) add(r *recentResult) {
	l, bytes := all.listOf(r.result.OK())
	r.element = l.PushBack(r)
	*bytes += r.bytes
}

// remove removes r.
func (all *recentResults) remove(r *recentResult) {
	l, bytes := all.listOf(r.result.OK())
	l.Remove(r.element)
	*bytes -= r.bytes
}

// excess returns the Result to drop while there are more bytes than the limit, or nil. It drops failures once they take three
// quarters of the limit: otherwise a thousand failing accounts would leave no success to compare with.
func (all *recentResults) excess(limit int) *recentResult {
	if all.successBytes+all.failureBytes <= limit {
		return nil
	}
	l := &all.successes
	if all.successBytes <= limit/4 && all.failures.Len() > 0 || l.Len() == 0 {
		l = &all.failures
	}
	r, _ := l.Front().Value.(*recentResult)
	return r
}

// newRecentResult keeps a Result that takes so many bytes, and a transcript.
func newRecentResult(r *probe.Result, bytes int, transcript []probe.TranscriptLine) *recentResult {
	recent := &recentResult{result: r}
	recent.transcript, recent.bytes = copyTranscript(transcript)
	recent.bytes += bytes + int(unsafe.Sizeof(*recent)+unsafe.Sizeof(list.Element{}))
	return recent
}
