package probe

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"

	"imap-exporter/internal/imap"
)

// isPattern reports whether name has a LIST wildcard.
func isPattern(name string) bool { return strings.ContainsAny(name, "*%") }

// A statusQuery is a mailbox whose counts are to be read.
type statusQuery struct {
	name    string
	label   string // of the metrics
	encoded string // as it is sent: the name of a mailbox that was listed just as the server wrote it
	matched bool   // by a pattern, so that a refusal is no failure
}

// list asks for the mailboxes that match the patterns (RFC 9051, section 6.3.9). It does not use
// go-imap's client, so that a name in an encoding that can't be read costs that mailbox alone.
func (s *imapSession) list(context.Context) error {
	truncated := false
	for _, name := range s.Target.Mailboxes {
		if !isPattern(name) {
			name = imap.FoldInbox(name)
			truncated = !s.addMailbox(statusQuery{name: name, encoded: imap.EncodeMailbox(name)}) || truncated
			continue
		}
		s.Result.MailboxesTruncated, s.Result.MailboxesUnreadable = &truncated, &s.unreadable
		err := s.conn.Do(`LIST "" `+imap.EncodeMailbox(name), func(r *imap.Response) {
			if found, ok := s.readList(r); ok && !s.addMailbox(found) {
				truncated = true
			}
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// addMailbox adds q once; it reports false when there are too many already.
func (s *imapSession) addMailbox(q statusQuery) bool {
	q.label = s.LabelValue(q.name)
	for _, other := range s.queries {
		if other.name == q.name {
			return true
		}
		if other.label == q.label {
			s.skipMailbox("list: a mailbox was left out: another one has the label %q too", q.label)
			return true
		}
	}
	if len(s.queries) == MaxMailboxes {
		return false
	}
	s.queries = append(s.queries, q)
	return true
}

// skipMailbox counts a mailbox that will have no counts, and notes why.
func (s *imapSession) skipMailbox(format string, args ...any) {
	s.unreadable++
	s.Notef(format, args...)
}

// readList reads the mailbox in a LIST response. ok is false if it can't be selected, or its name can't be read.
func (s *imapSession) readList(r *imap.Response) (q statusQuery, ok bool) {
	if r.Name != "LIST" {
		return statusQuery{}, false
	}
	listing, ok := r.Listing()
	if !ok {
		s.skipMailbox("list: a mailbox was left out: its LIST response can't be read")
		return statusQuery{}, false
	}
	if slices.Contains(listing.Attributes, `\noselect`) || slices.Contains(listing.Attributes, `\nonexistent`) {
		return statusQuery{}, false
	}
	encoded := listing.Name
	name, ok := imap.DecodeMailbox(encoded)
	if !ok || strings.ContainsAny(encoded, "\r\n\x00") {
		s.skipMailbox("list: a mailbox was left out: its name %q can't be read", encoded)
		return statusQuery{}, false
	}
	if name = imap.FoldInbox(name); name == imap.Inbox {
		return statusQuery{name: name, encoded: name, matched: true}, true
	}
	return statusQuery{name: name, encoded: imap.Quote(encoded), matched: true}, true
}

// status reads the counts of the mailboxes (RFC 9051, section 6.3.11). It does not use go-imap's client,
// which can't ask for RECENT, and gives up the connection on numbers that some servers send.
func (s *imapSession) status(context.Context) error {
	items := s.statusItems()
	for _, q := range s.queries {
		m, err := s.askStatus(q, items)
		isSelected := s.selected != nil && q.name == imap.FoldInbox(s.Target.Select)
		switch {
		case err != nil && s.conn.Err() == nil && isSelected && s.open:
			// Servers may refuse STATUS of the selected mailbox (RFC 9051, section 6.3.11). What SELECT told stands.
			s.Notef("status: %q, which is selected: %v", q.name, err)
			m = &Mailbox{Name: q.label}
		case err != nil && (s.conn.Err() != nil || !q.matched):
			return err
		case err != nil:
			s.skipMailbox("status: %q: %v", q.name, err)
			continue
		}
		if isSelected {
			m.merge(s.selected)
			s.selected = nil
		}
		s.Result.Mailboxes = append(s.Result.Mailboxes, *m)
	}
	s.addSelected()
	return nil
}

// basicItems are known to every server (RFC 3501).
var basicItems = []string{"MESSAGES", "UNSEEN", "UIDNEXT", "UIDVALIDITY"}

func (s *imapSession) statusItems() []string {
	items := slices.Clone(basicItems)
	if s.Target.ReadOnly && s.capabilities["IMAP4REV1"] {
		items = append(items, "RECENT")
	}
	if s.capabilities["STATUS=SIZE"] || s.capabilities["IMAP4REV2"] {
		items = append(items, "SIZE")
	}
	if s.capabilities["CONDSTORE"] || s.capabilities["QRESYNC"] {
		items = append(items, "HIGHESTMODSEQ")
	}
	return items
}

func (s *imapSession) askStatus(q statusQuery, items []string) (*Mailbox, error) {
	var m *Mailbox
	ask := func(items []string) error {
		m = nil
		return s.conn.Do(q.command(items), func(r *imap.Response) {
			if m == nil {
				m, _ = q.read(r)
			}
		})
	}
	err := ask(items)
	var refused *imap.StatusError
	if errors.As(err, &refused) && refused.Status == imap.BAD && len(items) > len(basicItems) {
		// The server announces an item that it doesn't know: ask for the others alone.
		err = ask(basicItems)
	}
	if err == nil && m == nil {
		err = fmt.Errorf("%w: STATUS was answered with OK, but without the counts", imap.ErrProtocol)
	}
	return m, err
}

func (q statusQuery) command(items []string) string {
	return fmt.Sprintf("STATUS %s (%s)", q.encoded, strings.Join(items, " "))
}

// read reads a STATUS response if it is about the mailbox of the query. What isn't a number is left out.
func (q statusQuery) read(r *imap.Response) (m *Mailbox, ok bool) {
	if r.Name != "STATUS" {
		return nil, false
	}
	mailbox, pairs, ok := r.NamedList()
	if !ok || len(pairs) == 0 {
		return nil, false
	}
	// Some servers answer with the name in the case that they store.
	if about, valid := imap.DecodeMailbox(mailbox); !valid || !strings.EqualFold(about, q.name) {
		return nil, false
	}
	m = &Mailbox{Name: q.label}
	for ; len(pairs) >= 2; pairs = pairs[2:] {
		if n, valid := pairs[1].Uint(63); valid {
			m.set(strings.ToUpper(pairs[0].Text), n)
		}
	}
	return m, true
}

// set sets a STATUS item, the first one if it is there twice. 0 is no value of UIDNEXT and UIDVALIDITY; as HIGHESTMODSEQ
// it says that the mailbox has none (RFC 7162, section 3.1.2.2).
func (m *Mailbox) set(item string, n uint64) {
	switch {
	case item == "MESSAGES":
		set32(&m.Messages, n)
	case item == "UNSEEN":
		set32(&m.Unseen, n)
	case item == "RECENT":
		set32(&m.Recent, n)
	case item == "UIDNEXT" && n > 0:
		set32(&m.UIDNext, n)
	case item == "UIDVALIDITY" && n > 0:
		set32(&m.UIDValidity, n)
	case item == "SIZE":
		m.SizeBytes = cmp.Or(m.SizeBytes, &n)
	case item == "HIGHESTMODSEQ" && n > 0:
		m.HighestModSeq = cmp.Or(m.HighestModSeq, &n)
	}
}

// set32 sets field, unless it is set already, to n if n has 32 bits.
func set32(field **uint32, n uint64) {
	if *field == nil && n <= math.MaxUint32 {
		*field = new(uint32(n))
	}
}

// merge adds to the counts of STATUS what SELECT and FETCH told of the same mailbox. What STATUS told is newer, and stays.
func (m *Mailbox) merge(selected *Mailbox) {
	m.Newest, m.Oldest = selected.Newest, selected.Oldest
	m.Messages = cmp.Or(m.Messages, selected.Messages)
	m.UIDNext = cmp.Or(m.UIDNext, selected.UIDNext)
	m.UIDValidity = cmp.Or(m.UIDValidity, selected.UIDValidity)
}

// addSelected adds the selected mailbox, unless it is among those that were asked for.
func (s *imapSession) addSelected() {
	switch {
	case s.selected == nil:
	case slices.ContainsFunc(s.Result.Mailboxes, func(m Mailbox) bool { return m.Name == s.selected.Name }):
		s.skipMailbox("select: the mailbox was left out: another one has the label %q too", s.selected.Name)
	default:
		s.Result.Mailboxes = append(s.Result.Mailboxes, *s.selected)
	}
}
