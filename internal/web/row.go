package web

import (
	"fmt"
	"hash/fnv"
	"net/url"
	"strconv"
	"strings"
	"time"

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
		ID: rowID(a.Name), Root: "./", Path: accountPath(a.Name), Name: printable(a.Name), Server: printable(a.Server),
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
func rowID(name string) string {
	sum := fnv.New64a()
	_, _ = sum.Write([]byte(name)) // It never fails.
	return "a" + strconv.FormatUint(sum.Sum64(), 36)
}

// dotPrefix precedes the names . and .. in addresses, since browsers resolve these as folders even if they are escaped. No
// configured name contains this character.
const dotPrefix = "\x01"

// accountPath returns the path of an account's page, relative to the first page.
func accountPath(name string) string {
	if name == "." || name == ".." {
		name = dotPrefix + name
	}
	return "accounts/" + url.PathEscape(name)
}

// accountFromPath returns the account whose name, as accountPath writes it, is in a path.
func (p *pages) accountFromPath(name string) (accountView, bool) {
	return p.account(strings.TrimPrefix(name, dotPrefix))
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

// share returns the part that is used; -1 where there is no limit. A limit of 0 is used up.
func share(r *probe.Resource) float64 {
	switch {
	case r == nil:
		return -1
	case r.Limit == 0:
		return 1
	default:
		return float64(r.Used) / float64(r.Limit)
	}
}

// newUsageBar returns nil where there is no limit.
func newUsageBar(r *probe.Resource, text func(uint64) string) *usageBar {
	if r == nil {
		return nil
	}
	part := share(r)
	b := &usageBar{Percent: int(min(part, 99.99) * 100), Width: int(min(part, 1) * 100), Used: text(r.Used), Limit: text(r.Limit)}
	switch {
	case part >= 0.9:
		b.Level = "bad"
	case part >= 0.8:
		b.Level = "warn"
	}
	return b
}

// fullestBar returns the bar of the quota that is closest to its limit, or nil.
func fullestBar(r *probe.Result) *usageBar {
	var fullest *usageBar
	most := -1.0
	if r == nil || r.Quota == nil {
		return nil
	}
	for _, root := range r.Quota.Roots {
		if part := share(root.Storage); part > most {
			most, fullest = part, newUsageBar(root.Storage, bytesText)
		}
		if part := share(root.Messages); part > most {
			most, fullest = part, newUsageBar(root.Messages, countText[uint64])
		}
	}
	return fullest
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
