package realtest

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strconv"
	"time"
)

// A kind is what distinguishes one IMAP server from another before it runs.
type kind struct {
	name string
	// dir is its installed root directory and its configuration in servers/.
	dir string
	// pkg is the Debian package that has its version.
	pkg string
	// prefix is Server.Prefix.
	prefix string
	// bearer is set where it takes bearer tokens and client certificates.
	bearer bool
	// strict is a Dovecot that delays logins after a rejected one, as it does by default.
	strict bool
	// sessions is how many a user may have at a time from one address; 0 is any number.
	sessions int
	// maildir is alice's, below the root directory; "" where mail is kept in another way.
	maildir string
	// provision creates the users' mailboxes and quotas, where its start script can't.
	provision func(context.Context, *Server) error
}

var (
	dovecot = kind{name: "Dovecot", dir: "dovecot", pkg: "dovecot-imapd", bearer: true, maildir: "srv/mail/alice/Maildir"}
	strict  = kind{name: "Dovecot", dir: "dovecot", pkg: "dovecot-imapd", bearer: true, strict: true}
	narrow  = kind{name: "Dovecot", dir: "dovecot", pkg: "dovecot-imapd", bearer: true, sessions: 2}
	cyrus   = kind{name: "Cyrus", dir: "cyrus", pkg: "cyrus-imapd", provision: provisionCyrus}
	courier = kind{name: "Courier", dir: "courier", pkg: "courier-imap", prefix: "INBOX."}
)

// start runs a server and fills its mailboxes. The returned stop ends everything that was started; call it even after an error.
func start(ctx context.Context, k kind) (s *Server, stop func(), err error) {
	var stops []func()
	stop = func() {
		for _, f := range slices.Backward(stops) {
			f()
		}
	}
	root, remove, err := newRoot(ctx, k.dir)
	stops = append(stops, remove)
	if err != nil {
		return nil, stop, err
	}
	version, err := packageVersion(ctx, k.dir, k.pkg)
	if err != nil {
		return nil, stop, err
	}
	tokens := newTokenEndpoint()
	stops = append(stops, tokens.Close)

	s = &Server{
		Name: k.name, Version: version, Prefix: k.prefix,
		Alice: User{"alice", alicePassword}, Bob: User{"bob", bobPassword},
	}
	if err := s.certify(root, k.bearer); err != nil {
		return nil, stop, err
	}
	plain, err := FreePort()
	if err != nil {
		return nil, stop, err
	}
	implicit, err := FreePort()
	if err != nil {
		return nil, stop, err
	}
	s.PlainAddr, s.TLSAddr = loopback(plain), loopback(implicit)
	failureDelay, penaltyMode := "0 secs", "0"
	if k.strict {
		failureDelay, penaltyMode = "2 secs", "0600"
	}
	err = configure(root, k.dir, map[string]string{
		"FAILURE_DELAY": failureDelay, "PENALTY_MODE": penaltyMode,
		"SESSIONS":   strconv.Itoa(k.sessions),
		"PLAIN_PORT": plain, "TLS_PORT": implicit, "TOKEN_ADDR": tokens.Listener.Addr().String(),
		"ALICE_PASSWORD": alicePassword, "BOB_PASSWORD": bobPassword, "ADMIN_PASSWORD": adminPassword,
	})
	if err != nil {
		return nil, stop, err
	}
	if k.bearer {
		s.Token = aliceToken
	}
	if k.maildir != "" {
		s.Maildir = filepath.Join(root, k.maildir)
	}

	proc, err := startProcess(root, "/bin/sh", "/start.sh")
	if err != nil {
		return nil, stop, err
	}
	stops = append(stops, proc.stop)
	s.Log = proc.log.String
	if err := s.fill(ctx, proc, k.provision); err != nil {
		return nil, stop, fmt.Errorf("%w\nits log:\n%s", err, s.Log())
	}
	return s, stop, nil
}

// fill waits until the server answers on both ports, and gives it its mailboxes.
func (s *Server) fill(ctx context.Context, proc *process, provision func(context.Context, *Server) error) error {
	err := errors.Join(
		proc.await(ctx, func() error { return greets(ctx, s.PlainAddr, nil) }),
		proc.await(ctx, func() error { return greets(ctx, s.TLSAddr, s.TLSConfig()) }),
	)
	if err != nil {
		return err
	}
	if provision != nil {
		if err := provision(ctx, s); err != nil {
			return err
		}
	}
	return seed(ctx, s)
}

// greets reports whether a server greets within a second.
func greets(ctx context.Context, addr string, config *tls.Config) error {
	ctx, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	c, err := dial(ctx, addr, config)
	if err != nil {
		return err
	}
	return c.conn.Close()
}
