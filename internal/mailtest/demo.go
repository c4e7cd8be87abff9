package mailtest

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"
)

// A Demo is a set of practice servers under fixed names, each of which shows one thing worth seeing. The one account is
// [DemoUser] with [DemoPassword]. A server runs from the first time it is looked up.
type Demo struct {
	ca *CA

	mu      sync.Mutex
	running map[string]demoServer
	closed  bool
}

// A demoServer is a server of either kind.
type demoServer interface {
	Port() int
	Close() error
}

// NewDemo makes the servers' certificate authority. No server runs yet.
func NewDemo() (*Demo, error) {
	ca, err := NewCA()
	if err != nil {
		return nil, err
	}
	return &Demo{ca: ca, running: map[string]demoServer{}}, nil
}

// Servers returns the names of the servers.
func (d *Demo) Servers() []string {
	scenes := demoScenes()
	names := make([]string, len(scenes))
	for i, scene := range scenes {
		names[i] = scene.name
	}
	return names
}

// Lookup returns where the server of that name listens, localhost and a port, and the roots that vouch for its
// certificate, which is for the name. It starts the server if it doesn't run yet.
func (d *Demo) Lookup(name string) (address string, roots *x509.CertPool, err error) {
	scenes := demoScenes()
	i := slices.IndexFunc(scenes, func(s demoScene) bool { return s.name == name })
	if i < 0 {
		return "", nil, fmt.Errorf("there is no demo server %q, only %s", name, strings.Join(d.Servers(), ", "))
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.closed {
		return "", nil, errors.New("the demo servers are closed")
	}
	server := d.running[name]
	if server == nil {
		lifetime := scenes[i].lifetime
		if lifetime == 0 {
			lifetime = demoLifetime
		}
		renewing := &renewal{ca: d.ca, name: name, lifetime: lifetime}
		server, err = scenes[i].start(&tls.Config{MinVersion: tls.VersionTLS12, GetCertificate: renewing.certificate})
		if err != nil {
			return "", nil, fmt.Errorf("starting demo server %q: %w", name, err)
		}
		d.running[name] = server
	}
	return fmt.Sprintf("localhost:%d", server.Port()), d.ca.Pool(), nil
}

// Close ends all servers, and waits for them.
func (d *Demo) Close() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.closed = true
	var errs []error
	for _, server := range d.running {
		errs = append(errs, server.Close())
	}
	d.running = nil
	return errors.Join(errs...)
}

// demoLifetime is how long the certificates of most demo servers are valid.
const demoLifetime = 90 * 24 * time.Hour

// A renewal issues a certificate, and a new one whenever a fifth of its life is over: a demo may run for months and
// is still to show what it is there to show.
type renewal struct {
	ca       *CA
	name     string
	lifetime time.Duration

	mu      sync.Mutex
	current *tls.Certificate
}

// certificate is a tls.Config's GetCertificate.
func (r *renewal) certificate(*tls.ClientHelloInfo) (*tls.Certificate, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	now := r.ca.now()
	if r.current == nil || r.current.Leaf.NotAfter.Sub(now) < r.lifetime*4/5 {
		cert, err := r.ca.Issue(CertOptions{Names: []string{r.name}, NotAfter: now.Add(r.lifetime)})
		if err != nil {
			return nil, err
		}
		r.current = &cert
	}
	return r.current, nil
}
