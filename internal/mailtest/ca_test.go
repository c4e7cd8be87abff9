package mailtest

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"testing"
	"time"
)

func TestCertificates(t *testing.T) {
	now := time.Date(2031, 5, 6, 7, 8, 9, 0, time.UTC)
	ca, err := NewCAWithClock(func() time.Time { return now })
	if err != nil {
		t.Fatal(err)
	}
	cert, err := ca.Issue(CertOptions{Names: []string{"demo", "127.0.0.1", "::1"}, NotAfter: now.Add(time.Hour)})
	if err != nil {
		t.Fatal(err)
	}
	verify := func(name string, at time.Time, roots *x509.CertPool) error {
		_, err := cert.Leaf.Verify(x509.VerifyOptions{DNSName: name, CurrentTime: at, Roots: roots})
		return err
	}
	for _, name := range []string{"demo", "127.0.0.1", "::1"} {
		if err := verify(name, now, ca.Pool()); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := verify("other", now, ca.Pool()); !errors.As(err, new(x509.HostnameError)) {
		t.Errorf("another name: %v", err)
	}
	if err := verify("demo", now.Add(2*time.Hour), ca.Pool()); !errors.As(err, new(x509.CertificateInvalidError)) {
		t.Errorf("expired: %v", err)
	}
	if err := verify("demo", now, newCA(t).Pool()); !errors.As(err, new(x509.UnknownAuthorityError)) {
		t.Errorf("another authority: %v", err)
	}
}

func TestHandshakeFaults(t *testing.T) {
	server, config := serverTLS(t)
	s := start(t, Options{TLS: server})
	other := config.Clone()
	other.ServerName = "other"
	if _, err := tls.Dial("tcp", s.Addr(), other); !errors.As(err, new(x509.HostnameError)) {
		t.Errorf("%v", err)
	}
	if err := s.WaitIdle(within(t)); err != nil {
		t.Error(err)
	}
}
