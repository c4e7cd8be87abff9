package web

import (
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"testing"
)

func TestDebugServer(t *testing.T) {
	for _, c := range []struct {
		method, path, host string
		status             int
	}{
		{http.MethodGet, "/debug/pprof/", "localhost", http.StatusOK},
		{http.MethodGet, "/debug/pprof/heap", "localhost", http.StatusOK},
		{http.MethodGet, "/debug/pprof/goroutine?debug=2", "127.0.0.1:10994", http.StatusOK},
		{http.MethodGet, "/debug/pprof/symbol", "localhost", http.StatusOK},
		{http.MethodGet, "/debug/pprof/cmdline", "localhost", http.StatusNotFound},
		{http.MethodGet, "/debug/vars", "localhost", http.StatusNotFound},
		{http.MethodGet, "/metrics", "localhost", http.StatusNotFound},
		{http.MethodPost, "/debug/pprof/symbol", "localhost", http.StatusMethodNotAllowed},
		{http.MethodGet, "/debug/pprof/heap", "evil.example.org", http.StatusMisdirectedRequest},
	} {
		r := httptest.NewRequest(c.method, c.path, nil)
		r.Host = c.host
		w := httptest.NewRecorder()
		NewDebugServer(&net.TCPAddr{IP: net.IPv4(127, 0, 0, 1)}, slog.New(slog.DiscardHandler)).Handler.ServeHTTP(w, r)
		if w.Code != c.status {
			t.Errorf("%s %s of %s: status %d, want %d", c.method, c.path, c.host, w.Code, c.status)
		}
	}
}
