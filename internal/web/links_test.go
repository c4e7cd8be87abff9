package web

import (
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
)

var (
	// linkInPage matches the address of a link, file or form.
	linkInPage = regexp.MustCompile(`(?:href|src|action|data-live)="([^"]+)"`)
	idInPage   = regexp.MustCompile(` id="([^"]+)"`)
)

// Every link of every page leads to a page that exists, and to a heading that it has.
func TestNoLinkIsBroken(t *testing.T) {
	w := busyFixture()
	w.Probe = nil // A link must not probe.
	pages := map[string]string{}
	var crawl func(from, address string)
	crawl = func(from, address string) {
		base, err := url.Parse(from)
		if err != nil {
			t.Fatal(err)
		}
		u, err := base.Parse(strings.ReplaceAll(address, "&amp;", "&"))
		if err != nil {
			t.Errorf("%s: %v", from, err)
			return
		}
		if u.Host != base.Host || strings.HasPrefix(u.Path, "/events/") {
			return
		}
		fragment := u.Fragment
		u.Fragment = ""
		page, seen := pages[u.String()]
		if !seen {
			answer := request(w.Options, http.MethodGet, u.RequestURI(), "")
			page = answer.Body.String()
			pages[u.String()] = page
			if answer.Code != http.StatusOK && (answer.Code != http.StatusMethodNotAllowed || !strings.HasSuffix(u.Path, "/probe")) {
				t.Errorf("%s links to %s: status %d", from, u, answer.Code)
				return
			}
			if strings.HasPrefix(answer.Header().Get("Content-Type"), "text/html") {
				for _, found := range linkInPage.FindAllStringSubmatch(page, -1) {
					crawl(u.String(), found[1])
				}
			}
		}
		hasID := func(id []string) bool { return id[1] == fragment }
		if fragment != "" && !slices.ContainsFunc(idInPage.FindAllStringSubmatch(page, -1), hasID) {
			t.Errorf("%s links to %s: it has no heading %s", from, u, fragment)
		}
	}
	crawl("http://localhost/", "./")
	crawl("http://localhost/", "./docs/runbooks/")
	for _, want := range []string{"README", "SECURITY", "runbooks/README", "runbooks/ImapProbeStale", "decisions/0001-instrumented-connection"} {
		if pages["http://localhost/docs/"+want] == "" {
			t.Errorf("no link leads to /docs/%s", want)
		}
	}
	if len(pages) < 60 {
		t.Errorf("only %d pages were found", len(pages))
	}
}
