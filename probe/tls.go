package probe

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
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
	s.socket.Mark()
	begin := time.Now()
	err := s.tls.HandshakeContext(context.WithoutCancel(ctx))
	s.addHandshake(begin, err == nil)
	state := s.tls.ConnectionState()
	if err != nil {
		s.keepExpiry(err, state)
		return s.Conn.Fail(err)
	}
	s.Result.TLS = &TLS{
		Version:  tls.VersionName(state.Version),
		Cipher:   tls.CipherSuiteName(state.CipherSuite),
		NotAfter: notAfter(state),
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
		s.Result.TLS = &TLS{NotAfter: earliest(presented)}
	}
}

// notAfter is when the chain stops verifying: each verified chain ends with its earliest certificate, and the latest of
// them counts, since an expired cross-signed certificate beside a good chain does no harm.
func notAfter(state tls.ConnectionState) time.Time {
	if len(state.VerifiedChains) == 0 {
		return earliest(state.PeerCertificates)
	}
	var latest time.Time
	for _, chain := range state.VerifiedChains {
		if end := earliest(chain); end.After(latest) {
			latest = end
		}
	}
	return latest
}

func earliest(certificates []*x509.Certificate) time.Time {
	var first time.Time
	for _, c := range certificates {
		if first.IsZero() || c.NotAfter.Before(first) {
			first = c.NotAfter
		}
	}
	return first
}
