package hostile

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"sync"
	"time"

	"imap-exporter/internal/mailtest"
)

// Servers runs the servers of the table, with a CA for those with a valid certificate, and with another server, Elsewhere, to
// which a client must not follow a referral.
type Servers struct {
	// Elsewhere must never get a connection.
	Elsewhere *mailtest.Server
	// NoRecord makes servers that are started later record neither conversations nor bytes, for long tests.
	NoRecord bool

	ca      *mailtest.CA
	mu      sync.Mutex
	running []*mailtest.Server
}

// NewServers creates the CA and starts Elsewhere.
func NewServers() (*Servers, error) {
	ca, err := mailtest.NewCA()
	if err != nil {
		return nil, err
	}
	s := &Servers{ca: ca}
	if s.Elsewhere, err = s.start(mailtest.Options{}); err != nil {
		return nil, err
	}
	return s, nil
}

// Cases returns the table, with the address of Elsewhere in it.
func (s *Servers) Cases() []Case { return Cases(s.Elsewhere.Addr()) }

// Roots returns a pool with the CA of the valid certificates.
func (s *Servers) Roots() *x509.CertPool { return s.ca.Pool() }

// Authority returns the certificate of the CA.
func (s *Servers) Authority() *x509.Certificate { return s.ca.Certificate() }

// Start runs the server of a case until Close. Its user is mailtest.DemoUser, its name localhost.
func (s *Servers) Start(c *Case) (*mailtest.Server, error) {
	o := c.Server
	o.Mode, o.Wiretap, o.NoRecord = c.Mode, !s.NoRecord, s.NoRecord
	if o.Data.Users == nil {
		user := mailtest.NewUser(time.Now())
		user.Password, user.Token = c.Account.Password, c.Account.Password
		o.Data.Users = []*mailtest.User{user}
	}
	if o.Mode != mailtest.ModePlain {
		config, err := s.config(c)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", c.Name, err)
		}
		o.TLS = config
	}
	return s.start(o)
}

func (s *Servers) config(c *Case) (*tls.Config, error) {
	if c.certificate != nil {
		return c.certificate(s.ca)
	}
	return s.ca.ServerConfig(mailtest.CertOptions{Names: []string{"localhost"}})
}

func (s *Servers) start(o mailtest.Options) (*mailtest.Server, error) {
	server, err := mailtest.Start(o)
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.running = append(s.running, server)
	return server, nil
}

// Close stops all servers.
func (s *Servers) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	var errs []error
	for _, server := range s.running {
		errs = append(errs, server.Close())
	}
	return errors.Join(errs...)
}
