package demo

import (
	"crypto/tls"
	"sync"
	"time"

	"imap-exporter/internal/mailtest"
)

// certificateLifetime is the validity of most demo servers' certificates.
const certificateLifetime = 90 * 24 * time.Hour

// A certificateSource issues a server's certificate, and a new one whenever a fifth of its validity has passed: a demo may
// run for months, and must not change what it demonstrates.
type certificateSource struct {
	ca       *mailtest.CA
	now      func() time.Time
	name     string
	lifetime time.Duration

	mu      sync.Mutex
	current *tls.Certificate
}

// certificate is a tls.Config's GetCertificate.
func (s *certificateSource) certificate(*tls.ClientHelloInfo) (*tls.Certificate, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.now()
	if s.current == nil || s.current.Leaf.NotAfter.Sub(now) < s.lifetime*4/5 {
		cert, err := s.ca.Issue(mailtest.CertOptions{Names: []string{s.name}, NotAfter: now.Add(s.lifetime)})
		if err != nil {
			return nil, err
		}
		s.current = &cert
	}
	return s.current, nil
}
