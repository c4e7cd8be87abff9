package web

import (
	"net"
	"net/http"
	"net/http/httptest"
	"testing"
)

// Requests for a foreign host name that resolves to this machine are rejected on every path.
func TestHostCheck(t *testing.T) {
	loopback, loopback6 := &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 10993}, &net.TCPAddr{IP: net.IPv6loopback, Port: 10993}
	everywhere, elsewhere := &net.TCPAddr{IP: net.IPv6unspecified, Port: 10993}, &net.TCPAddr{IP: net.IPv4(192, 0, 2, 1), Port: 10993}
	allowed := []string{"exporter.example.org", "192.0.2.1", "2001:db8::1"}
	for _, c := range []struct {
		name    string
		bound   net.Addr
		allowed []string
		host    string
		refused bool
	}{
		{"localhost", loopback, nil, "localhost:10993", false},
		{"in capitals, with a dot", loopback, nil, "LocalHost.:10993", false},
		{"without port", loopback, nil, "localhost", false},
		{"an address", loopback, nil, "127.0.0.1:10993", false},
		{"another one of loopback", loopback, nil, "127.8.9.10", false},
		{"IPv6", loopback6, nil, "[::1]:10993", false},
		{"IPv6 without port", loopback6, nil, "[::1]", false},
		{"IPv4 as IPv6", loopback6, nil, "[::ffff:127.0.0.1]:10993", false},
		{"a stranger", loopback, nil, "evil.example.org:10993", true},
		{"a stranger at IPv6", loopback6, nil, "evil.example.org", true},
		{"a stranger that sounds like us", loopback, nil, "localhost.evil.example.org", true},
		{"a stranger named by number", loopback, nil, "127.0.0.1.evil.example.org", true},
		{"with a user", loopback, nil, "localhost@evil.example.org", true},
		{"another address", loopback, nil, "192.0.2.1:10993", true},
		{"all addresses", loopback, nil, "0.0.0.0:10993", true},
		{"none", loopback, nil, "", true},
		{"allowed", loopback, allowed, "Exporter.Example.org:443", false},
		{"an allowed address", loopback, allowed, "192.0.2.1:10993", false},
		{"an allowed address of IPv6", loopback, allowed, "[2001:db8::1]:10993", false},
		{"the same, spelt out", loopback, allowed, "[2001:0DB8:0::1]:10993", false},
		{"localhost beside those allowed", loopback, allowed, "localhost", false},
		{"not allowed", loopback, allowed, "evil.example.org", true},
		{"below one that is allowed", loopback, allowed, "evil.exporter.example.org", true},
		{"any name where others may come", everywhere, nil, "imap-exporter.monitoring.svc:10993", false},
		{"any address where others may come", elsewhere, nil, "192.0.2.9:10993", false},
		{"only those allowed, if there are any", everywhere, allowed, "evil.example.org", true},
		{"one allowed", everywhere, allowed, "exporter.example.org", false},
		{"nothing is known of the address", nil, nil, "evil.example.org", false},
	} {
		opts := testOptions()
		opts.Bound, opts.AllowedHosts = c.bound, c.allowed
		for _, path := range []string{"/", "/metrics", "/style.css", "/-/healthy", "/-/ready", "/nowhere"} {
			r := httptest.NewRequest(http.MethodGet, path, nil)
			r.Host = c.host
			w := httptest.NewRecorder()
			NewServer(opts).Handler.ServeHTTP(w, r)
			if refused := w.Code == http.StatusMisdirectedRequest; refused != c.refused {
				t.Errorf("%s: %s of %q: status %d", c.name, path, c.host, w.Code)
			}
			if got := w.Header().Get("X-Content-Type-Options"); got != "nosniff" {
				t.Errorf("%s: without security headers", c.name)
			}
		}
	}
}

// A request with a foreign Host header can't reload.
func TestHostCheckOfReload(t *testing.T) {
	opts := testOptions()
	opts.Bound = &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1)}
	r := httptest.NewRequest(http.MethodPost, "/-/reload", nil)
	r.Host = "evil.example.org"
	w := httptest.NewRecorder()
	NewServer(opts).Handler.ServeHTTP(w, r)
	if w.Code != http.StatusMisdirectedRequest {
		t.Errorf("status %d", w.Code)
	}
}
