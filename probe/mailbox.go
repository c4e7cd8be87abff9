package probe

import (
	"context"
	"time"

	"github.com/emersion/go-imap/v2"
	"github.com/emersion/go-imap/v2/imapclient"
)

// selectMailbox opens the mailbox whose SELECT and FETCH are timed, by EXAMINE where nothing may change.
func (s *session) selectMailbox(context.Context) error {
	if s.t.Select == "" {
		return nil
	}
	client := s.imap()
	data, err := client.Select(s.t.Select, &imap.SelectOptions{ReadOnly: s.t.ReadOnly}).Wait()
	if err != nil {
		return s.cause(err)
	}
	s.mailbox = &Mailbox{
		Name:        s.label(s.t.Select),
		Messages:    &data.NumMessages,
		UIDNext:     nonZero(uint32(data.UIDNext)),
		UIDValidity: nonZero(data.UIDValidity),
	}
	return nil
}

func nonZero(n uint32) *uint32 {
	if n == 0 {
		return nil
	}
	return &n
}

// fetch reads from the newest message, and the date of the oldest. An empty mailbox has neither.
func (s *session) fetch(context.Context) error {
	if s.mailbox == nil || *s.mailbox.Messages == 0 {
		return nil
	}
	newest := *s.mailbox.Messages
	options := &imap.FetchOptions{InternalDate: true, BodySection: s.section()}
	message, err := s.fetchMessage(newest, options)
	if err != nil {
		return err
	}
	s.mailbox.Newest = date(message)
	if message != nil && len(message.BodySection) > 0 {
		s.result.Fetched = &Fetched{Mailbox: s.mailbox.Name, Bytes: int64(len(message.BodySection[0].Bytes))}
	}
	if newest > 1 {
		message, err = s.fetchMessage(1, &imap.FetchOptions{InternalDate: true})
		if err != nil {
			return err
		}
	}
	s.mailbox.Oldest = date(message)
	return nil
}

// section is what to fetch of a body; PEEK leaves \Seen alone.
func (s *session) section() []*imap.FetchItemBodySection {
	specifiers := map[FetchSection]imap.PartSpecifier{
		FetchHeader: imap.PartSpecifierHeader,
		FetchText:   imap.PartSpecifierText,
		FetchFull:   imap.PartSpecifierNone,
	}
	specifier, ok := specifiers[s.t.Fetch]
	if !ok {
		return nil
	}
	return []*imap.FetchItemBodySection{{
		Specifier: specifier, Peek: true, Partial: &imap.SectionPartial{Size: s.t.FetchBytes},
	}}
}

// fetchMessage fetches one message by its number. It is nil when the server has nothing to say of it.
func (s *session) fetchMessage(number uint32, options *imap.FetchOptions) (*imapclient.FetchMessageBuffer, error) {
	client := s.imap()
	messages, err := client.Fetch(imap.SeqSetNum(number), options).Collect()
	if err := s.cause(err); err != nil {
		return nil, err
	}
	for _, m := range messages {
		if m.SeqNum == number {
			return m, nil
		}
	}
	return nil, nil
}

func date(m *imapclient.FetchMessageBuffer) *time.Time {
	if m == nil || m.InternalDate.IsZero() {
		return nil
	}
	return &m.InternalDate
}

// unselect leaves the mailbox, so that STATUS asks for one that isn't selected (RFC 9051, section 6.3.11).
func (s *session) unselect(context.Context) error {
	if s.mailbox == nil || !s.caps["UNSELECT"] && !s.caps["IMAP4REV2"] {
		return nil
	}
	client := s.imap()
	return s.cause(client.Unselect().Wait())
}
