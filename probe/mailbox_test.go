package probe

import (
	"strings"
	"testing"

	"imap-exporter/internal/mailtest"
)

// Mailboxes without counts are counted themselves, and the notes say why: names and responses that can't be read, refused
// STATUS, and names whose labels would be the same.
func TestMailboxesUnreadable(t *testing.T) {
	long := strings.Repeat("x", MaxNameRunes)
	_, target := serve(t, mailtest.Options{Mode: mailtest.ModePlain, Handle: map[string]mailtest.Handler{
		"LIST": func(c *mailtest.Conn, cmd mailtest.Command) error {
			for _, name := range []string{"INBOX", "inbox", "Entw&ungueltig", long + "1", long + "2", "refused", ""} {
				c.Line(`* LIST () "/" "%s"`, name)
			}
			c.Line(`* LIST (\Noselect) "/" "parent"`)
			c.Line(`* LIST nonsense`)
			return c.OK(cmd.Tag, "done")
		},
		"STATUS": func(c *mailtest.Conn, cmd mailtest.Command) error {
			if cmd.Args[0] == "refused" {
				return c.NO(cmd.Tag, "[NOPERM] no")
			}
			c.Line(`* STATUS "%s" (MESSAGES 5)`, cmd.Args[0])
			return c.OK(cmd.Tag, "done")
		},
	}})
	target.Mailboxes = []string{"*"}
	r := succeed(t, target)
	if n := r.MailboxesUnreadable; n == nil || *n != 4 {
		t.Errorf("%v unreadable, want 4: %q", n, r.Notes)
	}
	for _, want := range []string{`"Entw&ungueltig" can't be read`, "another one has the label", `"refused": NO [NOPERM]`, "LIST response can't be read"} {
		if !strings.Contains(strings.Join(r.Notes, "\n"), want) {
			t.Errorf("no note has %q: %q", want, r.Notes)
		}
	}
	var names []string
	for _, m := range r.Mailboxes {
		names = append(names, m.Name)
	}
	if len(names) != 3 || names[0] != "INBOX" || !strings.HasPrefix(names[1], "xxx") {
		t.Errorf("mailboxes %q", names)
	}
	target.Mailboxes = []string{"INBOX"}
	if r := succeed(t, target); r.MailboxesUnreadable != nil {
		t.Errorf("%d unreadable without a pattern", *r.MailboxesUnreadable)
	}
}

// A selected mailbox whose label is another one's is counted as well, and its dates aren't taken for the other's.
func TestSelectedMailboxWithTheSameLabel(t *testing.T) {
	long := strings.Repeat("x", MaxNameRunes)
	u := user()
	u.Mailboxes = append(u.Mailboxes, &mailtest.Mailbox{Name: long + "1"}, &mailtest.Mailbox{Name: long + "2", Messages: u.Mailboxes[0].Messages})
	_, target := serve(t, mailtest.Options{Mode: mailtest.ModePlain, Data: mailtest.Data{Users: []*mailtest.User{u}}})
	target.Select, target.Mailboxes = long+"2", []string{long + "1"}
	r := succeed(t, target)
	if len(r.Mailboxes) != 1 || r.Mailboxes[0].Newest != nil || *r.Mailboxes[0].Messages != 0 {
		t.Errorf("mailboxes %+v", r.Mailboxes)
	}
	if len(r.Notes) != 1 || !strings.Contains(r.Notes[0], "another one has the label") {
		t.Errorf("notes %q", r.Notes)
	}
}

// A quota root whose label is another one's is left out, and a note says so: its resources aren't the other's.
func TestQuotaRootsWithTheSameLabel(t *testing.T) {
	long := strings.Repeat("x", MaxNameRunes)
	_, target := serve(t, mailtest.Options{Mode: mailtest.ModePlain, Handle: map[string]mailtest.Handler{
		"GETQUOTAROOT": answer("* QUOTA " + long + "1 (STORAGE 1 2)\r\n* QUOTA " + long + "2 (MESSAGE 3 4)\r\n* QUOTA " + long + "1 (MESSAGE 5 6)\r\n%s OK\r\n"),
	}})
	r := succeed(t, target)
	if roots := r.Quota.Roots; len(roots) != 1 || roots[0].Storage.Used != 1024 || roots[0].Messages.Used != 5 {
		t.Errorf("quota roots %+v", roots)
	}
	if len(r.Notes) != 1 || !strings.Contains(r.Notes[0], "another one has the label") {
		t.Errorf("notes %q", r.Notes)
	}
}
