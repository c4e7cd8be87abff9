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

// Servers run the servers of the table: with an authority that vouches for the good ones, and with a server elsewhere, to
// which a client must not let itself be sent.
type Servers struct {
	// Elsewhere is never to be connected to.
	Elsewhere *mailtest.Server
	// NoRecord keeps neither conversations nor bytes of servers that are started from then on: for what runs long.
	NoRecord bool

	ca      *mailtest.CA
	mu      sync.Mutex
	running []*mailtest.Server
}

// NewServers makes the authority and starts the server elsewhere.
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

// Roots vouch for the good servers.
func (s *Servers) Roots() *x509.CertPool { return s.ca.Pool() }

// Authority is the certificate of who vouches for the good servers.
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

// Close ends all servers.
func (s *Servers) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	var errs []error
	for _, server := range s.running {
		errs = append(errs, server.Close())
	}
	return errors.Join(errs...)
}
