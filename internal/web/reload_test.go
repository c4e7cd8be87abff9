package web

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

func TestReload(t *testing.T) {
	good := func(context.Context) (string, error) { return "1 added, 2 removed", nil }
	bad := func(context.Context) (string, error) {
		return "", errors.New("config.yaml:1: x: <b>unknown</b> key\nconfig.yaml:2: y: unknown key")
	}
	sameOrigin := map[string]string{"Sec-Fetch-Site": "same-origin", "Origin": "http://example.com"}
	for _, c := range []struct {
		name, method string
		headers      map[string]string
		reload       func(context.Context) (string, error)
		status       int
		text         string
	}{
		{"by curl", http.MethodPost, nil, good, http.StatusOK, "1 added, 2 removed\n"},
		{"PUT", http.MethodPut, nil, good, http.StatusOK, "1 added, 2 removed\n"},
		{
			"bad file", http.MethodPost, nil, bad, http.StatusInternalServerError,
			"The configuration is not valid. Nothing has changed.\n\nconfig.yaml:1: x: <b>unknown</b> key\nconfig.yaml:2: y: unknown key\n",
		},
		{"not enabled", http.MethodPost, nil, nil, http.StatusForbidden, "start the exporter with --web.enable-lifecycle"},
		{"GET", http.MethodGet, nil, good, http.StatusMethodNotAllowed, "Method Not Allowed"},
		{"from our own page", http.MethodPost, sameOrigin, good, http.StatusOK, "1 added"},
		{"typed by the user", http.MethodPost, map[string]string{"Sec-Fetch-Site": "none"}, good, http.StatusOK, "1 added"},
		{"from another site", http.MethodPost, map[string]string{"Sec-Fetch-Site": "cross-site"}, good, http.StatusForbidden, "another site"},
		{"from a neighbour", http.MethodPost, map[string]string{"Sec-Fetch-Site": "same-site"}, good, http.StatusForbidden, "another site"},
		{"in an old browser", http.MethodPut, map[string]string{"Origin": "https://evil.example.org"}, good, http.StatusForbidden, "another site"},
		{"in a frame without origin", http.MethodPost, map[string]string{"Origin": "null"}, good, http.StatusForbidden, "another site"},
	} {
		called := false
		opts := testOptions()
		if c.reload != nil {
			opts.Reload = func(ctx context.Context) (string, error) {
				called = true
				return c.reload(ctx)
			}
		}
		r := httptest.NewRequest(c.method, "/-/reload", nil)
		for name, value := range c.headers {
			r.Header.Set(name, value)
		}
		w := httptest.NewRecorder()
		NewServer(opts).Handler.ServeHTTP(w, r)
		if w.Code != c.status || !strings.Contains(w.Body.String(), c.text) {
			t.Errorf("%s: status %d, want %d: %q", c.name, w.Code, c.status, w.Body)
		}
		if refused := c.status != http.StatusOK && c.status != http.StatusInternalServerError; called == refused {
			t.Errorf("%s: reloaded: %v", c.name, called)
		}
		if got := w.Header().Get("Content-Type"); got != "text/plain; charset=utf-8" {
			t.Errorf("%s: Content-Type is %q", c.name, got)
		}
	}
}

// A failed reload is seen on every page, with its errors and since when, and open pages are told of it and of its end.
func TestReloadFailureIsShown(t *testing.T) {
	w, failed := probed()
	var failure atomic.Pointer[ReloadFailure]
	w.ReloadFailure = failure.Load
	pages := []string{"/", "/accounts/canary", fmt.Sprintf("/accounts/canary/probes/%d", failed.Start.UnixMilli()), "/config", "/docs/", "/docs/metrics"}
	for _, path := range pages {
		if page := w.get(t, path); strings.Contains(page, "was not reloaded") {
			t.Errorf("%s says that a reload failed", path)
		}
	}
	live := regexp.MustCompile(`data-live="([^"]*)"`)
	address := func(path string) string {
		return strings.ReplaceAll(live.FindStringSubmatch(w.get(t, path))[1], "&amp;", "&")
	}
	url := w.serve(t)
	list, one := listen(t, url+"/"+address("/")), listen(t, url+"/accounts/"+address("/accounts/canary"))
	text := "config.yaml:3: <b>wrong</b>\u202e" + strings.Repeat("\nconfig.yaml:4: also", maxBannerLines+1)
	failure.Store(&ReloadFailure{Error: text, Since: w.now.Add(-5 * time.Minute)})
	for _, path := range pages {
		assertHas(t, w.get(t, path), "The configuration was not reloaded", "for <time", ">5 min</time>", `config.yaml:3: &lt;b&gt;wrong&lt;/b&gt;\u{202e}`, "config.yaml:4: also", "The log has 2 more")
	}
	for _, l := range []*listener{list, one} {
		if message := l.next(); !strings.Contains(message, `<div id="banner"`) || !strings.Contains(message, "config.yaml:3") {
			t.Errorf("the open page is told %s", message)
		}
	}
	failure.Store(nil)
	for _, l := range []*listener{list, one} {
		if message := l.next(); !strings.Contains(message, `<div id="banner"`) || strings.Contains(message, "reloaded") {
			t.Errorf("afterwards the open page is told %s", message)
		}
	}
}
