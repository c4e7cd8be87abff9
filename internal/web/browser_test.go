package web

import (
	"context"
	_ "embed"
	"fmt"
	"net/url"
	"strings"
	"testing"
	"time"

	"imap-exporter/internal/realtest"
	"imap-exporter/probe"
)

//go:embed testdata/accessible.js
var accessibility string

// busyFixture has an account in each state.
func busyFixture() *fixture {
	w, _ := probed()
	w.accounts[0].Name = "canary"
	w.add(testAccount{Name: "rejected", Server: "imap.example.org:993", Interval: time.Minute, Suspended: true, NextRun: w.now.Add(time.Hour), NextLogin: w.now.Add(time.Hour)}, success(50), rejected("NO [AUTHENTICATIONFAILED] Authentication failed."))
	soon := success(90)
	soon.TLS.NotAfter = w.now.Add(50 * time.Hour)
	soon.Quota.Roots[0].Storage.Used = 85 << 20
	w.add(testAccount{Name: "expires", Server: "mail.example.net:143", Interval: time.Minute}, success(20), success(22), success(20), soon)
	stuck := success(10)
	stuck.Start = w.now.Add(-time.Hour)
	w.add(testAccount{Name: "stuck", Server: "mail.example.net:143", Interval: time.Minute}, stuck)
	w.add(testAccount{Name: "new", Server: "imap.example.org:993"})
	w.Reload = func(context.Context) (string, error) { return "", nil }
	w.Links = func() Links { return Links{"https://prometheus.example.org", "https://grafana.example.org"} }
	return w
}

// addresses are those of every kind of page.
func addresses(w *fixture) []string {
	last := w.History.Last(key("rejected"))
	return []string{
		"/", "/?account=nobody", "/?sort=latency&desc=1", "/accounts/canary", "/accounts/rejected", "/accounts/new", "/accounts/nobody",
		fmt.Sprintf("/accounts/rejected/probes/%d", last.Start.UnixMilli()), "/config", "/docs/", "/docs/imap", "/docs/metrics",
	}
}

// assertQuiet fails when the browser asked somebody else for something, or complained.
func assertQuiet(t *testing.T, tab *realtest.Tab, url string) {
	t.Helper()
	for _, request := range tab.Requests() {
		if !strings.HasPrefix(request, url+"/") && request != "about:blank" {
			t.Errorf("a request went to %s", request)
		}
	}
	for _, complaint := range tab.Complaints() {
		if !strings.Contains(complaint, "404") { // Those of the page that isn't there are meant.
			t.Errorf("the browser complains: %s", complaint)
		}
	}
}

// Every page, in a light and a dark theme, on a phone and a wide screen, is accessible, doesn't overflow, and requests nothing
// from other hosts.
func TestBrowserAccessibility(t *testing.T) {
	w := busyFixture()
	w.ReloadFailure = func() *ReloadFailure {
		return &ReloadFailure{Error: "config.yaml:12: unknown key\nconfig.yaml:14: /" + strings.Repeat("long", 50) + ": no such file", Since: w.now}
	}
	url := w.serve(t)
	tab := realtest.Chromium(t)
	for _, path := range addresses(w) {
		for _, look := range []struct {
			scheme string
			width  int64
		}{{"light", 360}, {"light", 1600}, {"dark", 1000}} {
			tab.Resize(look.width, 800)
			tab.Prefer("prefers-color-scheme", look.scheme)
			tab.Open(url + path)
			for _, problem := range realtest.Evaluate[[]string](tab, accessibility) {
				t.Errorf("%s, %s, %d wide: %s", path, look.scheme, look.width, problem)
			}
			if got := realtest.Evaluate[float64](tab, `Math.min(1000, ...[...document.querySelectorAll("details[open] .transcript .text")].map((e) => e.getBoundingClientRect().width))`); got < float64(look.width)/3 {
				t.Errorf("%s has %v points of %d for a line of the conversation", path, got, look.width)
			}
			if got := realtest.Evaluate[int64](tab, "document.documentElement.scrollWidth"); got > look.width {
				t.Errorf("%s is %d wide on a screen of %d", path, got, look.width)
			}
		}
	}
	assertQuiet(t, tab, url)
}

// Whoever has no mouse sees where the focus is, and gets everywhere.
func TestBrowserKeyboard(t *testing.T) {
	w := busyFixture()
	tab := realtest.Chromium(t)
	tab.Resize(1280, 800)
	tab.Open(w.serve(t) + "/")
	seen := map[string]bool{}
	for range 60 {
		tab.Press("\t")
		focus := realtest.Evaluate[[]string](tab, `(() => { const e = document.activeElement, s = getComputedStyle(e);
			return [e.textContent.trim() || e.name || "", s.outlineStyle, s.outlineWidth, e.tagName]; })()`)
		if focus[3] == "BODY" { // After the last one.
			continue
		}
		if focus[1] == "none" || focus[2] == "0px" {
			t.Errorf("the focus on %q can't be seen", focus[0])
		}
		seen[focus[0]] = true
	}
	for _, want := range []string{"Skip to content", "Configuration", "account", "server", "Show", "canary", "Latency"} {
		if !seen[want] {
			t.Errorf("the keyboard doesn't get to %q", want)
		}
	}
}

func TestBrowserLiveUpdates(t *testing.T) {
	w := busyFixture()
	url := w.serve(t)
	tab := realtest.Chromium(t)
	tab.Open(url + "/")
	tab.Await(`document.getElementById("live-state").textContent === "kept up to date"`)
	tab.Await(`document.title.startsWith("(1) ")`)
	realtest.Evaluate[bool](tab, `window.sameDocument = true`)
	failed := rejected("NO")
	failed.Account, failed.Server, failed.Start = "canary", "imap.example.org:993", w.now
	w.History.Add(failed)
	w.Updates.Changed(key("canary"))
	tab.Await(`[...document.querySelectorAll("#rows tr")].some((row) => row.textContent.includes("canary") && row.className.includes("failing"))`)
	tab.Await(`document.title.startsWith("(2) ") && document.querySelector("link[rel=icon]").href.endsWith("/failing.svg")`)
	tab.Await(`document.querySelector("#rows tr").textContent.includes("canary")`) // What fails moves to the top.

	tab.Open(url + "/accounts/canary")
	tab.Await(`document.getElementById("live-state").textContent === "kept up to date"`)
	realtest.Evaluate[bool](tab, `document.getElementById("chart-table").open = window.sameDocument = true`)
	again := success(4321)
	again.Account, again.Server, again.Start = "canary", "imap.example.org:993", w.now.Add(time.Second)
	w.History.Add(again)
	w.Updates.Changed(key("canary"))
	tab.Await(`document.getElementById("live").textContent.includes("4.32\u00a0s")`)
	if !realtest.Evaluate[bool](tab, `document.getElementById("chart-table").open && window.sameDocument`) {
		t.Error("an update closes what was open")
	}
	assertQuiet(t, tab, url)
}

func TestBrowserFilterSortAndProbe(t *testing.T) {
	w := busyFixture()
	w.Probe = func(context.Context, ProbeRequest) (*probe.Result, error) {
		r := success(3210)
		r.Account, r.Server, r.Start = "canary", "imap.example.org:993", w.now
		w.History.Add(r)
		w.Updates.Changed(key("canary"))
		return r, nil
	}
	url := w.serve(t)
	tab := realtest.Chromium(t)
	tab.Resize(1280, 800)
	listed := func() string {
		return realtest.Evaluate[string](tab, `[...document.querySelectorAll("#rows th a")].map((a) => a.textContent).join(" ")`)
	}
	tab.Open(url + "/")
	tab.Click(".filter input[name=server]")
	tab.Press("net\r")
	tab.Await(`location.search.includes("server=net") && document.readyState === "complete"`)
	if got := listed(); got != "stuck expires" {
		t.Errorf("the filter leaves %q", got)
	}
	tab.Click("thead .account a")
	tab.Await(`location.search.includes("sort=name") && document.readyState === "complete"`)
	if got := listed(); got != "expires stuck" {
		t.Errorf("sorted by name: %q", got)
	}
	tab.Open(url + "/")
	realtest.Evaluate[bool](tab, `(() => { const s = document.querySelector(".filter select"); s.value = "latency"; return s.dispatchEvent(new Event("change")); })()`)
	tab.Await(`location.search.includes("sort=latency") && document.readyState === "complete"`)
	if got := listed(); !strings.HasPrefix(got, "canary ") {
		t.Errorf("sorted by latency: %q", got)
	}
	tab.Open(url + "/accounts/canary")
	tab.Click("button.primary")
	tab.Await(`document.querySelector(".figures").textContent.includes("3.21\u00a0s") && location.pathname === "/accounts/canary"`)
	assertQuiet(t, tab, url)
}

// Without JavaScript, the pages show everything except later updates.
func TestBrowserWithoutJavaScript(t *testing.T) {
	w := busyFixture()
	asked := make(chan string, 1)
	w.Probe = func(_ context.Context, r ProbeRequest) (*probe.Result, error) {
		asked <- r.Account
		return &probe.Result{}, nil
	}
	url := w.serve(t)
	tab := realtest.Chromium(t)
	tab.WithoutJavaScript()
	tab.Open(url + "/")
	assertHas(t, tab.Source(), "canary", "auth/rejected", `data-relative="for">1`)
	tab.Click(".filter input[name=account]")
	tab.Press("reject\r")
	awaitSource(t, tab, "Show all")
	if got := names(tab.Source()); len(got) != 1 || got[0] != "rejected" {
		t.Errorf("the filter leaves %q", got)
	}
	tab.Open(url + "/accounts/canary")
	tab.Click("button.primary")
	if name := <-asked; name != "canary" {
		t.Errorf("%s was probed", name)
	}
}

// awaitSource waits until the document has a text.
func awaitSource(t *testing.T, tab *realtest.Tab, want string) {
	t.Helper()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for deadline := time.After(soon); !strings.Contains(tab.Source(), want); {
		select {
		case <-tick.C:
		case <-deadline:
			t.Fatalf("the document never has %q", want)
		}
	}
}

// Whatever a server says, and however an account is called, it is shown and does nothing, when the page is loaded and
// when it comes as an update.
func TestBrowserHostileWords(t *testing.T) {
	w := newFixture()
	words := []string{
		`<script>alert(1)</script>`, `"><img src=x onerror=alert(2)>`, `' onmouseover='alert(3)`, `<svg/onload=alert(4)>`, "\u202egnp.exe\u2066",
		"\x1b[31mred\x1b]0;title\x07", `</title></textarea></style><iframe src=javascript:alert(5)>`, `{{.Root}}`, `javascript:alert(6)`,
		strings.Repeat("W", 1000), "data: x\n\ndata: <script>alert(7)</script>\n\n",
	}
	var paths []string
	for i, text := range words {
		paths = append(paths, "/"+accountPath(key(text)))
		w.add(testAccount{Name: text, Server: text}, hostileResult(text, i))
	}
	url := w.serve(t)
	tab := realtest.Chromium(t)
	tab.Resize(360, 800)
	for i, path := range append(paths, "/", "/?account="+urlQuery(words[1])) {
		tab.Open(url + path)
		tab.Await(`document.getElementById("live-state").textContent === "kept up to date"`)
		if i < len(words) {
			again := hostileResult(words[i], i)
			again.Account, again.Server, again.Start = words[i], words[i], w.now
			again.Duration = 7654 * time.Millisecond
			w.History.Add(again)
			w.Updates.Changed(key(words[i]))
			tab.Await(`document.getElementById("live").textContent.includes("7.65\u00a0s")`)
		}
		if got := realtest.Evaluate[[]int](tab, `[document.scripts.length, document.querySelectorAll("iframe, img, object, embed, [onerror], [onload], [onmouseover]").length, document.documentElement.scrollWidth]`); got[0] != 1 || got[1] != 0 || got[2] > 360 {
			t.Errorf("%.60s has %d scripts and %d strange elements, and is %d wide", path, got[0], got[1], got[2])
		}
		if raw := realtest.Evaluate[string](tab, `(document.body.textContent.match(/[\u202a-\u202e\u2066-\u2069\u001b\u0007]/) ?? [""])[0]`); raw != "" {
			t.Errorf("%.60s shows %q as it is", path, raw)
		}
	}
	assertQuiet(t, tab, url)
}

// hostileResult has a text wherever a server's words are shown.
func hostileResult(text string, i int) *probe.Result {
	r := success(10)
	if i%2 == 0 {
		r = rejected(text)
	}
	r.Mailboxes = []probe.Mailbox{{Name: text}}
	r.Fetched = &probe.Fetched{Mailbox: text}
	r.Quota = &probe.Quota{Supported: true, Roots: []probe.QuotaRoot{{Name: text, Storage: &probe.Resource{Used: 1 << 63, Limit: 1}}}}
	for i := range r.Capabilities {
		r.Capabilities[i].Names = []string{text}
	}
	r.Notes = []string{text}
	r.TLS.Version, r.TLS.Cipher = text, text
	for i := range r.Transcript {
		r.Transcript[i].Text = text
	}
	return r
}

func urlQuery(s string) string { return url.QueryEscape(s) }
