package probe

import (
	"context"
	"crypto/tls"
	"net"
	"slices"
	"strings"
	"testing"
	"time"

	"imap-exporter/internal/mailtest"
)

// TestFailures: what servers say has the right phase and reason. TestHostileServers has more of what servers do.
func TestFailures(t *testing.T) {
	type handlers = map[string]mailtest.Handler
	for name, c := range map[string]struct {
		verb    string
		handler mailtest.Handler
		phase   Phase
		reason  Reason
	}{
		"CAPABILITY NO":  {"CAPABILITY", answer("%s NO no\r\n"), PhaseCapability, ReasonCommandRejected},
		"CAPABILITY BYE": {"CAPABILITY", answer("* BYE [SERVERBUG] oops\r\n"), PhaseCapability, ReasonUnavailable},

		"LOGIN NO":                  {"LOGIN", answer("%s NO Login failed.\r\n"), PhaseAuth, ReasonRejected},
		"LOGIN NO without text":     {"LOGIN", answer("%s NO\r\n"), PhaseAuth, ReasonRejected},
		"LOGIN AUTHFAILED":          {"LOGIN", answer("%s NO [AUTHENTICATIONFAILED] no\r\n"), PhaseAuth, ReasonRejected},
		"LOGIN code in small":       {"LOGIN", answer("%s NO [unavailable] no\r\n"), PhaseAuth, ReasonUnavailable},
		"LOGIN EXPIRED":             {"LOGIN", answer("%s NO [EXPIRED] no\r\n"), PhaseAuth, ReasonRejected},
		"LOGIN UNAVAILABLE":         {"LOGIN", answer("%s NO [UNAVAILABLE] no\r\n"), PhaseAuth, ReasonUnavailable},
		"LOGIN LIMIT":               {"LOGIN", answer("%s NO [LIMIT] no\r\n"), PhaseAuth, ReasonThrottled},
		"LOGIN INUSE":               {"LOGIN", answer("%s NO [INUSE] no\r\n"), PhaseAuth, ReasonThrottled},
		"LOGIN OVERQUOTA":           {"LOGIN", answer("%s NO [OVERQUOTA] no\r\n"), PhaseAuth, ReasonThrottled},
		"LOGIN PRIVACYREQUIRED":     {"LOGIN", answer("%s NO [PRIVACYREQUIRED] no\r\n"), PhaseAuth, ReasonPlaintextRefused},
		"LOGIN of Gmail, too many":  {"LOGIN", answer("%s NO [ALERT] Too many simultaneous connections. (Failure)\r\n"), PhaseAuth, ReasonThrottled},
		"LOGIN of Exchange":         {"LOGIN", answer("%s BAD Request is throttled. Suggested Backoff Time: 299961 milliseconds\r\n"), PhaseAuth, ReasonThrottled},
		"LOGIN of Courier, backend": {"LOGIN", answer("%s NO Temporary problem, please try again later\r\n"), PhaseAuth, ReasonUnavailable},
		"LOGIN BAD":                 {"LOGIN", answer("%s BAD what\r\n"), PhaseAuth, ReasonCommandRejected},
		"LOGIN BYE LIMIT":           {"LOGIN", answer("* BYE [LIMIT] too many\r\n"), PhaseAuth, ReasonThrottled},

		"SELECT missing":          {"EXAMINE", answer("%s NO [NONEXISTENT] Unknown Mailbox: INBOX (Failure)\r\n"), PhaseSelect, ReasonMailboxMissing},
		"SELECT missing at Cyrus": {"EXAMINE", answer("%s NO Mailbox does not exist\r\n"), PhaseSelect, ReasonMailboxMissing},
		"SELECT NOPERM":           {"EXAMINE", answer("%s NO [NOPERM] no\r\n"), PhaseSelect, ReasonPermission},
		"SELECT Unsafe Login":     {"EXAMINE", answer("%s NO SELECT Unsafe Login. Please contact kefu@188.com for help\r\n"), PhaseSelect, ReasonCommandRejected},
		"SELECT at throttling MS": {"EXAMINE", answer("%s BAD User is authenticated but not connected.\r\n"), PhaseSelect, ReasonUnavailable},
		"FETCH NO":                {"FETCH", answer("%s NO [SERVERBUG] gone\r\n"), PhaseFetch, ReasonUnavailable},
		"UNSELECT BAD":            {"UNSELECT", answer("%s BAD what\r\n"), PhaseUnselect, ReasonCommandRejected},
		"STATUS missing":          {"STATUS", answer("%s NO [NONEXISTENT] gone\r\n"), PhaseStatus, ReasonMailboxMissing},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, target := serve(t, mailtest.Options{Handle: handlers{c.verb: c.handler}})
			r := fail(t, target, c.phase, c.reason)
			assertNoSecret(t, r)
			if r.Err.Text == "" || len(r.Err.Text) > 200 {
				t.Errorf("text %q", r.Err.Text)
			}
		})
	}
}

// LOGOUT never fails a probe, and takes at most 2 s.
func TestLogoutNeverFails(t *testing.T) {
	for name, h := range map[string]mailtest.Handler{
		"NO": answer("%s NO stay\r\n"), "only BYE": answerAndDrop("* BYE bye\r\n"), "hangs": hang,
		"garbage": answer("\x00\xff\r\n"), "BYE, then a foreign tag": answer("* BYE bye\r\nx OK\r\n"),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, target := serve(t, mailtest.Options{Handle: map[string]mailtest.Handler{"LOGOUT": h}})
			r := succeed(t, target)
			last := r.Phases[len(r.Phases)-1]
			if last.Phase != PhaseLogout || last.Duration > logoutTime+200*time.Millisecond {
				t.Errorf("last phase %+v", last)
			}
			if name == "only BYE" && !last.OK {
				t.Error("a connection closed after BYE is a good end")
			}
		})
	}
}

func answerAndDrop(raw string) mailtest.Handler {
	return func(c *mailtest.Conn, _ mailtest.Command) error {
		c.Raw(raw)
		return c.Drop()
	}
}

// A warning may be the only explanation of a command that is never answered.
func TestAlertExplainsSilence(t *testing.T) {
	_, target := serve(t, mailtest.Options{Handle: map[string]mailtest.Handler{"LOGIN": func(c *mailtest.Conn, _ mailtest.Command) error {
		c.Line("* BAD [ALERT] Please enable IMAP access in your settings")
		return c.Hang()
	}}})
	target.Timeout = 300 * time.Millisecond
	r := fail(t, target, PhaseAuth, ReasonTimeout)
	if !strings.Contains(r.Err.Text, "Please enable IMAP access") {
		t.Errorf("text %q", r.Err.Text)
	}
}

func TestCanceledSaysLogout(t *testing.T) {
	selected := make(chan struct{})
	server, target := serve(t, mailtest.Options{Handle: map[string]mailtest.Handler{"EXAMINE": func(c *mailtest.Conn, _ mailtest.Command) error {
		close(selected)
		_, err := c.ReadLine() // the next command must be LOGOUT
		return err
	}}})
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		<-selected
		cancel()
	}()
	r := Run(ctx, target)
	if r.Err == nil || r.Err.Reason != ReasonCanceled || r.Err.Phase != PhaseSelect {
		t.Errorf("got %v", r.Err)
	}
	if err := server.WaitIdle(t.Context()); err != nil {
		t.Fatal(err)
	}
	commands := server.Conversations()[0].Commands
	if replies := commands[len(commands)-1].Replies; len(replies) != 1 || !strings.HasSuffix(replies[0], "LOGOUT") {
		t.Errorf("after the cancellation came %q", replies)
	}
}

func TestCanceledBeforeItBegins(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, target := serve(t, mailtest.Options{})
	if r := Run(ctx, target); r.Err == nil || r.Err.Reason != ReasonCanceled {
		t.Errorf("got %v", r.Err)
	}
}

func TestConnectFailures(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	closed := listener.Addr().String()
	listener.Close()
	for address, want := range map[string]struct {
		phase  Phase
		reason Reason
	}{
		closed:                      {PhaseConnect, ReasonRefused},
		"no-such-host.invalid:993":  {PhaseResolve, ReasonDNS},
		"localhost:1":               {PhaseConnect, ReasonRefused},
		"255.255.255.255:993":       {PhaseConnect, ReasonUnreachable},
		"no-port-in-this-one.local": {PhaseResolve, ReasonInternal},
	} {
		target := targetAt(address, &tls.Config{ServerName: "localhost", MinVersion: tls.VersionTLS12})
		target.Timeout = 4 * time.Second
		r := fail(t, target, want.phase, want.reason)
		if r.TLS != nil || r.Mailboxes != nil || r.Capabilities != nil {
			t.Errorf("%s: %+v", address, r)
		}
	}
}

// The time of an address that fails is connect_failed; connect is the one that answered.
func TestSecondAddress(t *testing.T) {
	_, target := serve(t, mailtest.Options{})
	_, port, err := net.SplitHostPort(target.Address)
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		addresses []string
		phases    []Phase
		last      Reason
	}{
		"the second answers": {[]string{"[::1]:" + port, target.Address}, []Phase{PhaseConnectFailed, PhaseConnect}, ""},
		"the first answers":  {[]string{target.Address, "[::1]:" + port}, []Phase{PhaseConnect}, ""},
		"none answers":       {[]string{"127.0.0.2:" + port, "127.0.0.3:" + port}, []Phase{PhaseConnectFailed, PhaseConnect}, ReasonRefused},
	} {
		t.Run(name, func(t *testing.T) {
			s := newSession(t.Context(), target)
			s.addresses = c.addresses
			defer s.close()
			err := s.Connect(t.Context())
			if (err != nil) != (c.last != "") {
				t.Errorf("got %v", err)
			}
			if got := phases(s.Result); !slices.Equal(got, c.phases) {
				t.Errorf("phases %v, want %v", got, c.phases)
			}
			if got := s.Result.Connects[len(s.Result.Connects)-1].Reason; got != c.last || len(s.Result.Connects) != len(c.phases) {
				t.Errorf("connects %+v", s.Result.Connects)
			}
		})
	}
}

func TestAddressFamily(t *testing.T) {
	_, target := serve(t, mailtest.Options{})
	_, port, _ := net.SplitHostPort(target.Address)
	target.Address = "localhost:" + port
	target.IPFamily = IPv4
	if r := succeed(t, target); len(r.Connects) != 1 || r.Connects[0].Family != IPv4 {
		t.Errorf("connects %+v", r.Connects)
	}
	took(t, succeed(t, target), PhaseResolve)
	target.Address, target.IPFamily = "127.0.0.1:"+port, IPv6
	fail(t, target, PhaseResolve, ReasonDNS)
}

// The Result has the date of a certificate that can't be verified.
func TestDateOfACertificate(t *testing.T) {
	ca := testCA(t)
	end := time.Now().Truncate(time.Second).Add(-time.Hour)
	config, err := ca.ServerConfig(mailtest.CertOptions{Names: []string{"localhost"}, NotBefore: end.Add(-time.Hour), NotAfter: end})
	if err != nil {
		t.Fatal(err)
	}
	_, target := serve(t, mailtest.Options{TLS: config})
	target.TLSConfig.RootCAs = ca.Pool()
	if r := fail(t, target, PhaseTLS, ReasonCertificateExpired); r.TLS == nil || !r.TLS.NotAfter.Equal(end) {
		t.Errorf("TLS %+v, want %v", r.TLS, end)
	}
}
