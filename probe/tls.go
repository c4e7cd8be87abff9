package probe

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"time"

	"imap-exporter/internal/wire"
)

// implicitTLS makes the handshake where TLS comes first.
func (s *session) implicitTLS(ctx context.Context) error {
	if s.t.TLSMode != TLSImplicit {
		return nil
	}
	return s.handshake(ctx)
}

// upgrade makes the handshake after STARTTLS.
func (s *session) upgrade(ctx context.Context) error {
	if s.t.TLSMode != TLSStartTLS {
		return nil
	}
	return s.handshake(ctx)
}

// handshake makes a full handshake: there is no session cache to resume from. Its deadline is the Socket's.
func (s *session) handshake(ctx context.Context) error {
	s.tls = tls.Client(s.socket, s.t.TLSConfig)
	if err := s.gate.Upgrade(s.tls); err != nil {
		return err
	}
	s.socket.Mark()
	begin := time.Now()
	err := s.tls.HandshakeContext(context.WithoutCancel(ctx))
	s.shaken(begin, err == nil)
	state := s.tls.ConnectionState()
	if err != nil {
		s.tlsFailed(err, state)
		return s.gate.Fail(err)
	}
	s.result.TLS = &TLS{
		Version:  tls.VersionName(state.Version),
		Cipher:   tls.CipherSuiteName(state.CipherSuite),
		NotAfter: notAfter(state),
	}
	return nil
}

// shaken puts down the time of a handshake, from our first byte handed to the kernel on, less the time that we waited for
// our turn though the server had answered. Our own cryptography belongs to it, as in any client. The greeting is to be
// expected from when the last side spoke: with TLS 1.3 that was we, with TLS 1.2 the server.
func (s *session) shaken(begin time.Time, ok bool) {
	now := time.Now()
	t := Timing{Phase: PhaseTLS, Duration: now.Sub(begin), OK: ok}
	if first := s.socket.FirstSent(); ok && !first.IsZero() {
		t.ReadDelay = s.socket.Lag()
		t.Duration = now.Sub(first) - t.ReadDelay
		begin = first
	}
	s.timed(begin, t)
	s.ready = s.socket.Arrived()
	if sent := s.socket.Sent(); sent.After(s.ready) {
		s.ready = sent
	}
}

// tlsFailed keeps the certificate's date though its verification failed.
func (s *session) tlsFailed(err error, state tls.ConnectionState) {
	presented := state.PeerCertificates
	if invalid, ok := errors.AsType[*tls.CertificateVerificationError](err); ok {
		presented = invalid.UnverifiedCertificates
	}
	if len(presented) > 0 {
		s.result.TLS = &TLS{NotAfter: earliest(presented)}
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

// greeting waits for the server's first line.
func (s *session) greeting(context.Context) error {
	r, err := s.gate.Greeting(s.ready)
	if err != nil {
		return err
	}
	if r.Status() != wire.PREAUTH {
		return nil
	}
	if s.t.TLSMode == TLSImplicit && (s.t.Auth == AuthExternal || s.t.Auth == AuthNone) {
		s.preauth = true
		return nil
	}
	return refuse(ReasonPreauth, "the server greeted with PREAUTH, so no login can be measured")
}

// startTLS asks for TLS. A server that doesn't offer it, or refuses it, fails the probe: nothing goes on in clear text.
func (s *session) startTLS(context.Context) error {
	if s.t.TLSMode != TLSStartTLS {
		return nil
	}
	if !s.caps["STARTTLS"] {
		return refuse(ReasonStartTLSRefused, "the server doesn't offer STARTTLS")
	}
	_, err := s.gate.Do("STARTTLS")
	return err
}
