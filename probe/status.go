package probe

import (
	"cmp"
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
	wire    string // as it is sent: one that was listed just as the server wrote it
	matched bool   // by a pattern, so that a refusal is no failure
}

// list asks for the mailboxes that match the patterns (RFC 9051, section 6.3.9). It is spoken by hand so that one
// name in an encoding that nobody can read costs that mailbox alone.
func (s *session) list(context.Context) error {
	truncated := false
	for _, name := range s.t.Mailboxes {
		if !isPattern(name) {
			truncated = !s.want(wanted{name: name, wire: wire.Mailbox(name)}) || truncated
			continue
		}
		s.result.MailboxesTruncated = &truncated
		reply, err := s.gate.Do(`LIST "" ` + wire.Mailbox(name))
		if err != nil {
			return err
		}
		for _, r := range reply.Untagged {
			if found, ok := s.listed(r); ok && !s.want(found) {
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

// listed is the mailbox in a LIST response, unless it is no mailbox or its name can't be read.
func (s *session) listed(r *wire.Response) (found wanted, ok bool) {
	if r.Name != "LIST" {
		return wanted{}, false
	}
	values, err := r.Values()
	if err != nil || len(values) < 3 || !values[0].IsList() {
		s.note("list: a mailbox was left out: its LIST response can't be read")
		return wanted{}, false
	}
	for _, attribute := range values[0].List {
		if a := strings.ToLower(attribute.Text); a == `\noselect` || a == `\nonexistent` {
			return wanted{}, false
		}
	}
	encoded := values[2].Text
	name, ok := wire.DecodeMailbox(encoded)
	if !ok || strings.ContainsAny(encoded, "\r\n\x00") {
		s.note("list: a mailbox was left out: its name %q can't be read", encoded)
		return wanted{}, false
	}
	if strings.EqualFold(name, "INBOX") {
		return wanted{name: "INBOX", wire: "INBOX", matched: true}, true
	}
	return wanted{name: name, wire: wire.Quote(encoded), matched: true}, true
}

// status reads the counts of the wanted mailboxes (RFC 9051, section 6.3.11). It is spoken by hand: go-imap's client
// can't ask for RECENT, and gives up the connection on numbers that some servers send.
func (s *session) status(context.Context) error {
	items := s.statusItems()
	for _, w := range s.wanted {
		m, err := s.statusOf(w, items)
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

func (s *session) statusOf(w wanted, items []string) (*Mailbox, error) {
	reply, err := s.gate.Do(w.statusCommand(items))
	var refused *wire.StatusError
	if errors.As(err, &refused) && refused.Status == wire.BAD && len(items) > len(basicItems) {
		// An item that the server announces, but doesn't know after all, costs the others too.
		reply, err = s.gate.Do(w.statusCommand(basicItems))
	}
	if err != nil {
		return nil, err
	}
	for _, r := range reply.Untagged {
		if m, ok := s.readStatus(r, w.name); ok {
			return m, nil
		}
	}
	return nil, fmt.Errorf("%w: STATUS was answered with OK, but without the counts", wire.ErrProtocol)
}

func (w wanted) statusCommand(items []string) string {
	return fmt.Sprintf("STATUS %s (%s)", w.wire, strings.Join(items, " "))
}

// readStatus reads a STATUS response if it is about the mailbox called name. What isn't a number is left out.
func (s *session) readStatus(r *wire.Response, name string) (m *Mailbox, ok bool) {
	if r.Name != "STATUS" {
		return nil, false
	}
	values, err := r.Values()
	if err != nil || len(values) < 2 || len(values[1].List) == 0 {
		return nil, false
	}
	// Some servers answer with the case that they keep. None was asked about two names that differ in nothing else.
	if about, valid := wire.DecodeMailbox(values[0].Text); !valid || !strings.EqualFold(about, name) {
		return nil, false
	}
	m = &Mailbox{Name: s.label(name)}
	for pairs := values[1].List; len(pairs) >= 2; pairs = pairs[2:] {
		if n, valid := pairs[1].Uint(63); valid {
			m.set(strings.ToUpper(pairs[0].Text), n)
		}
	}
	return m, true
}

// set notes a STATUS item, the first one if it is there twice. 0 is no value of UIDNEXT and UIDVALIDITY, and of
// HIGHESTMODSEQ it says that the mailbox keeps none (RFC 7162, section 3.1.2.2).
func (m *Mailbox) set(item string, n uint64) {
	switch {
	case item == "MESSAGES":
		small(&m.Messages, n)
	case item == "UNSEEN":
		small(&m.Unseen, n)
	case item == "RECENT":
		small(&m.Recent, n)
	case item == "UIDNEXT" && n > 0:
		small(&m.UIDNext, n)
	case item == "UIDVALIDITY" && n > 0:
		small(&m.UIDValidity, n)
	case item == "SIZE":
		m.SizeBytes = cmp.Or(m.SizeBytes, &n)
	case item == "HIGHESTMODSEQ" && n > 0:
		m.HighestModSeq = cmp.Or(m.HighestModSeq, &n)
	}
}

// small sets field, unless it is set, to a number that must have 32 bits.
func small(field **uint32, n uint64) {
	if *field == nil && n <= math.MaxUint32 {
		*field = new(uint32(n))
	}
}

// mergeSelected joins what SELECT and FETCH told of the selected mailbox to its counts. STATUS came later, and wins.
func (s *session) mergeSelected() {
	if s.mailbox == nil {
		return
	}
	for i := range s.result.Mailboxes {
		if m := &s.result.Mailboxes[i]; m.Name == s.mailbox.Name {
			m.Newest, m.Oldest = s.mailbox.Newest, s.mailbox.Oldest
			m.Messages = cmp.Or(m.Messages, s.mailbox.Messages)
			m.UIDNext = cmp.Or(m.UIDNext, s.mailbox.UIDNext)
			m.UIDValidity = cmp.Or(m.UIDValidity, s.mailbox.UIDValidity)
			return
		}
	}
	s.result.Mailboxes = append(s.result.Mailboxes, *s.mailbox)
}
