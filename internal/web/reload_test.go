package web

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
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
