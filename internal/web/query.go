package web

import (
	"cmp"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

// rowsPerPage is how many accounts one page of the list has.
const rowsPerPage = 50

// A state is how an account does, in one word.
type state string

// The states, the ones to look at first.
const (
	stateFailing state = "failing"
	stateOverdue state = "overdue"
	stateWaiting state = "waiting"
	stateOK      state = "ok"
)

// urgency is a state's place in the list.
func (s state) urgency() int {
	switch s {
	case stateFailing:
		return 0
	case stateOverdue:
		return 1
	case stateWaiting:
		return 2
	case stateOK:
		return 3
	default:
		return -1
	}
}

// lifetime is how many intervals the last Result tells the present for, as in package collectors.
const lifetime = 3

// state returns how the account does. That of one without an interval never is overdue: no probe is due.
func (a *Account) state(now time.Time) state {
	switch {
	case a.Last == nil:
		return stateWaiting
	case !a.Last.OK():
		return stateFailing
	case a.Interval > 0 && now.Sub(a.Last.Start) > lifetime*a.Interval:
		return stateOverdue
	default:
		return stateOK
	}
}

// expiry is when the certificate stops being valid; zero where none was seen.
func (a *Account) expiry() time.Time {
	if a.Last == nil || a.Last.TLS == nil {
		return time.Time{}
	}
	return a.Last.TLS.NotAfter
}

// fullest returns the largest part of a quota that is used, from 0 to 1 and beyond; -1 without a quota.
func (a *Account) fullest() float64 {
	most := -1.0
	if a.Last == nil || a.Last.Quota == nil {
		return most
	}
	for _, root := range a.Last.Quota.Roots {
		most = max(most, share(root.Storage), share(root.Messages))
	}
	return most
}

// A query is what the reader of the list asks for, in the address of the page.
type query struct {
	// Account and Server are parts of names, in any case; "" is everything.
	Account, Server string
	// State is one state alone, or "suspended"; "" is every one.
	State string
	// Sort is a key of sortOrders, and Desc turns it round.
	Sort string
	Desc bool
	// Page counts from 1.
	Page int
}

// A candidate is an account of which it is to be found out whether, and where, it is listed.
type candidate struct {
	*Account
	state state
}

// sortOrders are what the list can be sorted by; candidates that are alike stay in the order of their names. What isn't known
// comes last.
func sortOrders() map[string]func(a, b candidate) int {
	times := func(of func(*Account) time.Time) func(a, b candidate) int {
		return func(a, b candidate) int {
			s, t := of(a.Account), of(b.Account)
			return cmp.Or(compareBool(s.IsZero(), t.IsZero()), s.Compare(t))
		}
	}
	return map[string]func(a, b candidate) int{
		"state":  func(a, b candidate) int { return cmp.Compare(a.state.urgency(), b.state.urgency()) },
		"name":   func(_, _ candidate) int { return 0 },
		"server": func(a, b candidate) int { return strings.Compare(a.Server, b.Server) },
		"latency": func(a, b candidate) int {
			if a.Last == nil || b.Last == nil {
				return compareBool(a.Last == nil, b.Last == nil)
			}
			return cmp.Compare(b.Last.Duration, a.Last.Duration) // The slowest first.
		},
		"since":       times(func(a *Account) time.Time { return a.Since }), // What has lasted longest first.
		"certificate": times((*Account).expiry),
		"quota":       func(a, b candidate) int { return cmp.Compare(b.fullest(), a.fullest()) }, // The fullest first.
		"next":        times(func(a *Account) time.Time { return a.NextRun }),
	}
}

func compareBool(a, b bool) int {
	switch {
	case a == b:
		return 0
	case b:
		return -1
	default:
		return 1
	}
}

// parseQuery reads an address leniently: what makes no sense is left out.
func parseQuery(values url.Values) query {
	q := query{
		Account: strings.TrimSpace(values.Get("account")), Server: strings.TrimSpace(values.Get("server")),
		Sort: values.Get("sort"), Desc: values.Get("desc") == "1", Page: 1,
	}
	if s := values.Get("state"); s == "suspended" || state(s).urgency() >= 0 {
		q.State = s
	}
	if sortOrders()[q.Sort] == nil {
		q.Sort = "state"
	}
	if n, err := strconv.Atoi(values.Get("page")); err == nil && n > 1 {
		q.Page = n
	}
	return q
}

// String returns the query as an address has it; "" when it goes without saying.
func (q query) String() string {
	if values := q.values(); len(values) > 0 {
		return "?" + values.Encode()
	}
	return ""
}

// values are what doesn't go without saying.
func (q query) values() url.Values {
	values := url.Values{}
	set := func(key, value, usual string) {
		if value != usual {
			values.Set(key, value)
		}
	}
	set("account", q.Account, "")
	set("server", q.Server, "")
	set("state", q.State, "")
	set("sort", q.Sort, "state")
	if q.Desc {
		values.Set("desc", "1")
	}
	set("page", strconv.Itoa(q.Page), "1")
	return values
}

// matchesNames says whether an account is asked for, in whichever state it is, and matchesState whether it is in the state asked for.
func (q query) matchesNames(a *Account) bool {
	return contains(a.Name, q.Account) && contains(a.Server, q.Server)
}

func (q query) matchesState(c candidate) bool {
	switch q.State {
	case "":
		return true
	case "suspended":
		return c.Suspended
	default:
		return string(c.state) == q.State
	}
}

// contains looks for a part of a name, in any case.
func contains(name, part string) bool {
	return part == "" || strings.Contains(strings.ToLower(name), strings.ToLower(part))
}

// A queryResult is what a query finds.
type queryResult struct {
	// Query has the page that there is.
	Query query
	// Accounts are those of the page.
	Accounts []*Account
	// Found is how many there are on all pages, and Pages how many pages, at least 1. First is the number of the first
	// account of the page, from 1 on.
	Found, Pages, First int
	// Counts are how many there would be in each state, "suspended" and "" for any, and Failing how many there are
	// whatever the query is.
	Counts  map[string]int
	Failing int
}

// runQuery returns the page of accounts that a query asks for. It is quicker when the accounts are sorted by name.
func runQuery(accounts []Account, q query, now time.Time) queryResult {
	l := queryResult{Counts: make(map[string]int)}
	counts := make(map[state]int)
	found := make([]candidate, 0, len(accounts))
	for i := range accounts {
		c := candidate{&accounts[i], accounts[i].state(now)}
		if c.state == stateFailing {
			l.Failing++
		}
		if !q.matchesNames(c.Account) {
			continue
		}
		counts[c.state]++
		if c.Suspended {
			l.Counts["suspended"]++
		}
		if q.matchesState(c) {
			found = append(found, c)
		}
	}
	for s, n := range counts {
		l.Counts[string(s)] = n
		l.Counts[""] += n
	}
	byName := func(a, b candidate) int { return strings.Compare(a.Name, b.Name) }
	if !slices.IsSortedFunc(found, byName) {
		slices.SortFunc(found, byName)
	}
	slices.SortStableFunc(found, sortOrders()[q.Sort])
	if q.Desc {
		slices.Reverse(found)
	}
	l.Query, l.Found, l.Pages = q, len(found), max(1, (len(found)+rowsPerPage-1)/rowsPerPage)
	l.Query.Page = min(max(1, q.Page), l.Pages)
	from := (l.Query.Page - 1) * rowsPerPage
	l.First = from + 1
	for _, c := range found[from:min(from+rowsPerPage, len(found))] {
		l.Accounts = append(l.Accounts, c.Account)
	}
	return l
}
