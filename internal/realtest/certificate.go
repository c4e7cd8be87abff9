package realtest

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"time"
)

// certify creates a CA and a certificate for the server and, if the server accepts client certificates, for alice. It writes
// all into /etc/ssl/realtest of the root directory.
func (s *Server) certify(root string, client bool) error {
	dir := filepath.Join(root, "etc/ssl/realtest")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	ca, err := issue(nil, &x509.Certificate{
		Subject: pkix.Name{CommonName: "realtest CA"},
		IsCA:    true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageCRLSign,
	})
	if err != nil {
		return err
	}
	s.CA = x509.NewCertPool()
	s.CA.AddCert(ca.Leaf)
	s.CAFile = filepath.Join(dir, "ca.pem")
	if err := writeCertificate(ca, s.CAFile, ""); err != nil {
		return err
	}

	server, err := issue(ca, &x509.Certificate{
		Subject:     pkix.Name{CommonName: "localhost"},
		DNSNames:    []string{"localhost"},
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1), net.IPv6loopback},
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	})
	if err != nil {
		return err
	}
	if err := writeCertificate(server, filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")); err != nil {
		return err
	}
	if !client {
		return nil
	}
	s.ClientCert, err = issue(ca, &x509.Certificate{
		Subject:     pkix.Name{CommonName: "alice"},
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
	})
	if err != nil {
		return err
	}
	s.ClientCertFile, s.ClientKeyFile = filepath.Join(dir, "alice.pem"), filepath.Join(dir, "alice.key")
	return writeCertificate(s.ClientCert, s.ClientCertFile, s.ClientKeyFile)
}

// issue creates a key and a certificate, valid for a day; self-signed without an issuer.
func issue(issuer *tls.Certificate, template *x509.Certificate) (*tls.Certificate, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 64))
	if err != nil {
		return nil, err
	}
	template.SerialNumber = serial
	template.NotBefore, template.NotAfter = time.Now().Add(-time.Hour), time.Now().Add(24*time.Hour)
	parent, signer := template, any(key)
	if issuer != nil {
		parent, signer = issuer.Leaf, issuer.PrivateKey
	}
	der, err := x509.CreateCertificate(rand.Reader, template, parent, key.Public(), signer)
	if err != nil {
		return nil, err
	}
	leaf, err := x509.ParseCertificate(der)
	if err != nil {
		return nil, err
	}
	return &tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key, Leaf: leaf}, nil
}

// writeCertificate writes the certificate and, unless its file is "", the key.
func writeCertificate(c *tls.Certificate, certFile, keyFile string) error {
	cert := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: c.Certificate[0]})
	if err := os.WriteFile(certFile, cert, 0o644); err != nil || keyFile == "" {
		return err
	}
	der, err := x509.MarshalPKCS8PrivateKey(c.PrivateKey)
	if err != nil {
		return err
	}
	return os.WriteFile(keyFile, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}), 0o600)
}
