package web

import (
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strings"
)

// withHostCheck answers requests with a Host header that is neither loopback nor allowed with 421 (RFC 9110, section
// 15.5.20). Without it, the owner of another site could make its name resolve to 127.0.0.1, and a browser on this machine
// would let that site's pages read ours (DNS rebinding). On an address that other machines can reach, it checks only if hosts
// are configured.
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

// hostOf returns the host that a request is for, in lower case and without its port; an IP address in canonical form.
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

// isLoopback says whether a host is always this machine.
func isLoopback(host string) bool {
	ip, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && ip.IsLoopback()
}

func isLoopbackAddr(a net.Addr) bool {
	tcp, ok := a.(*net.TCPAddr)
	return ok && tcp.IP.IsLoopback()
}
