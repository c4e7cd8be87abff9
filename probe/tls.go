package probe

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"strings"
	"time"
)

// ImplicitTLS makes the handshake where TLS comes before the greeting.
func (s *Session) ImplicitTLS(ctx context.Context) error {
	if s.Target.TLSMode != TLSImplicit {
		return nil
	}
	return s.Handshake(ctx)
}

// Handshake starts TLS. The handshake is a full one: there is no session cache to resume from. Its deadline is the Socket's.
func (s *Session) Handshake(ctx context.Context) error {
	s.tls = tls.Client(s.socket, s.Target.TLSConfig)
	if err := s.Conn.Upgrade(s.tls); err != nil {
		return err
	}
	s.socket.StartTLS()
	s.socket.Mark()
	begin := time.Now()
	err := s.tls.HandshakeContext(context.WithoutCancel(ctx))
	s.addHandshake(begin, err == nil)
	state := s.tls.ConnectionState()
	if err != nil {
		s.keepExpiry(err, state)
		return s.Conn.Fail(explainHandshake(err))
	}
	s.Result.TLS = &TLS{
		Version:  tls.VersionName(state.Version),
		Cipher:   tls.CipherSuiteName(state.CipherSuite),
		NotAfter: s.notAfter(state),
	}
	return nil
}

// addHandshake adds the time of a handshake, from our first byte handed to the kernel on, without the time that our
// goroutine waited to run though the server had answered. Our own cryptography is part of it, as in any client. The connection
// is ready from when the last byte was sent: with TLS 1.3 by us, with TLS 1.2 by the server.
func (s *Session) addHandshake(begin time.Time, ok bool) {
	now := time.Now()
	t := Timing{Phase: PhaseTLS, Duration: now.Sub(begin), OK: ok}
	if first := s.socket.FirstSent(); ok && !first.IsZero() {
		t.ReadDelay = s.socket.SchedulingDelay()
		t.Duration = now.Sub(first) - t.ReadDelay
		begin = first
	}
	s.addTiming(begin, t)
	s.ready = s.socket.Received()
	if sent := s.socket.Sent(); sent.After(s.ready) {
		s.ready = sent
	}
}

// keepExpiry keeps the certificate's date though its verification failed.
func (s *Session) keepExpiry(err error, state tls.ConnectionState) {
	presented := state.PeerCertificates
	if invalid, ok := errors.AsType[*tls.CertificateVerificationError](err); ok {
		presented = invalid.UnverifiedCertificates
	}
	if len(presented) > 0 {
		s.Result.TLS = &TLS{NotAfter: s.unverifiedExpiry(presented)}
	}
}

// notAfter is when the chain stops verifying.
func (s *Session) notAfter(state tls.ConnectionState) time.Time {
	if len(state.VerifiedChains) > 0 {
		return expiry(state.VerifiedChains)
	}
	return s.unverifiedExpiry(state.PeerCertificates)
}

// expiry is when the last of the chains ends. Each ends with its earliest certificate: an expired cross-signed certificate
// beside a good chain does no harm.
func expiry(chains [][]*x509.Certificate) (latest time.Time) {
	for _, chain := range chains {
		end := chain[0].NotAfter
		for _, c := range chain {
			if c.NotAfter.Before(end) {
				end = c.NotAfter
			}
		}
		if end.After(latest) {
			latest = end
		}
	}
	return latest
}

// unverifiedExpiry is the expiry of certificates that weren't verified, or that failed it, perhaps for the name alone: that of
// the chains from the first one to an authority we trust, whether they have ended or not, else that of the first one itself.
// What else a server sends doesn't count.
func (s *Session) unverifiedExpiry(presented []*x509.Certificate) time.Time {
	if len(presented) == 0 {
		return time.Time{}
	}
	leaf := presented[0]
	options := x509.VerifyOptions{
		Roots: s.Target.TLSConfig.RootCAs, Intermediates: x509.NewCertPool(), KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageAny},
	}
	for _, c := range presented[1:] {
		options.Intermediates.AddCert(c)
	}
	for _, options.CurrentTime = range []time.Time{time.Now(), leaf.NotBefore, leaf.NotAfter} {
		if chains, err := leaf.Verify(options); err == nil {
			return expiry(chains)
		}
	}
	return leaf.NotAfter
}

// explainHandshake says what to do about failures of a handshake whose errors don't.
func explainHandshake(err error) error {
	switch text := err.Error(); {
	case strings.Contains(text, "failed to parse certificate"):
		return Errorf(ReasonCertificateUntrusted, "the server's certificate is invalid and must be issued anew: %w", err)
	case text == "remote error: tls: handshake failure":
		return Errorf(ReasonTLS, "%w: the server accepts no cipher suite of ours; if it knows only RSA key exchange, which has no "+
			"forward secrecy, let it offer ECDHE", err)
	case strings.Contains(text, "server selected unsupported protocol version"), text == "remote error: tls: protocol version not supported":
		return Errorf(ReasonTLS, "%w: the server's TLS is too old; tls_config.min_version can permit it", err)
	}
	return err
}
