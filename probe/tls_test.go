package probe

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"math/big"
	"strings"
	"testing"
	"time"

	"imap-exporter/internal/mailtest"
)

// A testCert is a certificate with its key, to issue others.
type testCert struct {
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
}

// issue makes a certificate for so many days from now, signed by the issuer, or by itself; key nil: a new one.
func (issuer *testCert) issue(t *testing.T, name string, days int, authority bool, key *ecdsa.PrivateKey) *testCert {
	t.Helper()
	if key == nil {
		var err error
		if key, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader); err != nil {
			t.Fatal(err)
		}
	}
	serial, err := rand.Int(rand.Reader, big.NewInt(1<<62))
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: serial, Subject: pkix.Name{CommonName: name}, DNSNames: []string{name},
		NotBefore: time.Now().Add(-1000 * 24 * time.Hour), NotAfter: time.Now().Truncate(time.Second).Add(time.Duration(days) * 24 * time.Hour),
		IsCA: authority, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign,
	}
	parent, signer := template, key
	if issuer != nil {
		parent, signer = issuer.cert, issuer.key
	}
	der, err := x509.CreateCertificate(rand.Reader, template, parent, key.Public(), signer)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return &testCert{cert, key}
}

// The certificate's date is that of the chain to a trusted authority, whether the chain was verified, was not to be, or failed
// for another reason. Without such a chain it is the server's own certificate's.
func TestCertificateExpiry(t *testing.T) {
	root := (*testCert)(nil).issue(t, "root", 4000, true, nil)
	stranger := (*testCert)(nil).issue(t, "stranger", 3000, true, nil)
	good, short, ended := root.issue(t, "intermediate", 400, true, nil), root.issue(t, "short", 30, true, nil), root.issue(t, "ended", -3, true, nil)
	crossSigned := stranger.issue(t, "root", -10, true, root.key) // The root, signed by another one, and expired.
	unrelated := stranger.issue(t, "unrelated", -20, true, nil)
	leaf := func(issuer *testCert, days int) *testCert { return issuer.issue(t, "localhost", days, false, nil) }

	for name, c := range map[string]struct {
		leaf     *testCert
		more     []*testCert
		name     string
		insecure bool
		want     int // days
		reason   Reason
	}{
		"verified":                          {leaf: leaf(good, 90), more: []*testCert{good, crossSigned}, want: 90},
		"verified, the intermediate first":  {leaf: leaf(short, 90), more: []*testCert{short}, want: 30},
		"insecure":                          {leaf: leaf(good, 90), more: []*testCert{good, unrelated}, insecure: true, want: 90},
		"insecure, cross-signed":            {leaf: leaf(good, 90), more: []*testCert{good, crossSigned}, insecure: true, want: 90},
		"insecure, the intermediate first":  {leaf: leaf(short, 90), more: []*testCert{short}, insecure: true, want: 30},
		"insecure, of nobody we know":       {leaf: leaf(stranger, 50), more: []*testCert{stranger, unrelated}, insecure: true, want: 50},
		"insecure, expired":                 {leaf: leaf(good, -5), more: []*testCert{good}, insecure: true, want: -5},
		"another name":                      {leaf: leaf(good, 90), more: []*testCert{good, unrelated, crossSigned}, name: "mail.example.org", want: 90, reason: ReasonCertificateName},
		"expired":                           {leaf: leaf(good, -5), more: []*testCert{good, unrelated}, want: -5, reason: ReasonCertificateExpired},
		"the intermediate has expired":      {leaf: leaf(ended, 90), more: []*testCert{ended}, want: -3, reason: ReasonCertificateExpired},
		"of nobody we know, with one ended": {leaf: leaf(stranger, 50), more: []*testCert{unrelated}, want: 50, reason: ReasonCertificateUntrusted},
	} {
		t.Run(name, func(t *testing.T) {
			certificate := tls.Certificate{Certificate: [][]byte{c.leaf.cert.Raw}, PrivateKey: c.leaf.key}
			for _, more := range c.more {
				certificate.Certificate = append(certificate.Certificate, more.cert.Raw)
			}
			_, target := serve(t, mailtest.Options{TLS: &tls.Config{Certificates: []tls.Certificate{certificate}, MinVersion: tls.VersionTLS12}})
			target.TLSConfig.RootCAs = x509.NewCertPool()
			target.TLSConfig.RootCAs.AddCert(root.cert)
			target.TLSConfig.InsecureSkipVerify = c.insecure
			if c.name != "" {
				target.TLSConfig.ServerName = c.name
			}
			r := Run(t.Context(), target)
			if r.Err == nil && c.reason != "" || r.Err != nil && r.Err.Reason != c.reason {
				t.Fatalf("got %v, want %s", r.Err, c.reason)
			}
			if days := time.Until(r.TLS.NotAfter).Hours() / 24; days < float64(c.want)-0.1 || days > float64(c.want)+0.1 {
				t.Errorf("it ends in %.1f days, want %d", days, c.want)
			}
		})
	}
}

// Where Go's own errors leave the reader alone, the text says what to do.
func TestHandshakeFailuresSayWhatToDo(t *testing.T) {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), DNSNames: []string{"localhost"}, NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	negative := []byte(strings.Replace(string(der), "\x02\x01\x01", "\x02\x01\xff", 1)) // The serial number.
	for name, c := range map[string]struct {
		config *tls.Config
		reason Reason
		text   []string
	}{
		// Seen of Cisco's ASA: https://github.com/FiloSottile/Heartbleed/issues/67, and with Go 1.23: https://github.com/cyprob/cyprob/issues/319
		"a negative serial number": {
			&tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{negative}, PrivateKey: key}}},
			ReasonCertificateUntrusted,
			[]string{"must be issued anew", "negative serial number"},
		},
		// Seen of imap.dm.uba.ar: https://github.com/rustls/rustls/issues/2194, and https://github.com/xhit/go-simple-mail/issues/100
		"RSA key exchange alone": {
			&tls.Config{
				Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}},
				MaxVersion:   tls.VersionTLS12, CipherSuites: []uint16{tls.TLS_RSA_WITH_AES_128_GCM_SHA256},
			}, ReasonTLS, []string{"RSA key exchange", "ECDHE"},
		},
		"TLS 1.0 alone": {
			&tls.Config{
				Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}}, MinVersion: tls.VersionTLS10, MaxVersion: tls.VersionTLS10,
			}, ReasonTLS, []string{"too old", "min_version"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			_, target := serve(t, mailtest.Options{TLS: c.config})
			r := fail(t, target, PhaseTLS, c.reason)
			for _, want := range c.text {
				if !strings.Contains(r.Err.Text, want) {
					t.Errorf("no %q in: %s", want, r.Err.Text)
				}
			}
		})
	}
}
