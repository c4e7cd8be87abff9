package web

import (
	"net/http"
	"time"
)

// A listPage is the first page, the list of accounts.
type listPage struct {
	pageLayout
	Summary listSummary
	Query   query
	Columns []columnHead
	Rows    []row
	Sorts   []sortOption
	// Unfiltered is the address of the list without a filter; "" if there is none.
	Unfiltered string
}

// A listSummary has the numbers of accounts by state, and the links to other pages.
type listSummary struct {
	Root    string
	Tabs    []tab
	Failing int
	Pager   pager
}

// A tab lists the accounts of one state.
type tab struct {
	Title, Class, Link string
	Count              int
	Current            bool
}

// A pager has the links to other pages of the list; "" where there is none.
type pager struct {
	First, Last, Found, Page, Pages int
	Previous, Next                  string
	FirstPage, LastPage             string
}

// A columnHead is the head of a column.
type columnHead struct {
	Title, Class string
	// Link sorts the list by this column; "" if it can't be sorted by.
	Link string
	// Sorted is the column's aria-sort: "ascending", "descending" or "".
	Sorted string
}

// A sortOption is an entry of the menu "Sort by".
type sortOption struct {
	Value, Title string
	Chosen       bool
}

// serveList serves the first page.
func (p *pages) serveList(w http.ResponseWriter, r *http.Request) {
	q := parseQuery(r.URL.Query())
	version := p.updates.version() // Before the query: what changes after that makes another version.
	l, summary := p.list(q, time.Now())
	page := listPage{
		pageLayout: p.layout(r, "Accounts", "accounts"), Summary: summary,
		Query: l.Query, Columns: columnHeads(l.Query), Rows: p.rows(l.Accounts, time.Now()), Sorts: sortOptions(l.Query),
	}
	page.Failing = summary.Failing
	values := l.Query.values()
	values.Set("version", version)
	values.Set("banner", page.Banner.ID())
	page.Live = "events/?" + values.Encode()
	if q.Account+q.Server+q.State != "" {
		page.Unfiltered = rootOf(r) + query{Sort: q.Sort, Desc: q.Desc, Page: 1}.String()
	}
	p.writePage(w, r, http.StatusOK, "list", page)
}

// list returns the accounts of a page, and its summary.
func (p *pages) list(q query, now time.Time) (queryResult, listSummary) {
	l := runQuery(p.accounts(), q, now)
	s := listSummary{Root: "./", Failing: l.Failing, Pager: newPager(l)}
	for _, t := range []tab{
		{Title: "All"},
		{Title: "Failing", Class: "failing"},
		{Title: "Suspended", Class: "suspended"},
		{Title: "Overdue", Class: "overdue"},
		{Title: "Waiting", Class: "waiting"},
		{Title: "OK", Class: "ok"},
	} {
		t.Count, t.Current = l.Counts[t.Class], q.State == t.Class
		if t.Count == 0 && !t.Current && t.Class != "" && t.Class != "failing" && t.Class != "ok" {
			continue // Rare states have a tab only if there are any.
		}
		other := q
		other.State, other.Page = t.Class, 1
		t.Link = other.String()
		s.Tabs = append(s.Tabs, t)
	}
	return l, s
}

// rows returns the rows of accounts.
func (p *pages) rows(accounts []*accountView, now time.Time) []row {
	rows := make([]row, len(accounts))
	for i, a := range accounts {
		rows[i] = p.newRow(a, now)
	}
	return rows
}

func newPager(l queryResult) pager {
	at := func(page int) string {
		if page < 1 || page > l.Pages || page == l.Query.Page {
			return ""
		}
		q := l.Query
		q.Page = page
		return "./" + q.String()
	}
	return pager{
		First: min(l.First, l.Found), Last: l.First + len(l.Accounts) - 1, Found: l.Found, Page: l.Query.Page, Pages: l.Pages,
		Previous: at(l.Query.Page - 1), Next: at(l.Query.Page + 1), FirstPage: at(1), LastPage: at(l.Pages),
	}
}

// columnTitles are the columns of the list, and the key in sortOrders of each.
func columnTitles() []struct{ title, class, sort string } {
	return []struct{ title, class, sort string }{
		{"Account", "account", "name"},
		{"State", "state", "state"},
		{"Last 60 probes", "recent", ""},
		{"Latency", "latency", "latency"},
		{"Certificate", "certificate", "certificate"},
		{"Quota", "quota", "quota"},
		{"Next probe", "next", "next"},
	}
}

func columnHeads(q query) []columnHead {
	var all []columnHead
	for _, c := range columnTitles() {
		h := columnHead{Title: c.title, Class: c.class}
		if c.sort != "" {
			other := q
			other.Sort, other.Desc, other.Page = c.sort, false, 1
			if q.Sort == c.sort {
				other.Desc = !q.Desc
				h.Sorted = "ascending"
				if q.Desc {
					h.Sorted = "descending"
				}
			}
			h.Link = other.String()
		}
		all = append(all, h)
	}
	return all
}

// sortOptions are the entries of the menu: on a phone there are no column heads.
func sortOptions(q query) []sortOption {
	all := []sortOption{{"server", "Server", q.Sort == "server"}, {"since", "Last change", q.Sort == "since"}}
	for _, c := range columnTitles() {
		if c.sort != "" {
			all = append(all, sortOption{c.sort, c.title, q.Sort == c.sort})
		}
	}
	return all
}
