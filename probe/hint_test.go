package probe

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"math/big"
	"net"
	"strings"
	"syscall"
	"testing"
	"time"

	"imap-exporter/internal/mailtest"
)

// TestWrongTLSMode: the text names the value of tls that fits the port.
func TestWrongTLSMode(t *testing.T) {
	for name, c := range map[string]struct {
		server mailtest.Mode
		mode   TLSMode
		phase  Phase
		reason Reason
		want   string
	}{
		"TLS to a port in clear text":      {mailtest.ModePlain, TLSImplicit, PhaseTLS, ReasonTLS, "tls: starttls"},
		"STARTTLS to a port that uses TLS": {mailtest.ModeImplicit, TLSStartTLS, PhaseGreeting, ReasonTimeout, "tls: implicit"},
		"clear text to a port of TLS":      {mailtest.ModeImplicit, TLSNone, PhaseGreeting, ReasonTimeout, "tls: implicit"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, target := serve(t, mailtest.Options{Mode: c.server})
			target.TLSMode, target.Timeout = c.mode, 500*time.Millisecond
			target.TLSConfig = &tls.Config{ServerName: "localhost", MinVersion: tls.VersionTLS12}
			if r := fail(t, target, c.phase, c.reason); !strings.Contains(r.Err.Text, c.want) {
				t.Errorf("text %q, want %q in it", r.Err.Text, c.want)
			}
		})
	}
	_, target := serve(t, mailtest.Options{Mode: mailtest.ModePlain, Greeting: "* "})
	target.Timeout = 300 * time.Millisecond
	if r := fail(t, target, PhaseGreeting, ReasonTimeout); strings.Contains(r.Err.Text, "tls:") {
		t.Errorf("text %q, though the server speaks clear text", r.Err.Text)
	}
	_, target = serve(t, mailtest.Options{Mode: mailtest.ModePlain, Greeting: "\x00\x01\x02\x03\x04\x05\r\n"})
	target.TLSMode, target.TLSConfig = TLSImplicit, &tls.Config{ServerName: "localhost", MinVersion: tls.VersionTLS12}
	if r := fail(t, target, PhaseTLS, ReasonTLS); strings.Contains(r.Err.Text, "clear text") {
		t.Errorf("text %q, though nothing readable came", r.Err.Text)
	}
}

func TestNoAuthorities(t *testing.T) {
	_, target := serve(t, mailtest.Options{})
	target.TLSConfig.RootCAs = x509.NewCertPool()
	if r := fail(t, target, PhaseTLS, ReasonCertificateUntrusted); !strings.Contains(r.Err.Text, "ca-certificates") {
		t.Errorf("text %q", r.Err.Text)
	}
	target.TLSConfig.RootCAs = testCA(t).Pool()
	if r := fail(t, target, PhaseTLS, ReasonCertificateUntrusted); strings.Contains(r.Err.Text, "ca-certificates") {
		t.Errorf("text %q, though there are authorities", r.Err.Text)
	}
}

// TestUnusualCertificates: whatever makes a certificate fail its verification, the reason is about the certificate, and the
// text has the cause.
func TestUnusualCertificates(t *testing.T) {
	for name, c := range map[string]struct {
		change func(leaf *x509.Certificate)
		chain  int // certificates between the leaf and the authority
		want   string
	}{
		"a chain of 100":                {chain: 100, want: "x509:"},
		"an unknown critical extension": {change: addCriticalExtension, want: "unhandled critical extension"},
		"another use":                   {change: func(leaf *x509.Certificate) { leaf.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageEmailProtection} }, want: "incompatible key usage"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			roots, certificate := issueChain(t, c.chain, c.change)
			_, target := serve(t, mailtest.Options{TLS: &tls.Config{Certificates: []tls.Certificate{certificate}, MinVersion: tls.VersionTLS12}})
			target.TLSConfig.RootCAs = roots
			r := fail(t, target, PhaseTLS, ReasonCertificateUntrusted)
			if !strings.Contains(r.Err.Text, c.want) || r.TLS == nil || r.TLS.NotAfter.IsZero() {
				t.Errorf("text %q, want %q in it; TLS %+v", r.Err.Text, c.want, r.TLS)
			}
		})
	}
}

func addCriticalExtension(leaf *x509.Certificate) {
	leaf.ExtraExtensions = []pkix.Extension{{Id: asn1.ObjectIdentifier{1, 3, 6, 1, 4, 1, 99999, 1}, Critical: true, Value: []byte{5, 0}}}
}

// issueChain issues a certificate for localhost below n intermediate authorities.
func issueChain(t *testing.T, n int, change func(*x509.Certificate)) (*x509.CertPool, tls.Certificate) {
	t.Helper()
	template := func(i int) *x509.Certificate {
		return &x509.Certificate{
			SerialNumber: big.NewInt(int64(i + 1)), Subject: pkix.Name{CommonName: "authority", SerialNumber: big.NewInt(int64(i)).String()},
			NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
			IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
		}
	}
	var chain [][]byte
	var roots *x509.CertPool
	var parent *x509.Certificate
	var signer *ecdsa.PrivateKey
	for i := range n + 2 {
		this := template(i)
		if i == n+1 {
			this.IsCA, this.KeyUsage, this.DNSNames = false, x509.KeyUsageDigitalSignature, []string{"localhost"}
			if change != nil {
				change(this)
			}
		}
		key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		if parent == nil {
			parent, signer = this, key
		}
		der, err := x509.CreateCertificate(rand.Reader, this, parent, &key.PublicKey, signer)
		if err != nil {
			t.Fatal(err)
		}
		if parent, err = x509.ParseCertificate(der); err != nil {
			t.Fatal(err)
		}
		signer = key
		if i == 0 {
			roots = x509.NewCertPool()
			roots.AddCert(parent)
			continue
		}
		chain = append([][]byte{der}, chain...)
	}
	return roots, tls.Certificate{Certificate: chain, PrivateKey: signer}
}

// TestNoRoute: an address that no network of this machine leads to is unreachable, and no failure of the exporter's own.
func TestNoRoute(t *testing.T) {
	dial := func(address string, errno syscall.Errno) error {
		tcp, err := net.ResolveTCPAddr("tcp", address)
		if err != nil {
			t.Fatal(err)
		}
		return &net.OpError{Op: "dial", Net: "tcp", Addr: tcp, Err: errno}
	}
	ipv6 := ReasonUnreachable
	if hasIPv6() {
		ipv6 = ReasonInternal
	}
	for name, c := range map[string]struct {
		err  error
		want Reason
	}{
		"a link-local address":      {dial("[fe80::1]:993", syscall.EINVAL), ReasonUnreachable},
		"no IPv6 on this machine":   {dial("[2001:db8::1]:993", syscall.EADDRNOTAVAIL), ipv6},
		"IPv6 switched off":         {dial("[2001:db8::1]:993", syscall.EAFNOSUPPORT), ReasonUnreachable},
		"an interface that is down": {dial("192.0.2.1:993", syscall.ENETDOWN), ReasonUnreachable},
		"no local port left":        {dial("192.0.2.1:993", syscall.EADDRNOTAVAIL), ReasonInternal},
	} {
		if got := reason(PhaseConnect, c.err); got != c.want {
			t.Errorf("%s: got %s, want %s", name, got, c.want)
		}
	}
	_, target := serve(t, mailtest.Options{})
	target.Address = "[fe80::1]:993"
	if r := fail(t, target, PhaseConnect, ReasonUnreachable); !strings.Contains(r.Err.Text, "link-local") {
		t.Errorf("text %q", r.Err.Text)
	}
}

// TestResolverGivesUp: the text says what gave up and when, and Go's resolver and the C library's come to the same reason.
func TestResolverGivesUp(t *testing.T) {
	for name, c := range map[string]struct {
		err   net.DNSError
		after time.Duration
		want  Reason
		text  string
	}{
		"Go's":                       {net.DNSError{Err: "i/o timeout", Name: "imap.example.org", IsTimeout: true, IsTemporary: true}, 2 * time.Second, ReasonTimeout, "the resolver gave up after 2s"},
		"the C library's":            {net.DNSError{Err: "Temporary failure in name resolution", Name: "imap.example.org", IsTemporary: true}, 2 * time.Second, ReasonTimeout, "the resolver gave up after 2s"},
		"a failure of a name server": {net.DNSError{Err: "server misbehaving", Name: "imap.example.org", IsTemporary: true}, 20 * time.Millisecond, ReasonDNS, "server misbehaving"},
		"no such name":               {net.DNSError{Err: "no such host", Name: "imap.example.org", IsNotFound: true}, 2 * time.Second, ReasonDNS, "no such host"},
	} {
		s := newSession(t.Context(), &Target{Timeout: 4 * time.Second})
		got := s.newError(PhaseResolve, resolveError(t.Context(), &c.err, c.after))
		if got.Reason != c.want || !strings.Contains(got.Text, c.text) || strings.Contains(got.Text, "4s") {
			t.Errorf("%s: got %v, want %s and %q", name, got, c.want, c.text)
		}
	}
}
