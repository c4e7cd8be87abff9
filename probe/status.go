package probe

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"

	"imap-exporter/internal/wire"
)

// isPattern reports whether name has a LIST wildcard.
func isPattern(name string) bool { return strings.ContainsAny(name, "*%") }

// A wanted mailbox is one whose counts are to be read.
type wanted struct {
	name    string
	matched bool // by a pattern, so that a refusal is no failure
}

// list asks for the mailboxes that match the patterns (RFC 9051, section 6.3.9). It is spoken by hand so that one
// name in an encoding that nobody can read costs that mailbox alone.
func (s *session) list(context.Context) error {
	truncated := false
	for _, name := range s.t.Mailboxes {
		if !isPattern(name) {
			truncated = !s.want(wanted{name: name}) || truncated
			continue
		}
		s.result.MailboxesTruncated = &truncated
		reply, err := s.gate.Do(`LIST "" ` + wire.Mailbox(name))
		if err != nil {
			return err
		}
		for _, r := range reply.Untagged {
			found, ok := s.listed(r)
			if ok && !s.want(wanted{name: found, matched: true}) {
				truncated = true
			}
		}
	}
	return nil
}

// want adds m once; it reports false when there are too many already.
func (s *session) want(m wanted) bool {
	if slices.ContainsFunc(s.wanted, func(w wanted) bool { return w.name == m.name }) {
		return true
	}
	if len(s.wanted) == MaxMailboxes {
		return false
	}
	s.wanted = append(s.wanted, m)
	return true
}

// listed is the name in a LIST response, unless it is no mailbox or can't be read.
func (s *session) listed(r *wire.Response) (name string, ok bool) {
	if r.Name != "LIST" {
		return "", false
	}
	values, err := r.Values()
	if err != nil || len(values) < 3 || !values[0].IsList() {
		s.note("list: a mailbox was left out: its LIST response can't be read")
		return "", false
	}
	for _, attribute := range values[0].List {
		if a := strings.ToLower(attribute.Text); a == `\noselect` || a == `\nonexistent` {
			return "", false
		}
	}
	if name, ok = wire.DecodeMailbox(values[2].Text); !ok || strings.ContainsAny(name, "\r\n\x00") {
		s.note("list: a mailbox was left out: its name %q can't be read", values[2].Text)
		return "", false
	}
	if strings.EqualFold(name, "INBOX") {
		name = "INBOX"
	}
	return name, true
}

// status reads the counts of the wanted mailboxes (RFC 9051, section 6.3.11). It is spoken by hand: go-imap's client
// can't ask for RECENT, and gives up the connection on numbers that some servers send.
func (s *session) status(context.Context) error {
	items := s.statusItems()
	for _, w := range s.wanted {
		m, err := s.statusOf(w.name, items)
		switch {
		case err != nil && (s.gate.Err() != nil || !w.matched):
			return err
		case err != nil:
			s.note("status: %q: %v", w.name, err)
		default:
			s.result.Mailboxes = append(s.result.Mailboxes, *m)
		}
	}
	s.mergeSelected()
	return nil
}

// basicItems are known to every server (RFC 3501).
var basicItems = []string{"MESSAGES", "UNSEEN", "UIDNEXT", "UIDVALIDITY"}

func (s *session) statusItems() []string {
	items := slices.Clone(basicItems)
	if s.t.ReadOnly && s.caps["IMAP4REV1"] {
		items = append(items, "RECENT")
	}
	if s.caps["STATUS=SIZE"] || s.caps["IMAP4REV2"] {
		items = append(items, "SIZE")
	}
	if s.caps["CONDSTORE"] || s.caps["QRESYNC"] {
		items = append(items, "HIGHESTMODSEQ")
	}
	return items
}

func (s *session) statusOf(name string, items []string) (*Mailbox, error) {
	reply, err := s.gate.Do(statusCommand(name, items))
	var refused *wire.StatusError
	if errors.As(err, &refused) && refused.Status == wire.BAD && len(items) > len(basicItems) {
		// An item that the server announces, but doesn't know after all, costs the others too.
		reply, err = s.gate.Do(statusCommand(name, basicItems))
	}
	if err != nil {
		return nil, err
	}
	for _, r := range reply.Untagged {
		if m := readStatus(r, name); m != nil {
			return m, nil
		}
	}
	return nil, fmt.Errorf("%w: STATUS was answered with OK, but without the counts", wire.ErrProtocol)
}

func statusCommand(name string, items []string) string {
	return fmt.Sprintf("STATUS %s (%s)", wire.Mailbox(name), strings.Join(items, " "))
}

// neverZero are the items of which 0 is no value. HIGHESTMODSEQ 0 says that the mailbox keeps none (RFC 7162, section 3.1.2.2).
var neverZero = map[string]bool{"UIDNEXT": true, "UIDVALIDITY": true, "HIGHESTMODSEQ": true}

// readStatus reads a STATUS response if it is about the mailbox called name. What isn't a number is left out.
func readStatus(r *wire.Response, name string) *Mailbox {
	if r.Name != "STATUS" {
		return nil
	}
	values, err := r.Values()
	if err != nil || len(values) < 2 {
		return nil
	}
	if about, ok := wire.DecodeMailbox(values[0].Text); !ok || wire.Mailbox(about) != wire.Mailbox(name) {
		return nil
	}
	m := &Mailbox{Name: printableName(name)}
	small := map[string]**uint32{
		"MESSAGES": &m.Messages, "UNSEEN": &m.Unseen, "RECENT": &m.Recent, "UIDNEXT": &m.UIDNext, "UIDVALIDITY": &m.UIDValidity,
	}
	large := map[string]**uint64{"SIZE": &m.SizeBytes, "HIGHESTMODSEQ": &m.HighestModSeq}
	for pairs := values[1].List; len(pairs) >= 2; pairs = pairs[2:] {
		item := strings.ToUpper(pairs[0].Text)
		n, ok := pairs[1].Uint(63)
		if !ok || n == 0 && neverZero[item] {
			continue
		}
		if field, known := small[item]; known && *field == nil && n <= math.MaxUint32 {
			*field = new(uint32(n))
		}
		if field, known := large[item]; known && *field == nil {
			*field = &n
		}
	}
	return m
}

// mergeSelected joins what SELECT and FETCH told of the selected mailbox to its counts. STATUS came later, and wins.
func (s *session) mergeSelected() {
	if s.mailbox == nil {
		return
	}
	for i := range s.result.Mailboxes {
		if m := &s.result.Mailboxes[i]; m.Name == s.mailbox.Name {
			m.Newest, m.Oldest = s.mailbox.Newest, s.mailbox.Oldest
			return
		}
	}
	s.result.Mailboxes = append(s.result.Mailboxes, *s.mailbox)
}
