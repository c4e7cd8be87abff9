package history

import (
	"container/list"
	"strings"
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

func newRecentResult(r *probe.Result, transcript []probe.TranscriptLine) *recentResult {
	recent := &recentResult{result: r, transcript: compact(transcript)}
	recent.bytes = weigh(recent)
	return recent
}

// compact copies the lines into one string, because each is a piece of a longer line that it would keep in memory.
func compact(lines []probe.TranscriptLine) []probe.TranscriptLine {
	if len(lines) == 0 {
		return nil
	}
	var all strings.Builder
	for _, line := range lines {
		all.WriteString(line.Text)
	}
	rest := strings.Clone(all.String())
	copied := make([]probe.TranscriptLine, len(lines))
	for i, line := range lines {
		copied[i] = line
		copied[i].Text, rest = rest[:len(line.Text)], rest[len(line.Text):]
	}
	return copied
}

// weigh returns about how many bytes d takes, less the capabilities, which the Results of an account share.
func weigh(d *recentResult) int {
	const header, number, allocation = 16, 8, 16
	r := d.result
	bytes := int(unsafe.Sizeof(*d) + unsafe.Sizeof(*r) + unsafe.Sizeof(list.Element{}))
	bytes += len(r.Phases)*int(unsafe.Sizeof(probe.Timing{})) + len(r.Spans)*int(unsafe.Sizeof(probe.Span{}))
	bytes += len(r.Connects) * int(unsafe.Sizeof(probe.Connect{}))
	bytes += len(r.Capabilities) * int(unsafe.Sizeof(probe.Capabilities{}))
	for i := range r.Mailboxes {
		bytes += int(unsafe.Sizeof(r.Mailboxes[i])) + len(r.Mailboxes[i].Name) + 9*number
	}
	if r.Quota != nil {
		for i := range r.Quota.Roots {
			bytes += int(unsafe.Sizeof(r.Quota.Roots[i])) + len(r.Quota.Roots[i].Name) + 4*number
		}
	}
	for _, note := range r.Notes {
		bytes += header + len(note)
	}
	if r.TLS != nil {
		bytes += int(unsafe.Sizeof(*r.TLS))
	}
	if r.Err != nil {
		bytes += int(unsafe.Sizeof(*r.Err)) + len(r.Err.Text) + 4*allocation
	}
	for _, line := range d.transcript {
		bytes += int(unsafe.Sizeof(line)) + len(line.Text)
	}
	return bytes + 8*allocation
}
