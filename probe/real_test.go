package probe

import (
	"context"
	"crypto/tls"
	"slices"
	"testing"
	"time"

	"imap-exporter/internal/mailtest"
	"imap-exporter/internal/realtest"
)

// A peer is a server that the suite runs against, and what it lacks.
type peer struct {
	name         string
	target       func(TLSMode) *Target
	big          func(TLSMode) *Target // the account with a mailbox of 10,000 messages; nil: none
	mailbox      func(string) string
	dates        [2]time.Time // of the oldest and the newest message in INBOX
	quota, size  bool
	certificates func() *Target // logs in by EXTERNAL; nil: it can't
	token        bool
}

// realTarget reads everything from alice's account.
func realTarget(s *realtest.Server, mode TLSMode) *Target {
	address := s.TLSAddr
	if mode != TLSImplicit {
		address = s.PlainAddr
	}
	target := targetAt(address, s.TLSConfig())
	target.TLSMode = mode
	target.AllowPlaintextAuth = mode == TLSNone
	target.Username = s.Alice.Name
	target.Secret = func(context.Context) (string, error) { return s.Alice.Password, nil }
	target.Timeout = 20 * time.Second
	return target
}

func realPeer(s *realtest.Server) peer {
	dates := realtest.InboxDates()
	p := peer{
		name:    s.Name,
		target:  func(mode TLSMode) *Target { return realTarget(s, mode) },
		mailbox: s.Mailbox,
		dates:   [2]time.Time{dates[0], dates[len(dates)-1]},
		quota:   true,
		size:    s.Name != "Courier",
		token:   s.Token != "",
		big: func(mode TLSMode) *Target {
			target := realTarget(s, mode)
			target.Username, target.Select = s.Bob.Name, s.Mailbox("Big")
			target.Secret = func(context.Context) (string, error) { return s.Bob.Password, nil }
			return target
		},
	}
	if s.ClientCert != nil {
		p.certificates = func() *Target {
			target := realTarget(s, TLSImplicit)
			target.Auth, target.Secret = AuthExternal, nil
			target.TLSConfig.Certificates = []tls.Certificate{*s.ClientCert}
			return target
		}
	}
	return p
}

// embeddedPeers are the servers that are part of the program.
func embeddedPeers(t *testing.T) []peer {
	ca := testCA(t)
	config, err := ca.ServerConfig(mailtest.CertOptions{Names: []string{"localhost"}})
	if err != nil {
		t.Fatal(err)
	}
	client := &tls.Config{RootCAs: ca.Pool(), ServerName: "localhost", MinVersion: tls.VersionTLS12}
	modes := map[TLSMode]mailtest.Mode{
		TLSImplicit: mailtest.ModeImplicit, TLSStartTLS: mailtest.ModeStartTLS, TLSNone: mailtest.ModePlain,
	}
	messages := user().Mailboxes[0].Messages
	users := func() []*mailtest.User { // new ones for each server, which numbers their messages
		u := user()
		u.Mailboxes[0].Messages = slices.Clone(messages)
		return []*mailtest.User{u}
	}
	start := func(addr func(mailtest.Mode) string) func(TLSMode) *Target {
		return func(mode TLSMode) *Target {
			target := targetAt(addr(modes[mode]), client.Clone())
			target.TLSMode, target.AllowPlaintextAuth = mode, mode == TLSNone
			return target
		}
	}
	scripted := func(mode mailtest.Mode) string {
		server, err := mailtest.Start(mailtest.Options{Mode: mode, TLS: config, Data: mailtest.Data{Users: users()}})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = server.Close() })
		return server.Addr()
	}
	mem := func(mode mailtest.Mode) string {
		server, err := mailtest.StartMem(mailtest.MemOptions{Mode: mode, TLS: config, Users: users()})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = server.Close() })
		return server.Addr()
	}
	same := func(name string) string { return name }
	dates := [2]time.Time{messages[0].Date, messages[len(messages)-1].Date}
	return []peer{
		{name: "scripted", target: start(scripted), mailbox: same, dates: dates, quota: true, size: true},
		{name: "memserver", target: start(mem), mailbox: same, dates: dates, size: true},
	}
}

// TestPeers runs the same suite against the two embedded servers, Dovecot, Cyrus and Courier.
func TestPeers(t *testing.T) {
	t.Parallel()
	peers := embeddedPeers(t)
	for _, server := range realtest.All(t) {
		peers = append(peers, realPeer(server))
	}
	for _, p := range peers {
		t.Run(p.name, func(t *testing.T) {
			t.Parallel()
			for _, mode := range []TLSMode{TLSImplicit, TLSStartTLS, TLSNone} {
				t.Run(string(mode), func(t *testing.T) { p.test(t, mode) })
			}
			t.Run("read-write", func(t *testing.T) {
				target := p.target(TLSImplicit)
				target.ReadOnly = false
				if r := succeed(t, target); r.Mailboxes[0].Recent != nil {
					t.Errorf("mailbox %+v", r.Mailboxes[0])
				}
			})
			t.Run("wrong password", func(t *testing.T) {
				target := p.target(TLSImplicit)
				target.Secret = func(context.Context) (string, error) { return "canary-wrong-secret", nil }
				fail(t, target, PhaseAuth, ReasonRejected)
			})
			t.Run("missing mailbox", func(t *testing.T) {
				target := p.target(TLSImplicit)
				target.Select = p.mailbox("No such mailbox")
				fail(t, target, PhaseSelect, ReasonMailboxMissing)
			})
			t.Run("10,000 messages", func(t *testing.T) {
				if p.big != nil {
					p.testBig(t)
				}
			})
			t.Run("other ways to log in", p.testLogins)
		})
	}
}

func (p *peer) test(t *testing.T, mode TLSMode) {
	target := p.target(mode)
	names := []string{"INBOX", p.mailbox("Entwürfe"), p.mailbox("Team Notes")}
	target.Mailboxes = append([]string{"*"}, names...)
	r := succeed(t, target)
	for _, name := range names {
		i := slices.IndexFunc(r.Mailboxes, func(m Mailbox) bool { return m.Name == name })
		if i < 0 {
			t.Errorf("no counts of %q in %+v", name, r.Mailboxes)
			continue
		}
		m := r.Mailboxes[i]
		if m.Messages == nil || *m.Messages == 0 || m.Unseen == nil || m.UIDNext == nil || m.UIDValidity == nil || m.Recent == nil {
			t.Errorf("mailbox %+v", m)
		}
		if hasSize := m.SizeBytes != nil && *m.SizeBytes > 0; hasSize != p.size {
			t.Errorf("mailbox %+v: size is %t, want %t", m, hasSize, p.size)
		}
		if name == "INBOX" && (m.Oldest == nil || !m.Oldest.Equal(p.dates[0].Truncate(time.Second)) || !m.Newest.Equal(p.dates[1].Truncate(time.Second))) {
			t.Errorf("oldest %v and newest %v, want %v", m.Oldest, m.Newest, p.dates)
		}
	}
	if r.Fetched == nil || r.Fetched.Bytes == 0 {
		t.Errorf("fetched %+v", r.Fetched)
	}
	if r.Quota.Supported != p.quota {
		t.Errorf("quota %+v", r.Quota)
	}
	if p.quota && (len(r.Quota.Roots) == 0 || r.Quota.Roots[0].Storage == nil || r.Quota.Roots[0].Storage.Limit < 1<<20) {
		t.Errorf("quota %+v", r.Quota)
	}
	if (r.TLS != nil) != (mode != TLSNone) {
		t.Errorf("TLS %+v", r.TLS)
	}
}

func (p *peer) testBig(t *testing.T) {
	target := p.big(TLSImplicit)
	target.Mailboxes = []string{target.Select}
	if m := succeed(t, target).Mailboxes[0]; *m.Messages != realtest.BigMessages || m.Newest == nil || m.Oldest == nil {
		t.Errorf("mailbox %+v", m)
	}
}

func (p *peer) testLogins(t *testing.T) {
	target := p.target(TLSImplicit)
	methods := []AuthMethod{AuthAuto, AuthPlain}
	if p.token {
		methods = append(methods, AuthSCRAMSHA256)
	}
	for _, method := range methods {
		target.Auth = method
		succeed(t, target)
	}
	if p.certificates != nil {
		succeed(t, p.certificates())
	}
}

// TestBearerTokensAtDovecot: a good and a bad token, by both mechanisms.
func TestBearerTokensAtDovecot(t *testing.T) {
	t.Parallel()
	server := realtest.Dovecot(t)
	for _, method := range []AuthMethod{AuthXOAuth2, AuthOAuthBearer} {
		target := realTarget(server, TLSImplicit)
		target.Auth = method
		target.Secret = func(context.Context) (string, error) { return server.Token, nil }
		succeed(t, target)
		target.Secret = func(context.Context) (string, error) { return "canary-bad-secret", nil }
		fail(t, target, PhaseAuth, ReasonToken)
	}
}
