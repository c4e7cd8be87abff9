package probe

import (
	"context"
	"crypto/tls"
	"errors"
	"slices"
	"testing"
	"time"

	"go.uber.org/goleak"

	"imap-exporter/internal/mailtest"
	"imap-exporter/internal/wire"
)

func TestMain(m *testing.M) {
	release, err := wire.KeepTimestamps()
	if err != nil {
		panic(err)
	}
	defer release()
	goleak.VerifyTestMain(m)
}

// password can be found in any output of the test run if it leaks there.
const password = "canary-7f3a-secret"

// testCA issues the certificates of the servers in these tests.
func testCA(t testing.TB) *mailtest.CA {
	t.Helper()
	ca, err := mailtest.NewCA()
	if err != nil {
		t.Fatal(err)
	}
	return ca
}

// user makes the account of the scripted servers.
func user() *mailtest.User {
	u := mailtest.NewUser(time.Now())
	u.Password, u.Token = password, password
	return u
}

// serve starts a scripted server, and makes a target on it that reads all there is.
func serve(t testing.TB, o mailtest.Options) (*mailtest.Server, *Target) {
	t.Helper()
	ca := testCA(t)
	if o.TLS == nil && o.Mode != mailtest.ModePlain {
		config, err := ca.ServerConfig(mailtest.CertOptions{Names: []string{"localhost"}})
		if err != nil {
			t.Fatal(err)
		}
		o.TLS = config
	}
	if o.Data.Users == nil {
		o.Data.Users = []*mailtest.User{user()}
	}
	server, err := mailtest.Start(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := server.Close(); err != nil {
			t.Error(err)
		}
	})
	target := targetAt(server.Addr(), &tls.Config{RootCAs: ca.Pool(), ServerName: "localhost", MinVersion: tls.VersionTLS12})
	switch o.Mode {
	case mailtest.ModeStartTLS:
		target.TLSMode = TLSStartTLS
	case mailtest.ModePlain:
		target.TLSMode, target.AllowPlaintextAuth = TLSNone, true
	case mailtest.ModeImplicit:
	}
	return server, target
}

func targetAt(address string, config *tls.Config) *Target {
	return &Target{
		Account:    "test",
		Server:     "localhost:993",
		Address:    address,
		Timeout:    10 * time.Second,
		IPFamily:   IPAuto,
		TLSMode:    TLSImplicit,
		TLSConfig:  config,
		Auth:       AuthLogin,
		Username:   mailtest.DemoUser,
		Secret:     func(context.Context) (string, error) { return password, nil },
		Select:     "INBOX",
		ReadOnly:   true,
		Fetch:      FetchHeader,
		FetchBytes: 65536,
		Mailboxes:  []string{"INBOX"},
		Quota:      true,
	}
}

// succeed probes, and fails the test if the probe fails.
func succeed(t testing.TB, target *Target) *Result {
	t.Helper()
	r := Run(t.Context(), target)
	if r.Err != nil {
		logTranscript(t, r)
		t.Fatalf("probe failed: %v", r.Err)
	}
	return r
}

// fail probes, and fails the test if the probe does not fail like this.
func fail(t testing.TB, target *Target, phase Phase, reason Reason) *Result {
	t.Helper()
	r := Run(t.Context(), target)
	if r.Err == nil {
		logTranscript(t, r)
		t.Fatalf("probe succeeded, want %s/%s", phase, reason)
	}
	if r.Err.Phase != phase || r.Err.Reason != reason {
		logTranscript(t, r)
		t.Fatalf("got %v, want %s/%s", r.Err, phase, reason)
	}
	return r
}

func logTranscript(t testing.TB, r *Result) {
	t.Helper()
	for _, line := range r.Transcript {
		t.Log(line.At, line.Sent, line.Text)
	}
}

// phases are the phases that ran, in order.
func phases(r *Result) []Phase {
	var ran []Phase
	for _, p := range r.Phases {
		ran = append(ran, p.Phase)
	}
	return ran
}

// took is the time of one phase.
func took(t testing.TB, r *Result, phase Phase) time.Duration {
	t.Helper()
	i := slices.IndexFunc(r.Phases, func(p Timing) bool { return p.Phase == phase })
	if i < 0 {
		t.Fatalf("phase %s did not run", phase)
	}
	return r.Phases[i].Duration
}

// answer makes a Handler that sends raw bytes with %s as the tag.
func answer(raw string) mailtest.Handler {
	return func(c *mailtest.Conn, cmd mailtest.Command) error {
		before, after, _ := cutTag(raw)
		if before == raw {
			c.Raw(raw)
			return nil
		}
		c.Raw(before + cmd.Tag + after)
		return nil
	}
}

func cutTag(raw string) (before, after string, found bool) {
	for i := range len(raw) - 1 {
		if raw[i:i+2] == "%s" {
			return raw[:i], raw[i+2:], true
		}
	}
	return raw, "", false
}

func hang(c *mailtest.Conn, _ mailtest.Command) error { return c.Hang() }

var errTest = errors.New("the file is gone")
