package main

import (
	"context"
	"net/http"
	"net/http/httptest"
	"testing"
)

func TestCheckHealth(t *testing.T) {
	status := func(code int) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path != "/-/healthy" {
				code = http.StatusNotFound
			}
			w.WriteHeader(code)
		}
	}
	for name, test := range map[string]struct {
		start   func(http.Handler) *httptest.Server
		status  int
		tls     bool
		healthy bool
	}{
		"healthy":                 {httptest.NewServer, http.StatusOK, false, true},
		"behind a password":       {httptest.NewServer, http.StatusUnauthorized, true, true},
		"TLS":                     {httptest.NewTLSServer, http.StatusOK, true, true},
		"TLS that nobody expects": {httptest.NewTLSServer, http.StatusOK, false, false},
		"not ours":                {httptest.NewServer, http.StatusNotFound, true, false},
		"unhealthy":               {httptest.NewServer, http.StatusServiceUnavailable, false, false},
	} {
		server := test.start(status(test.status))
		err := checkHealth(t.Context(), server.Listener.Addr().String(), test.tls)
		if (err == nil) != test.healthy {
			t.Errorf("%s: %v", name, err)
		}
		server.Close()
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := checkHealth(ctx, "127.0.0.1:1", false); err == nil {
		t.Error("nobody answers, and that is healthy")
	}
}

func TestLocalAddress(t *testing.T) {
	for listen, want := range map[string]string{
		":10993":             "127.0.0.1:10993",
		"0.0.0.0:10993":      "127.0.0.1:10993",
		"[::]:10993":         "[::1]:10993",
		"192.0.2.1:10993":    "192.0.2.1:10993",
		"exporter.local:80":  "exporter.local:80",
		"[2001:db8::1]:1993": "[2001:db8::1]:1993",
	} {
		if got, err := localAddress(listen); err != nil || got != want {
			t.Errorf("%s: %s, %v, want %s", listen, got, err, want)
		}
	}
	for _, listen := range []string{":0", "nothing"} {
		if got, err := localAddress(listen); err == nil {
			t.Errorf("%s: %s", listen, got)
		}
	}
}
