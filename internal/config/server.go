package config

import (
	"crypto/x509"
	"net"
	"net/netip"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"imap-exporter/probe"
)

// A server is the IMAP server of an account.
type server struct {
	// label is the host:port of metrics, address the host:port to dial. They differ for the embedded servers only.
	label, address string
	// name is the name or address that the certificate must be valid for.
	name string
	// roots are the embedded servers' authority; nil for all others.
	roots *x509.CertPool
	// host is label without the port. ownPort says that the configuration gives the port.
	host    string
	ownPort bool
}

// withTLSMode returns the server with the default port of another TLS mode, unless the configuration gives the port.
func (s server) withTLSMode(mode probe.TLSMode) server {
	if s.ownPort {
		return s
	}
	label := net.JoinHostPort(s.host, defaultPort(mode))
	if s.roots == nil {
		s.address = label
	}
	s.label = label
	return s
}

// defaultPort returns the standard port of IMAP in a TLS mode (RFC 8314, section 3.2; RFC 9051, section 2.1).
func defaultPort(mode probe.TLSMode) string {
	if mode == probe.TLSImplicit {
		return "993"
	}
	return "143"
}

// parseServer reads host, host:port, an IPv6 address or [IPv6]:port.
func (l *loader) parseServer(text string, mode probe.TLSMode, p position) (server, bool) {
	host, port, ownPort := text, defaultPort(mode), false
	if h, given, err := net.SplitHostPort(text); err == nil && (strings.HasPrefix(text, "[") || strings.Count(text, ":") == 1) {
		host, port, ownPort = h, given, true
	} else if strings.HasPrefix(text, "[") && strings.HasSuffix(text, "]") {
		host = text[1 : len(text)-1]
	}
	ip, ipErr := netip.ParseAddr(host)
	number, portErr := strconv.ParseUint(port, 10, 16)
	address := net.JoinHostPort(host, strconv.FormatUint(number, 10))
	switch {
	case text == "":
		p.errorf("is missing: write host or host:port")
	case strings.Contains(text, "://"):
		p.errorf("must be host or host:port, without imap:// before it")
	case strings.ContainsAny(text, "[]") && (ipErr != nil || !ip.Is6()):
		p.errorf("only an IPv6 address may be in brackets: [2001:db8::1]:993")
	case portErr != nil || number == 0:
		p.errorf("must have a port from 1 to 65535, or none")
	case isDemoName(host):
		return l.demoServer(host, address, host != text, p)
	case ipErr == nil:
		return server{label: address, address: address, name: ip.WithZone("").String(), host: host, ownPort: ownPort}, true
	case !isHostName(host):
		p.errorf("must be host or host:port; write an internationalized name in its xn-- form")
	default:
		return server{label: address, address: address, name: host, host: host, ownPort: ownPort}, true
	}
	return server{}, false
}

// warnOfPort warns of a standard port with a TLS mode that its servers don't expect.
func warnOfPort(s server, mode probe.TLSMode, p position) {
	_, port, _ := net.SplitHostPort(s.label)
	switch {
	case port == "993" && mode != probe.TLSImplicit:
		p.warnf("servers expect tls: implicit on port 993, and the module has tls: %s", mode)
	case port == "143" && mode == probe.TLSImplicit:
		p.warnf("servers expect tls: starttls or none on port 143, and the module has tls: implicit")
	}
}

// hostLabels matches names that a resolver can look up. The _ isn't allowed in host names, but some have it.
var hostLabels = regexp.MustCompile(`^[A-Za-z0-9_]([A-Za-z0-9_-]*[A-Za-z0-9_])?(\.[A-Za-z0-9_]([A-Za-z0-9_-]*[A-Za-z0-9_])?)*\.?$`)

func isHostName(s string) bool { return len(s) <= 253 && hostLabels.MatchString(s) }

func isAddress(s string) bool {
	_, err := netip.ParseAddr(s)
	return err == nil
}

// isDemoName reports whether a host is reserved for the embedded servers: demo, and demo-… without a dot.
func isDemoName(host string) bool {
	return host == "demo" || strings.HasPrefix(host, "demo-") && !strings.Contains(host, ".")
}

func (l *loader) demoServer(name, label string, hasPort bool, p position) (server, bool) {
	var known []string
	if l.demo != nil {
		known = l.demo.Names()
	}
	switch {
	case !l.demoEnabled:
		p.errorf("is the name of an embedded demo server: write demo: {enabled: true} at the top level, or the full name of your server")
		return server{}, false
	case !slices.Contains(known, name):
		p.errorf("there is no such demo server: the known ones are %s", strings.Join(slices.Sorted(slices.Values(known)), ", "))
		return server{}, false
	case hasPort:
		p.errorf("an embedded demo server takes no port: delete it")
		return server{}, false
	}
	address, roots, err := l.demo.Lookup(name)
	if err != nil {
		p.errorf("the demo server does not start: %s", err)
		return server{}, false
	}
	return server{label: label, address: address, name: name, roots: roots, host: name}, true
}
