package probe

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"time"
)

// certificateReason is what is wrong with a certificate, "" if err isn't about one.
func certificateReason(err error) Reason {
	var invalid x509.CertificateInvalidError
	var name x509.HostnameError
	var verification *tls.CertificateVerificationError
	var authority x509.UnknownAuthorityError
	switch {
	case errors.As(err, &invalid) && invalid.Reason == x509.Expired && time.Now().Before(invalid.Cert.NotBefore):
		return ReasonCertificateNotYetValid
	case errors.As(err, &invalid) && invalid.Reason == x509.Expired:
		return ReasonCertificateExpired
	case errors.As(err, &name):
		return ReasonCertificateName
	case errors.As(err, &verification), errors.As(err, &authority), errors.As(err, &invalid):
		// Also a chain that is too long, an extension that isn't known, or a use that doesn't fit: the text has the cause.
		return ReasonCertificateUntrusted
	}
	return ""
}

// HasNoAuthorities reports whether nobody could vouch for a server: config has no authorities of its own, and the system has
// none, as in a container image without ca-certificates.
func HasNoAuthorities(config *tls.Config) bool {
	roots := config.RootCAs
	if roots == nil {
		system, err := x509.SystemCertPool()
		if err != nil {
			return true
		}
		roots = system
	}
	return roots.Equal(x509.NewCertPool())
}
