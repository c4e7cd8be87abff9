package realtest

import (
	"context"
	"crypto/tls"
	"encoding/base64"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestServers(t *testing.T) {
	start := time.Now()
	servers := All(t)
	t.Logf("started in %v", time.Since(start).Round(time.Millisecond))
	for _, s := range servers {
		t.Run(s.Name, func(t *testing.T) {
			t.Parallel() // Cyrus takes 3 s to refuse a password, Courier 5 s.
			t.Run("version", func(t *testing.T) { testVersion(t, s) })
			t.Run("login", func(t *testing.T) { testLogin(t, s) })
			t.Run("mailboxes", func(t *testing.T) { testMailboxes(t, s) })
			t.Run("quota", func(t *testing.T) { testQuota(t, s) })
		})
	}
}

// testVersion compares with what the server says of itself, where it does.
func testVersion(t *testing.T, s *Server) {
	c := connect(t, s, "plain")
	switch s.Name {
	case "Dovecot":
		if !strings.Contains(c.greeting, "Dovecot") || !strings.HasPrefix(s.Version, "2.3.") {
			t.Errorf("version %s, greeting %q", s.Version, c.greeting)
		}
	case "Cyrus":
		if !strings.Contains(c.greeting, "Cyrus IMAP "+s.Version) {
			t.Errorf("version %s, greeting %q", s.Version, c.greeting)
		}
	case "Courier":
		if !strings.Contains(c.greeting, "Courier-IMAP") || !strings.HasPrefix(s.Version, "5.") {
			t.Errorf("version %s, greeting %q", s.Version, c.greeting)
		}
	}
}

func testLogin(t *testing.T, s *Server) {
	for _, mode := range []string{"plain", "starttls", "implicit"} {
		t.Run(mode, func(t *testing.T) {
			for _, u := range []User{s.Alice, s.Bob} {
				if err := connect(t, s, mode).login(u); err != nil {
					t.Errorf("%v\n%s", err, s.Log())
				}
			}
		})
	}
	t.Run("wrong password", func(t *testing.T) {
		err := connect(t, s, "implicit").login(User{s.Alice.Name, "canary-wrong-secret"})
		if err == nil || !strings.Contains(err.Error(), ": NO") {
			t.Errorf("a wrong password: %v, want NO", err)
		}
	})
}

func testMailboxes(t *testing.T, s *Server) {
	for mailbox, want := range map[string]int{"INBOX": 5, "Entw&APw-rfe": 1, "Team Notes": 2} {
		if got := examine(t, s, s.Alice, mailbox); got != want {
			t.Errorf("%s has %d messages, want %d", mailbox, got, want)
		}
	}
	if got := examine(t, s, s.Bob, "Big"); got != BigMessages {
		t.Errorf("Big has %d messages, want %d", got, BigMessages)
	}
	c := connect(t, s, "plain")
	if err := c.login(s.Alice); err != nil {
		t.Fatal(err)
	}
	if err := c.all("EXAMINE INBOX"); err != nil {
		t.Fatal(err)
	}
	answers, err := c.do("FETCH 1:* INTERNALDATE")
	if err != nil {
		t.Fatal(err)
	}
	all := strings.ReplaceAll(strings.Join(answers, "\n"), `" `, `"0`) // " 1-Jan-2026" and "01-Jan-2026" are both right.
	for i, date := range InboxDates() {
		if want := fmt.Sprintf("* %d FETCH (INTERNALDATE %q)", i+1, date.Format("02-Jan-2006 15:04:05 -0700")); !strings.Contains(all, want) {
			t.Errorf("no %s in\n%s", want, all)
		}
	}
}

func testQuota(t *testing.T, s *Server) {
	c := connect(t, s, "plain")
	if err := c.login(s.Alice); err != nil {
		t.Fatal(err)
	}
	answers, err := c.do("GETQUOTAROOT INBOX")
	all := strings.Join(answers, "\n")
	if err != nil || !strings.Contains(all, " 10240") || !strings.Contains(all, " 1000)") {
		t.Errorf("GETQUOTAROOT: %v\n%s\nwant limits of 10240 and 1000", err, all)
	}
}

func TestDovecotMechanisms(t *testing.T) {
	s := Dovecot(t)
	config := s.TLSConfig()
	config.Certificates = []tls.Certificate{*s.ClientCert}
	for name, test := range map[string]struct {
		config   *tls.Config
		response string
		ok       bool
	}{
		"XOAUTH2 good":        {s.TLSConfig(), "XOAUTH2 " + encode("user=alice\x01auth=Bearer %s\x01\x01", s.Token), true},
		"XOAUTH2 bad":         {s.TLSConfig(), "XOAUTH2 " + encode("user=alice\x01auth=Bearer %s\x01\x01", "stale"), false},
		"OAUTHBEARER good":    {s.TLSConfig(), "OAUTHBEARER " + encode("n,a=alice,\x01auth=Bearer %s\x01\x01", s.Token), true},
		"EXTERNAL with cert":  {config, "EXTERNAL =", true},
		"EXTERNAL without":    {s.TLSConfig(), "EXTERNAL " + encode("alice"), false},
		"PLAIN with any cert": {config, "PLAIN " + encode("\x00%s\x00%s", s.Alice.Name, s.Alice.Password), true},
	} {
		t.Run(name, func(t *testing.T) {
			c, err := dial(t.Context(), s.TLSAddr, test.config)
			if err != nil {
				t.Fatal(err)
			}
			defer c.conn.Close()
			if err := c.authenticate(test.response); (err == nil) != test.ok {
				t.Errorf("AUTHENTICATE: %v, want success %t\n%s", err, test.ok, s.Log())
			}
		})
	}
	c := connect(t, s, "implicit")
	if !strings.Contains(c.greeting, "AUTH=SCRAM-SHA-256") {
		t.Errorf("no SCRAM-SHA-256 in %q", c.greeting)
	}
}

// authenticate sends a command with its initial response, and the empty line that ends a refusal of XOAUTH2.
func (c *client) authenticate(response string) error {
	if _, err := fmt.Fprintf(c.conn, "A AUTHENTICATE %s\r\n", response); err != nil {
		return err
	}
	for {
		line, err := c.in.ReadString('\n')
		switch {
		case err != nil:
			return err
		case strings.HasPrefix(line, "A OK"):
			return nil
		case strings.HasPrefix(line, "A "):
			return fmt.Errorf("%s", line)
		case strings.HasPrefix(line, "+"):
			if _, err := fmt.Fprint(c.conn, "\r\n"); err != nil {
				return err
			}
		}
	}
}

// The end of a test leaves no process that listens, and no files.
func TestStop(t *testing.T) {
	var s *Server
	t.Run("run", func(t *testing.T) { s = Dovecot(t) })
	if s == nil {
		t.Skip("Dovecot can't run, see the subtest")
	}
	if err := greets(t.Context(), s.PlainAddr, nil); err == nil {
		t.Error("it still greets")
	}
	if _, err := os.Stat(s.CAFile); err == nil {
		t.Errorf("%s is left", s.CAFile)
	}
}

// encode is base64 of a formatted text.
func encode(format string, args ...any) string {
	return base64.StdEncoding.EncodeToString(fmt.Appendf(nil, format, args...))
}

func connect(t *testing.T, s *Server, mode string) *client {
	t.Helper()
	addr, config := s.PlainAddr, (*tls.Config)(nil)
	if mode == "implicit" {
		addr, config = s.TLSAddr, s.TLSConfig()
	}
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	t.Cleanup(cancel)
	c, err := dial(ctx, addr, config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.conn.Close() })
	if mode == "starttls" {
		if err := c.startTLS(s.TLSConfig()); err != nil {
			t.Fatal(err)
		}
	}
	return c
}

// examine returns the number of messages.
func examine(t *testing.T, s *Server, u User, mailbox string) int {
	t.Helper()
	c := connect(t, s, "plain")
	if err := c.login(u); err != nil {
		t.Fatal(err)
	}
	answers, err := c.do("EXAMINE %q", s.Mailbox(mailbox))
	if err != nil {
		t.Fatal(err)
	}
	for _, answer := range answers {
		var n int
		if _, err := fmt.Sscanf(answer, "* %d EXISTS", &n); err == nil {
			return n
		}
	}
	t.Fatalf("no EXISTS in %q", answers)
	return 0
}
