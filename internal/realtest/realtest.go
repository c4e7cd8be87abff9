// Package realtest runs real servers for tests, on loopback: Dovecot, Cyrus, Courier, Prometheus and Alertmanager. And a browser,
// Chromium.
//
// Each server starts in a fresh copy of a root directory that scripts/install.sh has installed (as `make test` does), on
// ports of its own, and is killed with all its processes and files at the end of the test. Any number may run at once.
// Where they can't run, the test is skipped with the reason, or fails under IMAP_EXPORTER_TEST_ALL=1.
//
// Only tests import this package, and demostack, which is for contributors to look at.
package realtest

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"
)

// startTimeout bounds the start of one server, mailboxes included, on a busy machine.
const startTimeout = 2 * time.Minute

// The passwords are distinctive, so that the scan of a test run's output finds them wherever they slip out.
const (
	alicePassword = "canary-alice-secret"
	bobPassword   = "canary-bob-secret"
	adminPassword = "canary-admin-secret"
)

// BigMessages is the number of messages in bob's mailbox "Big".
const BigMessages = 10_000

// A User can log in to a Server.
type User struct{ Name, Password string }

// A Server is a running IMAP server. Its mailboxes are the same everywhere:
//
//	alice  INBOX       5 messages, of InboxDates; the newest has a body of 20 KiB
//	       Entwürfe    1 message
//	       Team Notes  2 messages
//	bob    INBOX       empty
//	       Big         BigMessages messages
//
// alice has a quota of 10 MiB and 1000 messages, bob has none.
type Server struct {
	// Name is "Dovecot", "Cyrus" or "Courier", Version the upstream version, such as "2.3.19.1".
	Name, Version string
	// PlainAddr offers STARTTLS and logins in clear text, TLSAddr implicit TLS; both are 127.0.0.1:port.
	PlainAddr, TLSAddr string
	// CA issued the server's certificate, for localhost and 127.0.0.1. CAFile holds the same in PEM.
	CA     *x509.CertPool
	CAFile string
	// Alice and Bob have a password.
	Alice, Bob User
	// Token is a bearer token of alice for XOAUTH2 and OAUTHBEARER, and ClientCert a certificate of hers for EXTERNAL.
	// They are zero where the server takes none. ClientCertFile and ClientKeyFile hold the certificate in PEM.
	Token                         string
	ClientCert                    *tls.Certificate
	ClientCertFile, ClientKeyFile string
	// Prefix stands before the name of every mailbox but INBOX: the server's personal namespace.
	Prefix string
	// Maildir is the folder of alice's mail, where the server keeps it so; "" elsewhere.
	Maildir string
	// Log returns what the server has logged so far.
	Log func() string
}

// Mailbox returns the full name of a mailbox on this server.
func (s *Server) Mailbox(name string) string {
	if name == "INBOX" {
		return name
	}
	return s.Prefix + name
}

// TLSConfig returns a configuration that trusts the server's certificate.
func (s *Server) TLSConfig() *tls.Config {
	return &tls.Config{RootCAs: s.CA, ServerName: "localhost", MinVersion: tls.VersionTLS12}
}

// InboxDates are the INTERNALDATEs of alice's INBOX, in the order of sequence numbers: the oldest first.
func InboxDates() []time.Time {
	dates := make([]time.Time, 5)
	for i := range dates {
		dates[i] = time.Date(2026, time.January, 1+i, 12, 30, 15, 0, time.UTC)
	}
	return dates
}

// Dovecot runs Dovecot 2.3. It offers every way to log in: LOGIN, PLAIN, SCRAM-SHA-256, XOAUTH2, OAUTHBEARER and EXTERNAL.
func Dovecot(t testing.TB) *Server { return run(t, dovecot)[0] }

// StrictDovecot is Dovecot as it is out of the box: after a rejected login it makes the next logins from the same address
// wait 4 to 15 s, whatever the account.
func StrictDovecot(t testing.TB) *Server { return run(t, strict)[0] }

// NarrowDovecot is a Dovecot that lets a user have two sessions at a time from one address, and no more.
func NarrowDovecot(t testing.TB) *Server { return run(t, narrow)[0] }

// Cyrus runs Cyrus IMAP 3.6. It offers LOGIN and PLAIN, and answers a wrong password after 3 s.
func Cyrus(t testing.TB) *Server { return run(t, cyrus)[0] }

// Courier runs Courier-IMAP 5.0. It offers LOGIN and PLAIN, and answers a wrong password after 5 s.
func Courier(t testing.TB) *Server { return run(t, courier)[0] }

// All runs the three, started side by side.
func All(t testing.TB) []*Server { return run(t, dovecot, cyrus, courier) }

// run starts servers, says so in the test's log, where the report of the run finds it, and stops them at the test's end.
func run(t testing.TB, kinds ...kind) []*Server {
	t.Helper()
	for _, k := range kinds {
		require(t, k.name, k.dir)
	}
	ctx, cancel := context.WithTimeout(t.Context(), startTimeout)
	defer cancel()
	servers := make([]*Server, len(kinds))
	group, ctx := errgroup.WithContext(ctx)
	for i, k := range kinds {
		group.Go(func() error {
			s, stop, err := start(ctx, k)
			t.Cleanup(stop)
			if err != nil {
				return fmt.Errorf("%s: %w", k.name, err)
			}
			servers[i] = s
			return nil
		})
	}
	if err := group.Wait(); err != nil {
		t.Fatal(err)
	}
	for _, s := range servers {
		t.Logf("really running %s %s", s.Name, s.Version)
	}
	return servers
}

// require ends the test unless the root directory of a server is there and can be used.
func require(t testing.TB, name, dir string) {
	t.Helper()
	if err := usable(dir); err != nil {
		Unavailable(t, name, err)
	}
}

// Unavailable skips the test, or fails it where everything must run.
func Unavailable(t testing.TB, name string, reason error) {
	t.Helper()
	if os.Getenv("IMAP_EXPORTER_TEST_ALL") == "1" {
		t.Fatalf("%s can't run: %v", name, reason)
	}
	t.Skipf("%s can't run: %v", name, reason)
}

// Command returns the path of a program that scripts/install.sh installs into the system.
func Command(t testing.TB, name string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil {
		Unavailable(t, name, fmt.Errorf("%w: `make test` installs it, as root on Debian 12", err))
	}
	return path
}

func usable(dir string) error {
	if os.Geteuid() != 0 {
		return errors.New("it needs root, for a chroot of its own")
	}
	if _, err := os.Stat(installed(dir)); err != nil {
		return fmt.Errorf("%w: `make test` installs it, as root on Debian 12", err)
	}
	return nil
}
