package mailtest

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"imap-exporter/internal/imap"
)

// Data is what a [Server] holds.
type Data struct {
	Users []*User
}

// A User has mailboxes and ways to log in.
type User struct {
	Name string
	// Password is for LOGIN, PLAIN and SCRAM-SHA-256; Token for XOAUTH2 and OAUTHBEARER.
	// EXTERNAL uses the common name of the client's certificate.
	Password, Token string
	Mailboxes       []*Mailbox
	Quota           []Quota
}

// A Mailbox has messages, oldest first. Append to Messages or assign another slice, but don't change its elements.
type Mailbox struct {
	// Name is UTF-8; levels are separated by "/".
	Name     string
	Messages []Message
	// UIDValidity and UIDNext are set if they are 0; HighestModSeq grows by one for each new message.
	UIDValidity, UIDNext uint32
	HighestModSeq        uint64
	// NoSelect is a name without messages.
	NoSelect bool
}

// A Message is an e-mail as it is stored. Lines end with CRLF.
type Message struct {
	// UID is filled in where it is 0.
	UID uint32
	// Date is its INTERNALDATE.
	Date time.Time
	// Header ends with an empty line.
	Header, Body string
	// Seen and Recent are flags. SELECT takes Recent away, EXAMINE doesn't.
	Seen, Recent bool
}

// Size returns the message's RFC822.SIZE in bytes.
func (m *Message) Size() int { return len(m.Header) + len(m.Body) }

// Quota is a quota root (RFC 9208). The quota roots of a user are those of each mailbox too.
type Quota struct {
	Root string
	// Storage is in units of 1024 octets, as on the wire. Nil means no limit.
	Storage, Messages *Usage
}

// Usage is used of limit.
type Usage struct{ Used, Limit uint64 }

// NewMessage makes a message with the given number in its text.
func NewMessage(n int, date time.Time) Message {
	return Message{
		Date: date,
		Header: strings.Join([]string{
			"Return-Path: <alice@example.org>",
			"From: Alice <alice@example.org>",
			"To: Demo <demo@example.org>",
			fmt.Sprintf("Subject: Report number %d", n),
			"Date: " + date.Format(time.RFC1123Z),
			fmt.Sprintf("Message-ID: <%d.%d@example.org>", n, date.Unix()),
			"MIME-Version: 1.0",
			"Content-Type: text/plain; charset=utf-8",
			"", "",
		}, "\r\n"),
		Body: "Dear reader,\r\n\r\n" +
			strings.Repeat("all systems went about their work as they should.\r\n", 1+n%40) +
			"\r\nYours\r\nAlice\r\n",
	}
}

// NewMessages makes n messages, one every interval, the last at newest.
func NewMessages(n int, newest time.Time, interval time.Duration) []Message {
	messages := make([]Message, n)
	for i := range messages {
		messages[i] = NewMessage(i+1, newest.Add(-time.Duration(n-1-i)*interval))
		messages[i].Seen = i < n-n/4
	}
	return messages
}

// DemoUser, with DemoPassword or the bearer token DemoToken, is the default login of every server. These secrets are valid
// nowhere else, and easy to find in any output.
const (
	DemoUser     = "demo@example.org"
	DemoPassword = "canary-demo-secret"       //nolint:gosec // See above.
	DemoToken    = "canary-demo-token-secret" //nolint:gosec // See above.
)

// NewUser creates the user [DemoUser] with a few mailboxes, one with a non-ASCII name and one with a space in its name,
// and with a quota root.
func NewUser(now time.Time) *User {
	mailbox := func(name string, n int, newest time.Time, interval time.Duration) *Mailbox {
		return &Mailbox{Name: name, Messages: NewMessages(n, newest, interval)}
	}
	return &User{
		Name:     DemoUser,
		Password: DemoPassword,
		Token:    DemoToken,
		Mailboxes: []*Mailbox{
			mailbox("INBOX", 24, now.Add(-12*time.Minute), 5*time.Hour),
			mailbox("Sent", 9, now.Add(-2*time.Hour), 17*time.Hour),
			mailbox("Archive", 60, now.Add(-6*24*time.Hour), 31*time.Hour),
			mailbox("Entwürfe", 2, now.Add(-26*time.Hour), 40*time.Hour),
			mailbox("Team Notes", 5, now.Add(-3*24*time.Hour), 90*time.Hour),
		},
		Quota: []Quota{{
			Root:     "User quota",
			Storage:  &Usage{Used: 38_912, Limit: 102_400},
			Messages: &Usage{Used: 100, Limit: 10_000},
		}},
	}
}

// User returns the user of that name, or nil.
func (d *Data) User(name string) *User {
	i := slices.IndexFunc(d.Users, func(u *User) bool { return u.Name == name })
	if i < 0 {
		return nil
	}
	return d.Users[i]
}

// Mailbox returns the mailbox of that name, or nil. INBOX is found in any case.
func (u *User) Mailbox(name string) *Mailbox {
	name = imap.FoldInbox(name)
	i := slices.IndexFunc(u.Mailboxes, func(m *Mailbox) bool { return m.Name == name })
	if i < 0 {
		return nil
	}
	return u.Mailboxes[i]
}

// settle assigns UIDs to new messages, and updates the numbers of their mailboxes.
func (d *Data) settle() {
	for _, user := range d.Users {
		for _, m := range user.Mailboxes {
			m.UIDValidity = max(m.UIDValidity, 1)
			m.UIDNext = max(m.UIDNext, 1)
			m.HighestModSeq = max(m.HighestModSeq, 1)
			for i := range m.Messages {
				if m.Messages[i].UID != 0 {
					m.UIDNext = max(m.UIDNext, m.Messages[i].UID+1)
					continue
				}
				m.Messages[i].UID = m.UIDNext
				m.UIDNext++
				m.HighestModSeq++
			}
		}
	}
}

// count returns the numbers of messages without \Seen and with \Recent, and the total size in bytes.
func (m *Mailbox) count() (unseen, recent, size int) {
	for i := range m.Messages {
		if !m.Messages[i].Seen {
			unseen++
		}
		if m.Messages[i].Recent {
			recent++
		}
		size += m.Messages[i].Size()
	}
	return unseen, recent, size
}
