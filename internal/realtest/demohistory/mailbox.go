package demohistory

import (
	"slices"
	"time"

	"imap-exporter/probe"
)

// How demo-growing fills: a message every growthPause, until there are growthMost; then most are deleted.
const (
	growthPause = 4500 * time.Millisecond
	growthMost  = 300
	growthLeast = 20
)

// fill gives a successful probe mailboxes and quotas as they were at the time.
func (s *subject) fill(r *probe.Result) {
	r.Mailboxes = slices.Clone(r.Mailboxes)
	for i := range r.Mailboxes {
		m := &r.Mailboxes[i]
		m.Newest = earlier(m.Newest, s.found.Start, r.Start)
		m.Oldest = earlier(m.Oldest, s.found.Start, r.Start)
	}
	if r.Quota != nil {
		quota := *r.Quota
		quota.Roots = slices.Clone(quota.Roots)
		r.Quota = &quota
	}
	switch r.Account {
	case "demo-growing":
		s.grow(r)
	case "demo-quota":
		s.creep(r)
	}
}

// earlier is a message's date in a mailbox that gets a message every hour.
func earlier(date *time.Time, found, at time.Time) *time.Time {
	if date == nil {
		return nil
	}
	return new(at.Truncate(time.Hour).Add(date.Sub(found).Round(time.Minute)))
}

// grow sets the INBOX of demo-growing.
func (s *subject) grow(r *probe.Result) {
	i := slices.IndexFunc(r.Mailboxes, func(m probe.Mailbox) bool { return m.Name == "INBOX" })
	if i < 0 {
		return
	}
	m := &r.Mailboxes[i]
	const cycle = (growthMost - growthLeast) * growthPause
	arrived := uint32(r.Start.Sub(s.end.Add(-30*day)) / growthPause)
	messages := growthLeast + uint32(r.Start.Sub(r.Start.Truncate(cycle))/growthPause)
	m.Messages, m.Unseen, m.UIDNext = new(messages), new(messages*6/10), new(arrived+1)
	m.Newest = new(r.Start.Truncate(growthPause))
	m.Oldest = new(r.Start.Add(-time.Duration(messages) * growthPause))
	if m.SizeBytes != nil {
		m.SizeBytes = new(uint64(messages) * 900)
	}
	if m.HighestModSeq != nil {
		m.HighestModSeq = new(uint64(arrived) + 10)
	}
	if r.Quota == nil {
		return
	}
	for j := range r.Quota.Roots {
		root := &r.Quota.Roots[j]
		if root.Storage != nil {
			root.Storage = &probe.Resource{Used: uint64(messages+76) * 1024, Limit: root.Storage.Limit}
		}
		if root.Messages != nil {
			root.Messages = &probe.Resource{Used: uint64(messages + 76), Limit: root.Messages.Limit}
		}
	}
}

// creep makes the quota of demo-quota grow by a quarter of a percent a day, up to its present value.
func (s *subject) creep(r *probe.Result) {
	back := s.end.Sub(r.Start).Hours() / 24
	for j := range r.Quota.Roots {
		root := &r.Quota.Roots[j]
		for _, resource := range []**probe.Resource{&root.Storage, &root.Messages} {
			if old := *resource; old != nil {
				less := uint64(float64(old.Limit) * 0.0025 * max(0, back))
				*resource = &probe.Resource{Used: old.Used - min(old.Used, less), Limit: old.Limit}
			}
		}
	}
}
