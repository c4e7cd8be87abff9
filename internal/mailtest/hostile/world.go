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

// A World is where the servers of the table live: with an authority that vouches for the good ones, and with a server
// elsewhere to which a client must not let itself be sent.
type World struct {
	// Elsewhere is never to be connected to.
	Elsewhere *mailtest.Server
	// NoRecord keeps neither conversations nor bytes of servers that are started from then on: for what runs long.
	NoRecord bool

	ca      *mailtest.CA
	mu      sync.Mutex
	servers []*mailtest.Server
}

// NewWorld makes a world.
func NewWorld() (*World, error) {
	ca, err := mailtest.NewCA()
	if err != nil {
		return nil, err
	}
	w := &World{ca: ca}
	if w.Elsewhere, err = w.start(mailtest.Options{}); err != nil {
		return nil, err
	}
	return w, nil
}

// Cases returns the table for this world.
func (w *World) Cases() []Case { return Cases(w.Elsewhere.Addr()) }

// Roots vouch for the good servers.
func (w *World) Roots() *x509.CertPool { return w.ca.Pool() }

// Authority is the certificate of who vouches for the good servers.
func (w *World) Authority() *x509.Certificate { return w.ca.Certificate() }

// Start runs the server of a case until the world's Close. Its user is mailtest.DemoUser, its name localhost.
func (w *World) Start(c *Case) (*mailtest.Server, error) {
	o := c.Server
	o.Mode, o.Wiretap, o.NoRecord = c.Mode, !w.NoRecord, w.NoRecord
	if o.Data.Users == nil {
		user := mailtest.NewUser(time.Now())
		user.Password, user.Token = c.Account.Password, c.Account.Password
		o.Data.Users = []*mailtest.User{user}
	}
	if o.Mode != mailtest.ModePlain {
		config, err := w.config(c)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", c.Name, err)
		}
		o.TLS = config
	}
	return w.start(o)
}

func (w *World) config(c *Case) (*tls.Config, error) {
	if c.certificate != nil {
		return c.certificate(w.ca)
	}
	return w.ca.ServerConfig(mailtest.CertOptions{Names: []string{"localhost"}})
}

func (w *World) start(o mailtest.Options) (*mailtest.Server, error) {
	server, err := mailtest.Start(o)
	if err != nil {
		return nil, err
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.servers = append(w.servers, server)
	return server, nil
}

// Close ends all servers.
func (w *World) Close() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	var errs []error
	for _, s := range w.servers {
		errs = append(errs, s.Close())
	}
	return errors.Join(errs...)
}
