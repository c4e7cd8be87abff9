package probe

import (
	"context"
	"crypto/tls"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"imap-exporter/internal/mailtest"
)

// The transcript has the conversation but not what is private: credentials, challenges, messages.
func TestTranscript(t *testing.T) {
	for method, want := range map[AuthMethod]string{AuthLogin: "LOGIN ***", AuthPlain: "AUTHENTICATE PLAIN ***", AuthSCRAMSHA256: "***"} {
		_, target := serve(t, mailtest.Options{})
		target.Auth = method
		r := succeed(t, target)
		var lines []string
		for _, line := range r.Transcript {
			_, command, _ := strings.Cut(line.Text, " ")
			lines = append(lines, command, line.Text)
			if strings.Contains(line.Text, mailtest.DemoUser) || strings.Contains(line.Text, "Subject") || strings.HasPrefix(line.Text, "+ ") && line.Text != "+ ***" {
				t.Errorf("%s: transcript has %q", method, line.Text)
			}
		}
		if !slices.Contains(lines, want) {
			t.Errorf("%s: transcript has no %q: %q", method, want, lines)
		}
	}
}

func TestOneMessageIsFetchedOnce(t *testing.T) {
	u := user()
	u.Mailboxes[0].Messages = u.Mailboxes[0].Messages[:1]
	server, target := serve(t, mailtest.Options{Data: mailtest.Data{Users: []*mailtest.User{u}}})
	succeed(t, target)
	if n := count(server.Conversations()[0].Verbs(), "FETCH"); n != 1 {
		t.Errorf("%d FETCH commands", n)
	}
}

func count(verbs []string, verb string) (n int) {
	for _, v := range verbs {
		if v == verb {
			n++
		}
	}
	return n
}

// A STATUS item that the server announces but doesn't know doesn't cost the others; a refused mailbox is asked for once.
func TestStatusIsAskedAgain(t *testing.T) {
	refuse := func(answer string) mailtest.Handler {
		return func(c *mailtest.Conn, cmd mailtest.Command) error {
			if strings.Contains(cmd.Line, "SIZE") {
				c.Line("%s %s", cmd.Tag, answer)
				return nil
			}
			return c.Default(cmd)
		}
	}
	server, target := serve(t, mailtest.Options{Handle: map[string]mailtest.Handler{"STATUS": refuse("BAD what is SIZE")}})
	if m := succeed(t, target).Mailboxes[0]; m.Messages == nil || m.SizeBytes != nil || count(server.Conversations()[0].Verbs(), "STATUS") != 2 {
		t.Errorf("mailbox %+v after %v", m, server.Conversations()[0].Verbs())
	}
	server, target = serve(t, mailtest.Options{Handle: map[string]mailtest.Handler{"STATUS": refuse("NO not yours")}})
	fail(t, target, PhaseStatus, ReasonCommandRejected)
	if n := count(server.Conversations()[0].Verbs(), "STATUS"); n != 1 {
		t.Errorf("%d STATUS commands after a NO", n)
	}
}

// IMAP4rev2 has no RECENT, but includes SIZE and UNSELECT.
func TestRevision2(t *testing.T) {
	server, target := serve(t, mailtest.Options{
		Capabilities: func(mailtest.Stage, []string) []string {
			return []string{"IMAP4rev2", "STATUS=SIZE", "UNSELECT", "QUOTA"}
		},
	})
	succeed(t, target)
	for _, command := range server.Conversations()[0].Commands {
		if command.Verb == "STATUS" && (strings.Contains(command.Line, "RECENT") || !strings.Contains(command.Line, "SIZE")) {
			t.Errorf("sent %s", command.Line)
		}
	}
}

func TestBoundsOfLists(t *testing.T) {
	many := func(n int, line string) string {
		var b strings.Builder
		for i := range n {
			fmt.Fprintf(&b, line, i)
		}
		return b.String()
	}
	_, target := serve(t, mailtest.Options{Handle: map[string]mailtest.Handler{
		"GETQUOTAROOT": answer(many(20, "* QUOTA root%d (STORAGE 1 2)\r\n") + "%s OK\r\n"),
		"STATUS":       answer("%s NO [NOPERM] no\r\n"),
		"LIST":         answer(many(30, "* LIST () \"/\" box%d\r\n") + "* LIST (\\NonExistent) \"/\" gone\r\n* LIST () \"/\" inbox\r\n%s OK\r\n"),
	}})
	target.Mailboxes = []string{"*"}
	r := succeed(t, target)
	if len(r.Quota.Roots) != MaxQuotaRoots || len(r.Notes) != 20 {
		t.Errorf("%d roots and %d notes", len(r.Quota.Roots), len(r.Notes))
	}
}

// OVERQUOTA is about logins only in the answer to one.
func TestOverquotaElsewhere(t *testing.T) {
	_, target := serve(t, mailtest.Options{Handle: map[string]mailtest.Handler{"EXAMINE": answer("%s NO [OVERQUOTA] full\r\n")}})
	fail(t, target, PhaseSelect, ReasonCommandRejected)
}

func TestPreauth(t *testing.T) {
	greeting := map[string]mailtest.Handler{"GREETING": answer("* PREAUTH welcome\r\n")}
	for _, method := range []AuthMethod{AuthNone, AuthExternal} {
		_, target := serve(t, mailtest.Options{Mode: mailtest.ModeStartTLS, Handle: greeting})
		target.Auth = method
		fail(t, target, PhaseGreeting, ReasonPreauth)
	}
	server, target := serve(t, mailtest.Options{Handle: greeting})
	target.Auth = AuthNone
	fail(t, target, PhaseSelect, ReasonCommandRejected) // this server only says that we are logged in
	if verbs := server.Conversations()[0].Verbs(); verbs[1] != "EXAMINE" {
		t.Errorf("sent %v", verbs)
	}
}

// With TLS 1.3 a server that requires a client certificate refuses only when the greeting is due.
func TestClientCertificateRequired(t *testing.T) {
	config, err := testCA(t).ServerConfig(mailtest.CertOptions{Names: []string{"localhost"}})
	if err != nil {
		t.Fatal(err)
	}
	config.ClientAuth = tls.RequireAnyClientCert
	_, target := serve(t, mailtest.Options{TLS: config})
	target.TLSConfig = &tls.Config{InsecureSkipVerify: true, MinVersion: tls.VersionTLS13}
	fail(t, target, PhaseGreeting, ReasonTLS)
}

// No LOGOUT is sent after a broken handshake or a missing greeting.
func TestNoLogoutBeforeTheGreeting(t *testing.T) {
	for _, verb := range []string{"CONNECT", "GREETING"} {
		_, target := serve(t, mailtest.Options{Handle: map[string]mailtest.Handler{verb: hang}})
		target.Timeout = 200 * time.Millisecond
		for _, line := range Run(t.Context(), target).Transcript {
			if line.Sent {
				t.Errorf("%s: sent %q", verb, line.Text)
			}
		}
	}
}

// LOGOUT may take what is left of the timeout, and 2 s at most.
func TestLogoutKeepsTheTimeout(t *testing.T) {
	_, target := serve(t, mailtest.Options{Handle: map[string]mailtest.Handler{"LOGOUT": hang}})
	target.Timeout = 500 * time.Millisecond
	if r := succeed(t, target); r.Duration > target.Timeout+slack {
		t.Errorf("took %v", r.Duration)
	}
}

func TestCanceledWhereverItIs(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	_, target := serve(t, mailtest.Options{Handle: map[string]mailtest.Handler{"LOGIN": func(c *mailtest.Conn, _ mailtest.Command) error {
		cancel()
		return c.Hang()
	}}})
	if r := Run(ctx, target); r.Err == nil || r.Err.Reason != ReasonCanceled || r.Err.Phase != PhaseAuth {
		t.Errorf("got %v", r.Err)
	}
	ctx, cancel = context.WithCancel(t.Context())
	_, target = serve(t, mailtest.Options{Handle: map[string]mailtest.Handler{"CONNECT": func(c *mailtest.Conn, _ mailtest.Command) error {
		_, _ = c.TCP().Read(make([]byte, 1)) // The handshake has begun.
		cancel()
		return c.Hang()
	}}})
	if r := Run(ctx, target); r.Err == nil || r.Err.Reason != ReasonCanceled || r.Err.Phase != PhaseTLS {
		t.Errorf("got %v", r.Err)
	}
}

// A phase that runs more than once is OK only if all of it was.
func TestSumOfTimings(t *testing.T) {
	s := &Session{Result: &Result{}}
	s.addTiming(s.Result.Start.Add(5), Timing{Phase: PhaseStatus, Duration: 1, ReadDelay: 2})
	s.addTiming(s.Result.Start.Add(9), Timing{Phase: PhaseStatus, Duration: 3, ReadDelay: 4, OK: true})
	if got := s.Result.Phases; len(got) != 1 || got[0] != (Timing{Phase: PhaseStatus, Duration: 4, ReadDelay: 6}) {
		t.Errorf("got %+v", got)
	}
	want := []Span{{Phase: PhaseStatus, Start: 5, Duration: 1, ReadDelay: 2}, {Phase: PhaseStatus, Start: 9, Duration: 3, ReadDelay: 4, OK: true}}
	if diff := cmp.Diff(want, s.Result.Spans); diff != "" {
		t.Errorf("spans (-want +got):\n%s", diff)
	}
}

// TestSpans: spans follow one another within the duration of the probe, and add up to the timings.
func TestSpans(t *testing.T) {
	const tolerance = time.Millisecond // between the kernel's clock and ours
	_, target := serve(t, mailtest.Options{Mode: mailtest.ModeStartTLS, Delay: map[string]time.Duration{"CAPABILITY": 5 * time.Millisecond}})
	r := succeed(t, target)
	sums := map[Phase]time.Duration{}
	var end time.Duration
	for _, span := range r.Spans {
		if !span.OK || span.Start < end-tolerance {
			t.Errorf("%+v begins before %v, the end of the one before", span, end)
		}
		sums[span.Phase] += span.Duration
		end = span.Start + span.Duration
	}
	if end > r.Duration {
		t.Errorf("the last span ends after %v, the probe after %v", end, r.Duration)
	}
	for _, timing := range r.Phases {
		if sums[timing.Phase] != timing.Duration {
			t.Errorf("the spans of %s sum up to %v, want %v", timing.Phase, sums[timing.Phase], timing.Duration)
		}
	}
	if len(r.Spans) != len(r.Phases)+2 { // CAPABILITY is asked three times.
		t.Errorf("%d spans of %d phases: %+v", len(r.Spans), len(r.Phases), r.Spans)
	}
}
