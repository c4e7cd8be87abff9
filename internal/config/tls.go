package config

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"slices"

	"imap-exporter/probe"
)

// tlsConfig returns the TLS configuration that a module's accounts share; nil without TLS. ServerName is "" unless configured.
func (l *loader) tlsConfig(raw *rawTLS, t *probe.Target, p position) *tls.Config {
	at := p.key("tls_config")
	if t.Auth == probe.AuthExternal && (t.TLSMode == probe.TLSNone || raw == nil || raw.CertFile == "") {
		p.key("auth").errorf("external logs in with a client certificate: it needs tls, and tls_config with cert_file and key_file")
		return nil
	}
	if t.TLSMode == probe.TLSNone {
		if raw != nil {
			at.errorf("has no meaning with tls: none: delete one of them")
		}
		return nil
	}
	given := valueOr(raw, rawTLS{})
	c := &tls.Config{
		ServerName:         given.ServerName,
		MinVersion:         minVersion(given.MinVersion, at.key("min_version")),
		InsecureSkipVerify: given.InsecureSkipVerify, //nolint:gosec // Configured, and warned of below.
	}
	if given.InsecureSkipVerify {
		at.key("insecure_skip_verify").warnf("the server's certificate is not verified: anyone on the network path can read the password")
	}
	if given.ServerName != "" && !isHostName(given.ServerName) && !isAddress(given.ServerName) {
		at.key("server_name").errorf("is not a host name or address: write it as in the certificate, without port")
	}
	if given.CAFile != "" {
		c.RootCAs = l.roots(given.CAFile, at.key("ca_file"))
	}
	c.Certificates = l.clientCertificate(&given, at)
	return c
}

// warnOfMissingAuthorities warns if an account needs the system's certificate authorities, and there are none: containers and
// small systems often lack them.
func warnOfMissingAuthorities(accounts []Account, root position) {
	needed := func(a Account) bool {
		c := a.Target.TLSConfig
		return c != nil && c.RootCAs == nil && !c.InsecureSkipVerify
	}
	if !slices.ContainsFunc(accounts, needed) {
		return
	}
	if probe.HasNoAuthorities(&tls.Config{}) {
		root.warnf("this machine has no certificate authorities, so no server can be verified: install ca-certificates, or write ca_file in tls_config")
	}
}

// brokenTLS is the warning about versions that RFC 8996 deprecates.
const brokenTLS = "TLS 1.0 and 1.1 are broken: anyone on the network path may be able to read the password"

func minVersion(given *string, p position) uint16 {
	switch choose(p, given, "TLS12", "TLS10", "TLS11", "TLS12", "TLS13") {
	case "TLS10":
		p.warnf(brokenTLS)
		return tls.VersionTLS10
	case "TLS11":
		p.warnf(brokenTLS)
		return tls.VersionTLS11
	case "TLS13":
		return tls.VersionTLS13
	default:
		return tls.VersionTLS12
	}
}

func (l *loader) roots(name string, p position) *x509.CertPool {
	path := l.resolve(name)
	content, err := l.sources.read(path)
	if err != nil {
		p.errorf("%s: %s", path, fileError(name, err))
		return nil
	}
	roots, unreadable := certPool(content)
	switch none := roots.Equal(x509.NewCertPool()); {
	case none && unreadable == nil:
		p.errorf("%s: has no certificate in PEM format (-----BEGIN CERTIFICATE-----)", path)
	case none:
		p.errorf("%s: %s", path, unreadable)
	case unreadable != nil:
		p.warnf("%s: %s; it is left out", path, unreadable)
	}
	return roots
}

// certPool returns the certificates of a PEM file, and why the first one that can't be read can't.
func certPool(content []byte) (roots *x509.CertPool, unreadable error) {
	roots = x509.NewCertPool()
	for n := 1; ; {
		block, rest := pem.Decode(content)
		if block == nil {
			return roots, unreadable
		}
		content = rest
		if block.Type != "CERTIFICATE" {
			continue
		}
		cert, err := x509.ParseCertificate(block.Bytes)
		switch {
		case err == nil:
			roots.AddCert(cert)
		case unreadable == nil:
			unreadable = fmt.Errorf("certificate %d can't be read: %w", n, err)
		}
		n++
	}
}

func (l *loader) clientCertificate(raw *rawTLS, p position) []tls.Certificate {
	switch {
	case raw.CertFile == "" && raw.KeyFile == "":
		return nil
	case raw.CertFile == "":
		p.key("cert_file").errorf("is missing: key_file needs it")
		return nil
	case raw.KeyFile == "":
		p.key("key_file").errorf("is missing: cert_file needs it")
		return nil
	}
	var pems [2][]byte
	for i, f := range []struct{ name, key string }{{raw.CertFile, "cert_file"}, {raw.KeyFile, "key_file"}} {
		path := l.resolve(f.name)
		var err error
		if pems[i], err = l.sources.read(path); err != nil {
			p.key(f.key).errorf("%s: %s", path, fileError(f.name, err))
			return nil
		}
		if f.key == "key_file" {
			l.permissions.check(path, p.key(f.key))
		}
	}
	certificate, err := tls.X509KeyPair(pems[0], pems[1])
	if err != nil {
		p.key("cert_file").errorf("%s", fmt.Sprintf("cert_file and key_file are not a certificate and its key in PEM format: %s", err))
		return nil
	}
	return []tls.Certificate{certificate}
}
