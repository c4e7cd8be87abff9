package web

import (
	"fmt"
	"hash/fnv"
	"strconv"
	"time"

	"imap-exporter/internal/account"
	"imap-exporter/internal/history"
	"imap-exporter/probe"
)

// A row is an account in the list.
type row struct {
	// ID is the id of the row's element.
	ID string
	// Root is the relative address of the first page, and Path that of the account's page, from there.
	Root, Path   string
	Name, Server string
	State        state
	Suspended    bool
	Failure      *failure
	Sparkline    sparkline
	Last         relativeTime
	Duration     string
	// Usual is "" before the first success.
	Usual string
	Since relativeTime
	// Expiry is nil if no certificate was seen.
	Expiry *expiry
	// Quota is the fullest quota, or nil.
	Quota *usageBar
	Next  nextProbe
}

// A failure is why an account is failing.
type failure struct {
	Phase  probe.Phase
	Reason probe.Reason
	explanation
	// Text is what the server said, or the cause of the failure.
	Text string
}

// failure returns why a probe failed, or nil.
func (e explanations) failure(r *probe.Result) *failure {
	if r == nil || r.Err == nil {
		return nil
	}
	return &failure{r.Err.Phase, r.Err.Reason, e[r.Err.Reason], printable(r.Err.Text)}
}

// newRow returns the row of an account.
func (p *pages) newRow(a *accountView, now time.Time) row {
	summaries := p.history.Summaries(a.Key())
	r := row{
		ID: rowID(a.Key()), Root: "./", Path: accountPath(a.Key()), Name: printable(a.Name), Server: printable(a.Server),
		State: a.state(now), Suspended: a.Suspended, Failure: p.explain.failure(a.Last), Sparkline: newSparkline(summaries),
		Since: relativeTime{a.Since, now}, Expiry: newExpiry(a.expiry(), now), Quota: fullestBar(a.Last), Next: newNextProbe(a, now),
	}
	if a.Last != nil {
		r.Last, r.Duration = relativeTime{a.Last.Start, now}, durationText(a.Last.Duration)
	}
	if usual := history.MedianDuration(summaries); usual > 0 {
		r.Usual = durationText(usual)
	}
	return r
}

// rowID returns an element id for an account with any name.
func rowID(key account.Key) string {
	sum := fnv.New64a()
	_, _ = sum.Write([]byte(key.Job())) // It never fails.
	return "a" + strconv.FormatUint(sum.Sum64(), 36)
}

// An expiry is when a certificate ends.
type expiry struct {
	relativeTime
	// Days are the days left or, if Expired, since then.
	Days    int
	Expired bool
	// Level is "", "warn" in the last two weeks, and "bad" in the last three days.
	Level string
}

func newExpiry(at, now time.Time) *expiry {
	if at.IsZero() {
		return nil
	}
	left := at.Sub(now)
	e := &expiry{relativeTime: relativeTime{at, now}, Days: int(left.Abs() / (24 * time.Hour)), Expired: left < 0}
	switch {
	case left < 3*24*time.Hour:
		e.Level = "bad"
	case left < 14*24*time.Hour:
		e.Level = "warn"
	}
	return e
}

// Text says how many days are left.
func (e *expiry) Text() string {
	unit := "days"
	if e.Days == 1 {
		unit = "day"
	}
	if e.Expired {
		return fmt.Sprintf("expired %d%s%s ago", e.Days, nonBreakingSpace, unit)
	}
	return fmt.Sprintf("%d%s%s", e.Days, nonBreakingSpace, unit)
}

// A usageBar shows how much of a limit is used.
type usageBar struct {
	// Percent is the used part; Width is the same, at most 100.
	Percent, Width int
	// Level is "", "warn" from 80 %, and "bad" from 90 %.
	Level string
	// Used and Limit are texts with units.
	Used, Limit string
}

// newUsageBar returns nil if there is no limit.
func newUsageBar(r *probe.Resource, inBytes bool) *usageBar {
	fraction, ok := r.Fraction()
	if !ok {
		return nil
	}
	b := &usageBar{
		Percent: int(min(fraction, 99.99) * 100), Width: int(min(fraction, 1) * 100),
		Used: usageText(r.Used, inBytes), Limit: usageText(r.Limit, inBytes),
	}
	switch {
	case fraction >= 0.9:
		b.Level = "bad"
	case fraction >= 0.8:
		b.Level = "warn"
	}
	return b
}

// usageText writes a number of bytes or messages.
func usageText(n uint64, inBytes bool) string {
	if inBytes {
		return bytesText(n)
	}
	return countText(n)
}

// fullestBar returns the bar of the quota that is closest to its limit, or nil.
func fullestBar(r *probe.Result) *usageBar {
	if r == nil {
		return nil
	}
	return newUsageBar(r.Quota.Fullest())
}

// A nextProbe is when an account is probed next.
type nextProbe struct {
	OnDemand bool
	// Run is zero if no probe is due. Login is when logins are tried again; zero unless they are suspended.
	Run, Login relativeTime
}

func newNextProbe(a *accountView, now time.Time) nextProbe {
	n := nextProbe{OnDemand: a.Interval <= 0, Run: relativeTime{a.NextRun, now}}
	if a.Suspended {
		n.Login = relativeTime{a.NextLogin, now}
	}
	return n
}
