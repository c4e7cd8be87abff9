package web

import (
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"imap-exporter/internal/account"
	"imap-exporter/probe"
)

func TestList(t *testing.T) {
	w := newFixture()
	w.add(testAccount{Name: "canary", Server: "imap.example.org:993", Interval: time.Minute, NextRun: w.now.Add(50 * time.Second)}, success(120), success(120), success(123.456))
	w.add(testAccount{Name: "old", Server: "mail.example.org:143", Suspended: true, NextLogin: w.now.Add(5*time.Minute + time.Second)}, success(50), rejected("wrong"), rejected("wrong"))
	w.add(testAccount{Name: "new", Server: "imap.example.org:993"})
	stuck := success(10)
	stuck.Start = w.now.Add(-4 * time.Minute)
	w.add(testAccount{Name: "stuck", Server: "imap.example.org:993", Interval: time.Minute}, stuck)
	page := w.get(t, "/")
	assertHas(
		t, page, "1.2.3", `href="./metrics"`, `href="./-/healthy"`, `href="./style.css"`, "<title>(1) Accounts – IMAP exporter</title>",
		`<a href="./accounts/canary"><bdi>canary</bdi></a> <span class="server"><bdi>imap.example.org:993</bdi></span>`,
		"123 ms", "usually 120 ms", "89 days", "93 %", "in 5 min", "on demand",
		"auth/rejected", "wrong, changed or expired password",
		"All <b>4</b>", "Failing <b>1</b>", "Suspended <b>1</b>", "Overdue <b>1</b>", "Waiting <b>1</b>", "OK <b>1</b>",
		`aria-label="2 of the last 3 probes failed, the last of them with auth/rejected"`, `aria-label="All of the last 3 probes went well"`,
		`aria-label="No probe yet"`,
	)
	for _, unwanted := range []string{"style=", "http://", "https://", "onclick"} {
		if strings.Contains(page, unwanted) {
			t.Errorf("the page has %q", unwanted)
		}
	}
	if got, want := names(page), []string{"old", "stuck", "new", "canary"}; !slices.Equal(got, want) {
		t.Errorf("the list is %v, want what is urgent first: %v", got, want)
	}
}

var nameInList = regexp.MustCompile(`<th scope="row"[^>]*><a [^>]*><bdi>([^<]*)</bdi>`)

// names returns the accounts that a page lists, in its order.
func names(page string) []string {
	var all []string
	for _, match := range nameInList.FindAllStringSubmatch(page, -1) {
		all = append(all, match[1])
	}
	return all
}

func TestFilterAndSort(t *testing.T) {
	w := newFixture()
	w.add(testAccount{Name: "a", Server: "one:993"}, success(30))
	w.add(testAccount{Name: "B", Server: "two:993", Suspended: true}, success(50), rejected("no"))
	slow := success(500)
	slow.TLS.NotAfter = time.Now().Add(time.Hour)
	slow.Quota = nil
	w.add(testAccount{Name: "c", Server: "one:993", NextRun: w.now}, slow)
	for address, want := range map[string]string{
		"":                             "B a c",
		"?sort=name":                   "B a c",
		"?sort=name&desc=1":            "c a B",
		"?sort=latency":                "c B a",
		"?sort=certificate":            "c a B",
		"?sort=quota":                  "a B c",
		"?sort=next":                   "c B a",
		"?sort=server":                 "a c B",
		"?sort=since":                  "B a c",
		"?sort=nonsense&page=x&desc=2": "B a c",
		"?account=b":                   "B",
		"?server=ONE":                  "a c",
		"?server=one&account=c":        "c",
		"?state=failing":               "B",
		"?state=suspended":             "B",
		"?state=ok":                    "a c",
		"?state=waiting":               "",
		"?state=nonsense":              "B a c",
		"?account=nobody":              "",
	} {
		if got := strings.Join(names(w.get(t, "/"+address)), " "); got != want {
			t.Errorf("%q lists %q, want %q", address, got, want)
		}
	}
	page := w.get(t, "/?sort=latency&server=one")
	assertHas(t, page, `class="latency" aria-sort="ascending"><a href="./?desc=1&amp;server=one&amp;sort=latency">`, `value="one"`, `<option value="latency" selected>`, `<a href="./?sort=latency">Show all</a>`)
	if page := w.get(t, "/?account=nobody"); !strings.Contains(page, "No account matches.") {
		t.Error("an empty list isn't explained")
	}
}

func TestPages(t *testing.T) {
	w := newFixture()
	for i := range 120 {
		w.add(testAccount{Name: fmt.Sprintf("account%03d", i)})
	}
	for address, want := range map[string][3]string{
		"/":        {"account000", "account049", "1–50 of 120"},
		"/?page=3": {"account100", "account119", "101–120 of 120"},
		"/?page=9": {"account100", "account119", "101–120 of 120"},
	} {
		page := w.get(t, address)
		all := names(page)
		if len(all) == 0 || all[0] != want[0] || all[len(all)-1] != want[1] || !strings.Contains(page, want[2]) {
			t.Errorf("%s lists %d accounts from %q on, want %v", address, len(all), all, want)
		}
	}
	assertHas(t, w.get(t, "/?page=2"), `<a href="./">First</a>`, `<a href="./" rel="prev">Previous</a>`, `<a href="./?page=3" rel="next">`, `<a href="./?page=3">Last</a>`)
}

func TestQueryGoesThroughAddresses(t *testing.T) {
	q := query{Account: "a b&c", Server: "ü", State: "ok", Sort: "quota", Desc: true, Page: 7}
	values, err := url.ParseQuery(strings.TrimPrefix(q.String(), "?"))
	if got := parseQuery(values); err != nil || got != q {
		t.Errorf("%+v comes back as %+v, %v", q, got, err)
	}
}

// hostile has everything that could become markup, turn the direction, or be acted upon by a terminal.
const hostile = `</th><script>alert(1)</script>" onload='x' &amp; {{.Version}}` + "\x00\u202e\x1b[31m\u2028"

func TestHostileNamesAndWords(t *testing.T) {
	w := newFixture()
	r := rejected(hostile)
	r.Mailboxes = []probe.Mailbox{{Name: hostile}}
	r.Quota = &probe.Quota{Supported: true, Roots: []probe.QuotaRoot{{Name: hostile, Messages: &probe.Resource{}}}}
	r.Capabilities[0].Names = []string{hostile}
	r.Notes = []string{hostile}
	r.TLS.Cipher = hostile
	w.add(testAccount{Name: hostile, Server: hostile}, r)
	path := "/" + accountPath(key(hostile))
	pages := []string{w.get(t, "/"), w.get(t, path), w.get(t, fmt.Sprintf("%s/probes/%d", path, r.Start.UnixMilli())), w.get(t, "/?account="+url.QueryEscape(hostile[:60]))}
	for i, page := range pages {
		for _, unwanted := range []string{"<script>", "onload='", "{{.Version}}<", "\x1b"} {
			if strings.Contains(page, unwanted) {
				t.Errorf("page %d has %q", i, unwanted)
			}
		}
		if n := strings.Count(page, "<script"); n != 1 {
			t.Errorf("page %d has %d scripts, want our own alone", i, n)
		}
	}
	assertHas(t, pages[1], `&lt;script&gt;`, `\u{202e}`, `\u{1b}[31m`)
}

func TestAnyNameHasAPage(t *testing.T) {
	w := newFixture()
	all := []string{".", "..", "/", "//", "/a", "a/", "%2F", "a/b", "a/../b", "%2e", "?x=1#y", "probe", "ü ", "...", "%", "a;b", "+"}
	for _, name := range all {
		w.add(testAccount{Name: name, Server: "server of " + name}, success(1))
	}
	for _, name := range all {
		page := w.get(t, "/"+accountPath(key(name)))
		assertHas(t, page, "server of "+strings.ReplaceAll(name, "+", "&#43;"))
	}
	toy := account.Key{Account: "a/b", Service: "toy"}
	w.Accounts.Set(append(slices.Clone(w.Accounts.Accounts()), account.Account{Name: toy.Account, Server: "another service", Target: &probe.Target{Protocol: &probe.Protocol{Name: toy.Service}}}))
	assertHas(t, w.get(t, "/"+accountPath(toy)), "another service")
	assertHas(t, w.get(t, "/"), `href="./`+accountPath(toy))
	if path := accountPath(key("..")); path != "accounts/%01.." {
		t.Errorf("a browser takes %s for a folder", path)
	}
}
