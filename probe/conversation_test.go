package probe

import (
	"slices"
	"strings"
	"testing"
	"time"

	"imap-exporter/internal/mailtest"
)

// everything is what a probe sends that reads all there is.
var everything = []string{
	"CAPABILITY", "LOGIN", "CAPABILITY", "ID", "EXAMINE", "FETCH", "FETCH", "UNSELECT", "LIST",
	"STATUS", "STATUS", "STATUS", "STATUS", "STATUS", "GETQUOTAROOT", "LOGOUT",
}

func TestConversation(t *testing.T) {
	starttls := append([]string{"CAPABILITY", "STARTTLS"}, everything...)
	for mode, want := range map[mailtest.Mode][]string{
		mailtest.ModeImplicit: everything, mailtest.ModeStartTLS: starttls, mailtest.ModePlain: everything,
	} {
		t.Run(string(mode), func(t *testing.T) {
			server, target := serve(t, mailtest.Options{Mode: mode})
			target.Mailboxes, target.SendID = []string{"*"}, true
			r := succeed(t, target)
			conversation := server.Conversations()[0]
			if got := conversation.Verbs(); !slices.Equal(got, want) {
				t.Errorf("sent %v, want %v", got, want)
			}
			if conversation.Pipelined {
				t.Error("a command was sent before the one ahead of it was answered")
			}
			if len(r.Mailboxes) != 5 || r.Mailboxes[0].Newest == nil {
				t.Errorf("mailboxes: %+v", r.Mailboxes)
			}
			if tls := conversation.TLS; mode != mailtest.ModePlain && (tls == nil || tls.DidResume) {
				t.Errorf("TLS state %+v, want a full handshake", tls)
			}
		})
	}
}

func TestPhasesOfEachMode(t *testing.T) {
	rest := []Phase{
		PhaseAuth, PhaseSelect, PhaseFetch, PhaseUnselect, PhaseStatus, PhaseQuota, PhaseLogout,
	}
	for mode, first := range map[mailtest.Mode][]Phase{
		mailtest.ModeImplicit: {PhaseConnect, PhaseTLS, PhaseGreeting, PhaseCapability},
		mailtest.ModeStartTLS: {PhaseConnect, PhaseGreeting, PhaseCapability, PhaseStartTLS, PhaseTLS},
		mailtest.ModePlain:    {PhaseConnect, PhaseGreeting, PhaseCapability},
	} {
		t.Run(string(mode), func(t *testing.T) {
			_, target := serve(t, mailtest.Options{Mode: mode})
			r := succeed(t, target)
			if got, want := phases(r), slices.Concat(first, rest); !slices.Equal(got, want) {
				t.Errorf("phases %v, want %v", got, want)
			}
			for _, p := range r.Phases {
				if !p.OK || p.Duration < 0 {
					t.Errorf("phase %+v", p)
				}
			}
		})
	}
}

func TestSelectIsNeverClosed(t *testing.T) {
	server, target := serve(t, mailtest.Options{})
	target.ReadOnly = false
	r := succeed(t, target)
	verbs := server.Conversations()[0].Verbs()
	if !slices.Contains(verbs, "SELECT") || slices.Contains(verbs, "CLOSE") || !slices.Contains(verbs, "UNSELECT") {
		t.Errorf("sent %v", verbs)
	}
	if r.Mailboxes[0].Recent != nil {
		t.Error("RECENT is exported though SELECT takes it away")
	}
}

func TestNoUnselectWhereItIsNotOffered(t *testing.T) {
	server, target := serve(t, mailtest.Options{Capabilities: without("UNSELECT", "QUOTA", "STATUS=SIZE", "CONDSTORE")})
	r := succeed(t, target)
	if verbs := server.Conversations()[0].Verbs(); slices.Contains(verbs, "UNSELECT") || slices.Contains(verbs, "GETQUOTAROOT") {
		t.Errorf("sent %v", verbs)
	}
	m := r.Mailboxes[0]
	if m.SizeBytes != nil || m.HighestModSeq != nil || m.Messages == nil {
		t.Errorf("mailbox %+v, want counts without size and modification sequence", m)
	}
	if r.Quota == nil || r.Quota.Supported || r.Quota.Roots != nil {
		t.Errorf("quota %+v, want not supported", r.Quota)
	}
}

// without removes capabilities from those of a server.
func without(names ...string) func(mailtest.Stage, []string) []string {
	return func(_ mailtest.Stage, usual []string) []string {
		return slices.DeleteFunc(usual, func(c string) bool {
			return slices.ContainsFunc(names, func(n string) bool { return c == n || strings.HasPrefix(c, n+"=") })
		})
	}
}

func TestFacts(t *testing.T) {
	u := user()
	u.Mailboxes[0].Messages = mailtest.NewMessages(3, time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC), time.Hour)
	u.Quota = []mailtest.Quota{
		{Root: "User quota", Storage: &mailtest.Usage{Used: 93, Limit: 100}, Messages: &mailtest.Usage{Used: 3, Limit: 1000}},
		{Root: "", Storage: &mailtest.Usage{Used: 1, Limit: 5 << 20}},
	}
	_, target := serve(t, mailtest.Options{Data: mailtest.Data{Users: []*mailtest.User{u}}})
	r := succeed(t, target)
	m := r.Mailboxes[0]
	if m.Name != "INBOX" || *m.Messages != 3 || m.UIDNext == nil || *m.UIDNext != 4 || *m.UIDValidity != 1 || m.Recent == nil {
		t.Errorf("mailbox %+v", m)
	}
	if got := m.Newest.UTC().Format(time.RFC3339); got != "2026-03-04T05:06:07Z" {
		t.Errorf("newest %s", got)
	}
	if got := m.Oldest.UTC().Format(time.RFC3339); got != "2026-03-04T03:06:07Z" {
		t.Errorf("oldest %s", got)
	}
	if want := int64(len(u.Mailboxes[0].Messages[2].Header)); r.Fetched == nil || r.Fetched.Bytes != want {
		t.Errorf("fetched %+v, want %d bytes", r.Fetched, want)
	}
	if len(r.Quota.Roots) != 2 || *r.Quota.Roots[0].Storage != (Resource{93 * 1024, 100 * 1024}) ||
		*r.Quota.Roots[0].Messages != (Resource{3, 1000}) || r.Quota.Roots[1].Messages != nil {
		t.Errorf("quota %+v", r.Quota)
	}
	if r.TLS.Version != "TLS 1.3" || r.TLS.Cipher == "" || r.TLS.NotAfter.IsZero() {
		t.Errorf("TLS %+v", r.TLS)
	}
	if len(r.Capabilities) != 2 || r.Capabilities[1].Stage != StageAfterAuth || !slices.Contains(r.Capabilities[1].Names, "QUOTA") {
		t.Errorf("capabilities %+v", r.Capabilities)
	}
	if len(r.Connects) != 1 || r.Connects[0] != (Connect{Family: IPv4}) {
		t.Errorf("connects %+v", r.Connects)
	}
}

func TestFetchSections(t *testing.T) {
	message := mailtest.NewMessage(1, time.Now())
	u := user()
	u.Mailboxes[0].Messages = []mailtest.Message{message}
	_, target := serve(t, mailtest.Options{Data: mailtest.Data{Users: []*mailtest.User{u}}})
	for section, want := range map[FetchSection]int{
		FetchHeader: len(message.Header), FetchText: len(message.Body), FetchFull: message.Size(), FetchNone: -1,
	} {
		one := *target
		one.Fetch = section
		r := succeed(t, &one)
		if r.Mailboxes[0].Newest == nil || !r.Mailboxes[0].Newest.Equal(*r.Mailboxes[0].Oldest) {
			t.Errorf("%s: newest %v, oldest %v", section, r.Mailboxes[0].Newest, r.Mailboxes[0].Oldest)
		}
		got := -1
		if r.Fetched != nil {
			got = int(r.Fetched.Bytes)
		}
		if got != want {
			t.Errorf("%s: fetched %d bytes, want %d", section, got, want)
		}
	}
	target.Fetch, target.FetchBytes = FetchFull, 100
	if r := succeed(t, target); r.Fetched.Bytes != 100 {
		t.Errorf("fetched %d bytes, want the first 100", r.Fetched.Bytes)
	}
}

func TestEmptyMailbox(t *testing.T) {
	u := user()
	u.Mailboxes[0].Messages = nil
	server, target := serve(t, mailtest.Options{Data: mailtest.Data{Users: []*mailtest.User{u}}})
	r := succeed(t, target)
	if slices.Contains(server.Conversations()[0].Verbs(), "FETCH") || slices.Contains(phases(r), PhaseFetch) {
		t.Error("FETCH in an empty mailbox")
	}
	if m := r.Mailboxes[0]; *m.Messages != 0 || m.Newest != nil || m.Oldest != nil {
		t.Errorf("mailbox %+v", m)
	}
}

func TestBannerOnly(t *testing.T) {
	server, target := serve(t, mailtest.Options{})
	target.Auth = AuthNone
	succeed(t, target)
	if got := server.Conversations()[0].Verbs(); !slices.Equal(got, []string{"CAPABILITY", "LOGOUT"}) {
		t.Errorf("sent %v", got)
	}
}

func TestRefusedMailbox(t *testing.T) {
	refuse := map[string]mailtest.Handler{"STATUS": func(c *mailtest.Conn, cmd mailtest.Command) error {
		if cmd.Args[0] == "Sent" {
			return c.NO(cmd.Tag, "[NOPERM] Not yours.")
		}
		return c.Default(cmd)
	}}
	_, target := serve(t, mailtest.Options{Handle: refuse})
	target.Mailboxes = []string{"%"}
	r := succeed(t, target)
	if len(r.Mailboxes) != 4 || len(r.Notes) != 1 || !strings.Contains(r.Notes[0], "NOPERM") {
		t.Errorf("%d mailboxes, notes %q: one of a pattern is left out and noted", len(r.Mailboxes), r.Notes)
	}
	target.Mailboxes = []string{"INBOX", "Sent"}
	fail(t, target, PhaseStatus, ReasonPermission)
}

func TestRefusedQuotaIsAbsent(t *testing.T) {
	_, target := serve(t, mailtest.Options{Handle: map[string]mailtest.Handler{"GETQUOTAROOT": answer("%s NO [NOPERM] no\r\n")}})
	r := succeed(t, target)
	if !r.Quota.Supported || r.Quota.Roots != nil || len(r.Notes) != 1 {
		t.Errorf("quota %+v, notes %q", r.Quota, r.Notes)
	}
}
