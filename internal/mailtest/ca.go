package mailtest

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"fmt"
	"math/big"
	"net"
	"strings"
	"time"
)

const (
	caLifetime   = 20 * 365 * 24 * time.Hour
	leafLifetime = 365 * 24 * time.Hour
	// clockSkew is how long before its creation a certificate's validity begins.
	clockSkew = time.Hour
)

// A CA is a certificate authority that lives in memory only.
type CA struct {
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
	now  func() time.Time
}

// NewCA creates a CA that uses the system's clock.
func NewCA() (*CA, error) { return NewCAWithClock(time.Now) }

// NewCAWithClock creates a CA that uses another clock.
func NewCAWithClock(now func() time.Time) (*CA, error) {
	template := &x509.Certificate{
		Subject:               pkix.Name{CommonName: "IMAP exporter practice CA"},
		NotBefore:             now().Add(-leafLifetime),
		NotAfter:              now().Add(caLifetime),
		IsCA:                  true,
		BasicConstraintsValid: true,
		KeyUsage:              x509.KeyUsageCertSign,
	}
	ca := &CA{now: now}
	der, key, err := ca.sign(template)
	if err != nil {
		return nil, fmt.Errorf("making a certificate authority: %w", err)
	}
	ca.key = key
	if ca.cert, err = x509.ParseCertificate(der); err != nil {
		return nil, fmt.Errorf("making a certificate authority: %w", err)
	}
	return ca, nil
}

// Pool returns a new pool with only this CA.
func (ca *CA) Pool() *x509.CertPool {
	pool := x509.NewCertPool()
	pool.AddCert(ca.cert)
	return pool
}

// CertOptions say what a certificate is for.
type CertOptions struct {
	// Names are host names and IP addresses, or the user of a client certificate.
	Names []string
	// CommonName is the first of Names by default. On its own it names no host.
	CommonName string
	// NotBefore and NotAfter default to an hour ago and a year from now.
	NotBefore, NotAfter time.Time
	// Client requests a client certificate instead of a server's.
	Client bool
}

// Certificate returns the CA's own certificate.
func (ca *CA) Certificate() *x509.Certificate { return ca.cert }

// Issue creates a key and a certificate for it.
func (ca *CA) Issue(o CertOptions) (tls.Certificate, error) {
	template := &x509.Certificate{
		Subject:     pkix.Name{CommonName: o.CommonName},
		NotBefore:   o.NotBefore,
		NotAfter:    o.NotAfter,
		KeyUsage:    x509.KeyUsageDigitalSignature,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	if o.Client {
		template.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}
	}
	if template.NotBefore.IsZero() {
		template.NotBefore = ca.now().Add(-clockSkew)
	}
	if template.NotAfter.IsZero() {
		template.NotAfter = ca.now().Add(leafLifetime)
	}
	for i, name := range o.Names {
		if i == 0 && o.CommonName == "" {
			template.Subject.CommonName = name
		}
		switch ip := net.ParseIP(name); {
		case ip != nil:
			template.IPAddresses = append(template.IPAddresses, ip)
		case strings.Contains(name, "@"):
			template.EmailAddresses = append(template.EmailAddresses, name)
		default:
			template.DNSNames = append(template.DNSNames, name)
		}
	}
	der, key, err := ca.sign(template)
	if err != nil {
		return tls.Certificate{}, fmt.Errorf("issuing a certificate for %q: %w", o.Names, err)
	}
	leaf, err := x509.ParseCertificate(der)
	if err != nil {
		return tls.Certificate{}, fmt.Errorf("issuing a certificate for %q: %w", o.Names, err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key, Leaf: leaf}, nil
}

// ServerConfig returns a server's TLS configuration with a new certificate. Clients may use a certificate of this CA.
func (ca *CA) ServerConfig(o CertOptions) (*tls.Config, error) {
	cert, err := ca.Issue(o)
	if err != nil {
		return nil, err
	}
	return &tls.Config{
		Certificates: []tls.Certificate{cert},
		ClientAuth:   tls.VerifyClientCertIfGiven,
		ClientCAs:    ca.Pool(),
		MinVersion:   tls.VersionTLS12,
	}, nil
}

// sign creates a key and a certificate for it, self-signed if the CA has no certificate yet.
func (ca *CA) sign(template *x509.Certificate) (der []byte, key *ecdsa.PrivateKey, err error) {
	if key, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader); err != nil {
		return nil, nil, err
	}
	if template.SerialNumber, err = rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 120)); err != nil {
		return nil, nil, err
	}
	parent, signer := ca.cert, ca.key
	if parent == nil {
		parent, signer = template, key
	}
	der, err = x509.CreateCertificate(rand.Reader, template, parent, &key.PublicKey, signer)
	return der, key, err
}
