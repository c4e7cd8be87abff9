package history

import (
	"container/list"
	"strings"
	"unsafe"

	"imap-exporter/probe"
)

// A detail is a recent Result, and apart from it the conversation, which the last Result of an account is kept without.
type detail struct {
	result     *probe.Result
	transcript []probe.TranscriptLine
	bytes      int
	// place is in Store.details, of successes or failures.
	place *list.Element
}

// A pool holds the details of all accounts, the oldest first, and what they weigh.
type pool struct {
	successes, failures        list.List
	successBytes, failureBytes int
}

func (p *pool) of(ok bool) (*list.List, *int) {
	if ok {
		return &p.successes, &p.successBytes
	}
	return &p.failures, &p.failureBytes
}

// add puts a detail in at the end.
func (p *pool) add(d *detail) {
	l, bytes := p.of(d.result.OK())
	d.place = l.PushBack(d)
	*bytes += d.bytes
}

// remove takes a detail out.
func (p *pool) remove(d *detail) {
	l, bytes := p.of(d.result.OK())
	l.Remove(d.place)
	*bytes -= d.bytes
}

// excess returns the detail to drop while there are more bytes than the limit, or nil. Failures go when they have three
// quarters of it: else a thousand failing accounts would leave no success to compare with.
func (p *pool) excess(limit int) *detail {
	if p.successBytes+p.failureBytes <= limit {
		return nil
	}
	l := &p.successes
	if p.successBytes <= limit/4 && p.failures.Len() > 0 || l.Len() == 0 {
		l = &p.failures
	}
	d, _ := l.Front().Value.(*detail)
	return d
}

// newDetail returns the detail of a Result, which shares no memory with what is larger than it.
func newDetail(r *probe.Result, transcript []probe.TranscriptLine) *detail {
	d := &detail{result: r, transcript: compact(transcript)}
	d.bytes = weigh(d)
	return d
}

// compact copies lines into one text, so that none keeps the line of the wire alive that it was cut out of.
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

// weigh returns about how many bytes a detail takes, less the capabilities, which the Results of an account share.
func weigh(d *detail) int {
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
