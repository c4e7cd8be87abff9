package web

import (
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strings"
)

// withHostCheck refuses requests for hosts that aren't ours, with 421 (RFC 9110, section 7.4). Without it, a page of
// another site could have its own name point to 127.0.0.1, and a browser on this machine would let it read our pages (DNS
// rebinding). That takes a name; what is bound to an address that others can reach is for the network to guard, so there
// the check is made only if names are given.
func withHostCheck(next http.Handler, bound net.Addr, allowed []string) http.Handler {
	if !isLoopbackAddr(bound) && len(allowed) == 0 {
		return next
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if host := hostOf(r); !isLoopback(host) && !slices.Contains(allowed, host) {
			http.Error(w, "Refused: no pages of this host are here. Ask for localhost, or have web.allowed_hosts list the name.",
				http.StatusMisdirectedRequest)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// hostOf returns the host that a request is for, in small letters and without its port; an address in its usual spelling.
func hostOf(r *http.Request) string {
	host := r.Host
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	host = strings.TrimSuffix(strings.TrimPrefix(host, "["), "]")
	if ip, err := netip.ParseAddr(host); err == nil {
		return ip.Unmap().String()
	}
	return strings.TrimSuffix(strings.ToLower(host), ".")
}

// isLoopback reports whether a host can be nothing but this machine.
func isLoopback(host string) bool {
	ip, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && ip.IsLoopback()
}

func isLoopbackAddr(a net.Addr) bool {
	tcp, ok := a.(*net.TCPAddr)
	return ok && tcp.IP.IsLoopback()
}
