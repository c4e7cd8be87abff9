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

// A state is the state of an account in the list.
type state string

// The states, the most urgent first.
const (
	stateFailing state = "failing"
	stateOverdue state = "overdue"
	stateWaiting state = "waiting"
	stateOK      state = "ok"
)

// urgency is the place of a state's accounts in the list; -1 if there is no such state.
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

// state returns the state of the account. An account without an interval is never overdue: no probe of it is due.
func (a *accountView) state(now time.Time) state {
	switch {
	case a.Last == nil:
		return stateWaiting
	case !a.Last.OK():
		return stateFailing
	}
	if staleAt := a.StaleAfter(a.Last.Start); !staleAt.IsZero() && now.After(staleAt) {
		return stateOverdue
	}
	return stateOK
}

// expiry returns when the certificate expires; zero where none was seen.
func (a *accountView) expiry() time.Time {
	if a.Last == nil || a.Last.TLS == nil {
		return time.Time{}
	}
	return a.Last.TLS.NotAfter
}

// fullest returns the largest part of a quota that is used, from 0 to 1 and beyond; -1 without a quota.
func (a *accountView) fullest() float64 {
	if a.Last != nil {
		resource, _ := a.Last.Quota.Fullest()
		if fraction, ok := resource.Fraction(); ok {
			return fraction
		}
	}
	return -1
}

// A query says which accounts are listed, and in which order. It is in the address of the page.
type query struct {
	// Account and Server are parts of names, regardless of case; "" matches all.
	Account, Server string
	// State is a state, or "suspended"; "" matches all.
	State string
	// Sort is a key of sortOrders, and Desc reverses the order.
	Sort string
	Desc bool
	// Page counts from 1.
	Page int
}

// A candidate is an account that may be listed, with its state.
type candidate struct {
	*accountView
	state state
}

// sortOrders are the orders of the list. The sort is stable, so that equal candidates stay in the order of their names.
// Unknown values come last.
func sortOrders() map[string]func(a, b candidate) int {
	byTime := func(of func(*accountView) time.Time) func(a, b candidate) int {
		return func(a, b candidate) int {
			s, t := of(a.accountView), of(b.accountView)
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
		"since":       byTime(func(a *accountView) time.Time { return a.Since }), // The oldest first.
		"certificate": byTime((*accountView).expiry),
		"quota":       func(a, b candidate) int { return cmp.Compare(b.fullest(), a.fullest()) }, // The fullest first.
		"next":        byTime(func(a *accountView) time.Time { return a.NextRun }),
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

// parseQuery reads a query from an address. Values that make no sense are ignored.
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

// String returns the query for an address, with "?"; "" if all values are defaults.
func (q query) String() string {
	if values := q.values(); len(values) > 0 {
		return "?" + values.Encode()
	}
	return ""
}

// values returns the values that aren't defaults.
func (q query) values() url.Values {
	values := url.Values{}
	set := func(key, value, byDefault string) {
		if value != byDefault {
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

// matchesNames says whether an account's name and server match the query.
func (q query) matchesNames(a *accountView) bool {
	return contains(a.Name, q.Account) && contains(a.Server, q.Server)
}

// matchesState says whether an account's state matches the query.
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

// contains says whether name contains part, regardless of case.
func contains(name, part string) bool {
	return part == "" || strings.Contains(strings.ToLower(name), strings.ToLower(part))
}

// A queryResult is a page of the accounts that match a query.
type queryResult struct {
	// Query is the query, with Page limited to what there is.
	Query query
	// Accounts are those of the page.
	Accounts []*accountView
	// Found is the number of accounts on all pages, and Pages the number of pages, at least 1. First is the number of the
	// page's first account, counted from 1.
	Found, Pages, First int
	// Counts are the numbers of accounts that match the query regardless of its State, by state, "suspended", and "" (all).
	// Failing is the number of all failing accounts.
	Counts  map[string]int
	Failing int
}

// runQuery returns the page of accounts that a query asks for. It is faster if the accounts are sorted by name.
func runQuery(accounts []accountView, q query, now time.Time) queryResult {
	l := queryResult{Counts: make(map[string]int)}
	counts := make(map[state]int)
	found := make([]candidate, 0, len(accounts))
	for i := range accounts {
		c := candidate{&accounts[i], accounts[i].state(now)}
		if c.state == stateFailing {
			l.Failing++
		}
		if !q.matchesNames(c.accountView) {
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
		l.Accounts = append(l.Accounts, c.accountView)
	}
	return l
}
