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

// A row is one account in the list.
type row struct {
	// ID is the row's name in the document.
	ID string
	// Root is the way to the first page, and Path from there to the account's.
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
	// Expiry is nil where no certificate was seen.
	Expiry *expiry
	// Quota is nil without one.
	Quota *usageBar
	Next  nextProbe
}

// A failure is why an account is failing.
type failure struct {
	Phase  probe.Phase
	Reason probe.Reason
	explanation
	// Said are the server's own words.
	Said string
}

// newFailure returns nil for a success.
func (e explanations) failure(r *probe.Result) *failure {
	if r == nil || r.Err == nil {
		return nil
	}
	return &failure{r.Err.Phase, r.Err.Reason, e[r.Err.Reason], visible(r.Err.Text)}
}

// newRow returns the row of an account.
func (p *pages) newRow(a *Account, now time.Time) row {
	summaries := p.history.Beats(a.Name)
	r := row{
		ID: rowID(a.Name), Root: "./", Path: accountPath(a.Name), Name: visible(a.Name), Server: visible(a.Server),
		State: a.state(now), Suspended: a.Suspended, Failure: p.explain.failure(a.Last), Sparkline: newSparkline(summaries),
		Since: relativeTime{a.Since, now}, Expiry: newExpiry(a.expiry(), now), Quota: fullestBar(a.Last), Next: newNextProbe(a, now),
	}
	if a.Last != nil {
		r.Last, r.Duration = relativeTime{a.Last.Start, now}, durationText(a.Last.Duration)
	}
	if usual := history.Usual(summaries); usual > 0 {
		r.Usual = durationText(usual)
	}
	return r
}

// rowID is a name that stands in a document's id, whatever the account's name is.
func rowID(name string) string {
	sum := fnv.New64a()
	_, _ = sum.Write([]byte(name)) // It never fails.
	return "a" + strconv.FormatUint(sum.Sum64(), 36)
}

// notFolder stands before the names . and .. in addresses: browsers take these for folders, however they are written.
// No configured name has such a character.
const notFolder = "\x01"

// accountPath is the way to an account's page, from the first page.
func accountPath(name string) string {
	if name == "." || name == ".." {
		name = notFolder + name
	}
	return "accounts/" + url.PathEscape(name)
}

// accountFromPath finds the account whose page a path asks for.
func (p *pages) accountFromPath(name string) (Account, bool) {
	return p.opts.Account(strings.TrimPrefix(name, notFolder))
}

// An expiry is when a certificate ends.
type expiry struct {
	relativeTime
	// Days that are left, or that it has been over for.
	Days int
	Over bool
	// Level is "", "warn" in the last two weeks, and "bad" in the last three days.
	Level string
}

func newExpiry(at, now time.Time) *expiry {
	if at.IsZero() {
		return nil
	}
	left := at.Sub(now)
	e := &expiry{relativeTime: relativeTime{at, now}, Days: int(left.Abs() / (24 * time.Hour)), Over: left < 0}
	switch {
	case left < 3*24*time.Hour:
		e.Level = "bad"
	case left < 14*24*time.Hour:
		e.Level = "warn"
	}
	return e
}

// Words says how many days are left.
func (e *expiry) Words() string {
	unit := "days"
	if e.Days == 1 {
		unit = "day"
	}
	if e.Over {
		return fmt.Sprintf("expired %d%s%s ago", e.Days, nonBreakingSpace, unit)
	}
	return fmt.Sprintf("%d%s%s", e.Days, nonBreakingSpace, unit)
}

// A usageBar is how much of a limit is used.
type usageBar struct {
	// Percent is a whole number, and Width its part of 100 that can be drawn.
	Percent, Width int
	// Level is "", "warn" from 80 %, and "bad" from 90 %.
	Level string
	// Used and Limit have their units.
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

// A nextProbe is what comes next for an account.
type nextProbe struct {
	OnDemand bool
	// Run is zero where no run is planned, and Login unless logins are held back.
	Run, Login relativeTime
}

func newNextProbe(a *Account, now time.Time) nextProbe {
	n := nextProbe{OnDemand: a.Interval <= 0, Run: relativeTime{a.NextRun, now}}
	if a.Suspended {
		n.Login = relativeTime{a.NextLogin, now}
	}
	return n
}
