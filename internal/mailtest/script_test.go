package mailtest

import (
	"crypto/tls"
	"encoding/base64"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/emersion/go-imap/v2"
	"github.com/emersion/go-imap/v2/imapclient"
	"github.com/google/go-cmp/cmp"
)

func TestScriptedServerWithGoIMAP(t *testing.T) {
	server, config := serverTLS(t)
	for _, chunk := range []int{0, 3} {
		s := start(t, Options{TLS: server, Chunk: chunk})
		c := goimap(t, s.Addr(), config)
		if err := c.Login(DemoUser, DemoPassword).Wait(); err != nil {
			t.Fatal(err)
		}
		selected, err := c.Select("INBOX", nil).Wait()
		if err != nil || selected.NumMessages != 24 || selected.UIDNext != 25 || selected.UIDValidity != 1 {
			t.Fatalf("SELECT: %+v, %v", selected, err)
		}
		messages, err := c.Fetch(imap.SeqSetNum(24), &imap.FetchOptions{
			UID: true, InternalDate: true, RFC822Size: true,
			BodySection: []*imap.FetchItemBodySection{{Specifier: imap.PartSpecifierHeader, Peek: true, Partial: &imap.SectionPartial{Size: 11}}},
		}).Collect()
		if err != nil || len(messages) != 1 {
			t.Fatalf("FETCH: %+v, %v", messages, err)
		}
		if m := messages[0]; m.UID != 24 || time.Since(m.InternalDate) > 20*time.Minute || string(m.BodySection[0].Bytes) != "Return-Path" {
			t.Errorf("FETCH: %+v", m)
		}
		if err := c.Unselect().Wait(); err != nil {
			t.Error(err)
		}
		status, err := c.Status("Entwürfe", &imap.StatusOptions{NumMessages: true, NumUnseen: true, Size: true, HighestModSeq: true}).Wait()
		if err != nil || *status.NumMessages != 2 || *status.Size < 100 || status.HighestModSeq != 3 {
			t.Errorf("STATUS: %+v, %v", status, err)
		}
		quota, err := c.GetQuotaRoot("INBOX").Wait()
		if err != nil || len(quota) != 1 || quota[0].Resources[imap.QuotaResourceStorage] != (imapclient.QuotaResourceData{Usage: 38912, Limit: 102400}) {
			t.Errorf("GETQUOTAROOT: %+v, %v", quota, err)
		}
		list, err := c.List("", "*", nil).Collect()
		var names []string
		for _, l := range list {
			names = append(names, l.Mailbox)
		}
		if want := []string{"INBOX", "Sent", "Archive", "Entwürfe", "Team Notes"}; err != nil || !slices.Equal(names, want) {
			t.Errorf("LIST: %q, %v", names, err)
		}
		if err := c.Logout().Wait(); err != nil {
			t.Error(err)
		}
	}
}

func TestRecorder(t *testing.T) {
	server, config := serverTLS(t)
	s := start(t, Options{TLS: server, Mode: ModeStartTLS})
	c := dial(t, s.Addr())
	if greeting := c.line(); !strings.Contains(greeting, "LOGINDISABLED") || strings.Contains(greeting, "AUTH=") {
		t.Error(greeting)
	}
	c.want("LOGIN demo@example.org canary-demo-secret", "T NO [PRIVACYREQUIRED]")
	c.want("STARTTLS", "T OK")
	c = c.upgrade(config)
	c.want("AUTHENTICATE PLAIN "+b64("\x00"+DemoUser+"\x00"+DemoPassword), "T OK [CAPABILITY ")
	c.want("UID FETCH 1 FLAGS", "T BAD")
	c.send("a NOOP\r\nb LOGOUT")
	c.eof()
	if err := s.WaitIdle(within(t)); err != nil {
		t.Fatal(err)
	}
	got := s.Conversations()
	if len(got) != 1 {
		t.Fatalf("%d conversations", len(got))
	}
	v := got[0]
	if want := []string{"LOGIN", "STARTTLS", "AUTHENTICATE", "UID FETCH", "NOOP", "LOGOUT"}; !slices.Equal(v.Verbs(), want) {
		t.Errorf("verbs: %q", v.Verbs())
	}
	if v.Commands[1].TLS || !v.Commands[2].TLS || v.TLS == nil || v.TLS.DidResume {
		t.Error("the record is wrong about TLS")
	}
	if !v.LoggedOut() || !v.Pipelined || v.Open || v.BytesIn < 500 || v.BytesOut < 500 {
		t.Errorf("%+v", v)
	}
	if want := []string{DemoUser, DemoPassword}; !slices.Equal(v.Commands[0].Args, want) {
		t.Errorf("args: %q", v.Commands[0].Args)
	}
	if total, most := s.Connections(); total != 1 || most != 1 {
		t.Errorf("%d connections, %d at once", total, most)
	}
}

func TestParseCommand(t *testing.T) {
	for line, want := range map[string]Command{
		"a1 login joe \"p \\\"w\\\\\"":                              {Tag: "a1", Verb: "LOGIN", Args: []string{"joe", `p "w\`}},
		"a LOGIN {3+}\r\na b {2}\r\n\r\n":                           {Tag: "a", Verb: "LOGIN", Args: []string{"a b", "\r\n"}},
		"a uid fetch 1:* (UID BODY.PEEK[HEADER.FIELDS (A B)]<0.5>)": {Tag: "a", Verb: "UID FETCH", Args: []string{"1:*", "(UID BODY.PEEK[HEADER.FIELDS (A B)]<0.5>)"}},
		"a":           {Tag: "a"},
		"":            {Tag: "*"},
		`a LIST "" "`: {Tag: "a", Verb: "LIST", Args: []string{"", ""}},
	} {
		want.Line = line
		if diff := cmp.Diff(want, parseCommand(line)); diff != "" {
			t.Errorf("%q: %s", line, diff)
		}
	}
}

func TestCommands(t *testing.T) {
	s := start(t, Options{})
	s.Update(func(d *Data) {
		u := d.Users[0]
		u.Mailboxes = append(u.Mailboxes, &Mailbox{Name: "A", NoSelect: true}, &Mailbox{Name: "A/B & \"C\""})
		u.Quota = append(u.Quota, Quota{Root: ""})
		for i := range u.Mailboxes[1].Messages {
			u.Mailboxes[1].Messages[i].Recent = true
		}
	})
	c := dial(t, s.Addr())
	if greeting := c.line(); !strings.Contains(greeting, "* OK [CAPABILITY IMAP4rev1") || strings.Contains(greeting, "EXTERNAL") {
		t.Error(greeting)
	}
	c.want("SELECT INBOX", "T BAD")
	c.want("LOGIN demo@example.org wrong", "T NO [AUTHENTICATIONFAILED]")
	c.send("T LOGIN {16}\r\n%s {18+}\r\n%s", DemoUser, DemoPassword)
	if line := c.line(); !strings.HasPrefix(line, "+ ") {
		t.Error(line)
	}
	if line := c.line(); !strings.HasPrefix(line, "T OK [CAPABILITY IMAP4rev1") {
		t.Error(line)
	}
	c.want("CAPABILITY", " QUOTA ", "STATUS=SIZE")
	c.want("ID NIL", "* ID (")
	c.want("NAMESPACE", `(("" "/"))`)
	c.want("NONSENSE", "T BAD")
	c.want(`LIST "" %`, `* LIST (\HasChildren \Noselect) "/" "A"`, `"Entw&APw-rfe"`, `"Team Notes"`)
	if top := c.do(`LIST "" %%`); len(top) != 7 {
		t.Errorf("%% crosses levels: %q", top)
	}
	c.want(`LIST "" "A/*"`, `* LIST (\HasNoChildren) "/" "A/B &- \"C\""`)
	c.want(`LIST "" inbox`, `"/" INBOX`)
	if lines := c.do(`LIST "" "Sen%%d"`); len(lines) != 1 {
		t.Errorf("%q", lines)
	}
	c.want("STATUS A (MESSAGES)", "T NO [NONEXISTENT]")
	c.want("STATUS INBOX (NONSENSE)", "T BAD")
	c.want("STATUS Sent (RECENT UNSEEN UIDNEXT UIDVALIDITY)", `* STATUS "Sent" (RECENT 9 UNSEEN 2 UIDNEXT 10 UIDVALIDITY 1)`)
	c.want("EXAMINE Sent", "* 9 EXISTS", "* 9 RECENT", "[UNSEEN 8]", "[HIGHESTMODSEQ 10]", "T OK [READ-ONLY]")
	c.want("FETCH 1 (BODY[TEXT]<0.4>)", "* 1 FETCH (BODY[TEXT]<0> {4}\nDear)")
	c.want("SELECT Sent", "* 9 RECENT", "T OK [READ-WRITE]")
	c.want("FETCH 9 (FLAGS)", "* 9 FETCH (FLAGS ())")
	c.want("FETCH *,1 (BODY.PEEK[TEXT]<3.4> UID)", "* 1 FETCH (BODY[TEXT]<3> {4}\nr re UID 1)", "* 9 FETCH")
	c.want("STATUS Sent (RECENT UNSEEN)", "(RECENT 0 UNSEEN 2)")
	c.want("UID FETCH 9 BODY[]<0.1>", "* 9 FETCH (UID 9 BODY[]<0> {1}")
	c.want("STATUS Sent (UNSEEN)", "(UNSEEN 1)")
	c.want("FETCH 1 ENVELOPE", "T BAD")
	c.want("FETCH 0 UID", "T BAD")
	c.want("UNSELECT", "T OK")
	c.want("FETCH 1 UID", "T BAD")
	c.want("SELECT Missing", "T NO [NONEXISTENT]")
	c.want("GETQUOTAROOT INBOX", `* QUOTAROOT INBOX "User quota" ""`, `* QUOTA "User quota" (STORAGE 38912 102400 MESSAGE 100 10000)`, `* QUOTA "" ()`)
	c.want(`GETQUOTA "User quota"`, "MESSAGE 100 10000")
	c.want("GETQUOTA x", "T NO")
	c.want("LOGOUT", "* BYE", "T OK")
	c.eof()
}

func TestUpdateWhileSelected(t *testing.T) {
	s := start(t, Options{})
	c := dial(t, s.Addr()).login()
	c.want("SELECT INBOX", "* 24 EXISTS")
	s.Update(func(d *Data) {
		inbox := d.User(DemoUser).Mailbox("inbox")
		inbox.Messages = []Message{NewMessage(99, time.Now())}
	})
	c.want("FETCH 24 (UID)", "* 24 FETCH (UID 24)")
	c.want("STATUS INBOX (MESSAGES UIDNEXT)", "(MESSAGES 1 UIDNEXT 26)")
}

func TestCapabilitiesAreHonoured(t *testing.T) {
	without := []string{"SASL-IR", "QUOTA", "UNSELECT", "STATUS=SIZE", "CONDSTORE", "AUTH=PLAIN"}
	s := start(t, Options{Reticent: true, Capabilities: func(_ Stage, usual []string) []string {
		return slices.DeleteFunc(usual, func(c string) bool { return slices.Contains(without, c) })
	}})
	c := dial(t, s.Addr())
	if greeting := c.line(); greeting != "* OK IMAP4rev1 server ready." {
		t.Error(greeting)
	}
	c.want("AUTHENTICATE PLAIN", "T NO [CANNOT]")
	c.want("AUTHENTICATE LOGIN "+b64(DemoUser), "T BAD")
	c.want("LOGIN demo@example.org canary-demo-secret", "T OK Logged in.")
	c.want("GETQUOTAROOT INBOX", "T BAD")
	c.want("STATUS INBOX (SIZE)", "T BAD")
	c.want("STATUS INBOX (HIGHESTMODSEQ)", "T BAD")
	c.want("SELECT INBOX", "T OK")
	c.want("UNSELECT", "T BAD")
	c.want("CLOSE", "T OK")
}

func TestUpdateConcurrently(t *testing.T) {
	s := start(t, Options{})
	done := make(chan struct{})
	go func() {
		defer close(done)
		for n := range 200 {
			s.Update(func(d *Data) {
				inbox := d.User(DemoUser).Mailbox("INBOX")
				inbox.Messages = append(inbox.Messages, NewMessage(n, time.Now()))
			})
			s.Conversations()
		}
	}()
	c := dial(t, s.Addr()).login()
	for range 50 {
		c.want("SELECT INBOX", "T OK")
		c.want("FETCH * (UID BODY[TEXT]<0.1>)", "T OK")
	}
	<-done
	c.want("STATUS INBOX (MESSAGES UIDNEXT)", "(MESSAGES 224 UIDNEXT 225)")
}

func TestMutualTLS(t *testing.T) {
	ca := newCA(t)
	server, err := ca.ServerConfig(CertOptions{Names: []string{"localhost"}})
	if err != nil {
		t.Fatal(err)
	}
	cert, err := ca.Issue(CertOptions{Names: []string{DemoUser}, Client: true})
	if err != nil {
		t.Fatal(err)
	}
	s := start(t, Options{TLS: server})
	c := dial(t, s.Addr()).upgrade(&tls.Config{RootCAs: ca.Pool(), ServerName: "localhost", Certificates: []tls.Certificate{cert}})
	if greeting := c.line(); !strings.Contains(greeting, "AUTH=EXTERNAL") {
		t.Error(greeting)
	}
	c.want("AUTHENTICATE EXTERNAL "+b64("bob"), "T NO")
	c.want("AUTHENTICATE EXTERNAL =", "T OK")
}

func b64(s string) string { return base64.StdEncoding.EncodeToString([]byte(s)) }
