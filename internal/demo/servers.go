package demo

import (
	"cmp"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"imap-exporter/internal/mailtest"
)

// Servers are the demo's servers, under fixed names. Each demonstrates one thing. Its only account is [mailtest.DemoUser] with
// [mailtest.DemoPassword]. A server starts when it is first looked up.
type Servers struct {
	ca *mailtest.CA

	mu      sync.Mutex
	running map[string]server
	closed  bool
}

// A server is one of either kind: [mailtest.Server] or [mailtest.MemServer].
type server interface {
	Port() int
	Close() error
}

// New creates the servers' CA. It starts no server.
func New() (*Servers, error) {
	ca, err := mailtest.NewCA()
	if err != nil {
		return nil, err
	}
	return &Servers{ca: ca, running: map[string]server{}}, nil
}

// Names returns the names of the servers.
func (s *Servers) Names() []string {
	all := scenarios()
	names := make([]string, len(all))
	for i, scenario := range all {
		names[i] = scenario.name
	}
	return names
}

// Lookup returns the address of a server, localhost and a port, and its CA. The certificate is valid for the server's name.
// It starts the server if it isn't running.
func (s *Servers) Lookup(name string) (address string, roots *x509.CertPool, err error) {
	all := scenarios()
	i := slices.IndexFunc(all, func(s scenario) bool { return s.name == name })
	if i < 0 {
		return "", nil, fmt.Errorf("there is no demo server %q, only %s", name, strings.Join(s.Names(), ", "))
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return "", nil, errors.New("the demo servers are closed")
	}
	running := s.running[name]
	if running == nil {
		certificates := &certificateSource{ca: s.ca, now: time.Now, name: name, lifetime: cmp.Or(all[i].certificateLifetime, certificateLifetime)}
		running, err = all[i].start(&tls.Config{MinVersion: tls.VersionTLS12, GetCertificate: certificates.certificate})
		if err != nil {
			return "", nil, fmt.Errorf("starting demo server %q: %w", name, err)
		}
		s.running[name] = running
	}
	return fmt.Sprintf("localhost:%d", running.Port()), s.ca.Pool(), nil
}

// Close stops all servers and waits until they have ended.
func (s *Servers) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed = true
	var errs []error
	for _, running := range s.running {
		errs = append(errs, running.Close())
	}
	s.running = nil
	return errors.Join(errs...)
}
