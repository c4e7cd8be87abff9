package probe

import (
	"context"
	"errors"
	"strings"
	"time"

	goimap "github.com/emersion/go-imap/v2"
	"github.com/emersion/go-imap/v2/imapclient"

	"imap-exporter/internal/imap"
)

// selectMailbox opens the mailbox in which FETCH is measured, by EXAMINE if nothing may change.
func (s *imapSession) selectMailbox(context.Context) error {
	if s.Target.Select == "" {
		return nil
	}
	client := s.goimap()
	data, err := client.Select(s.Target.Select, &goimap.SelectOptions{ReadOnly: s.Target.ReadOnly}).Wait()
	if err != nil {
		return s.cause(err)
	}
	s.open = true
	s.selected = &Mailbox{
		Name:        s.LabelValue(s.Target.Select),
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
func (s *imapSession) fetch(context.Context) error {
	if s.selected == nil || *s.selected.Messages == 0 {
		return nil
	}
	newest := *s.selected.Messages
	options := &goimap.FetchOptions{InternalDate: true, BodySection: s.section()}
	message, err := s.fetchMessage(newest, options)
	if err != nil {
		return err
	}
	s.selected.Newest = date(message)
	if message != nil && len(message.BodySection) > 0 {
		s.Result.Fetched = &Fetched{Mailbox: s.selected.Name, Bytes: int64(len(message.BodySection[0].Bytes))}
	}
	if newest > 1 {
		message, err = s.fetchMessage(1, &goimap.FetchOptions{InternalDate: true})
		if err != nil {
			return err
		}
	}
	s.selected.Oldest = date(message)
	return nil
}

// section is what to fetch of a body; PEEK leaves \Seen alone.
func (s *imapSession) section() []*goimap.FetchItemBodySection {
	specifiers := map[FetchSection]goimap.PartSpecifier{
		FetchHeader: goimap.PartSpecifierHeader,
		FetchText:   goimap.PartSpecifierText,
		FetchFull:   goimap.PartSpecifierNone,
	}
	specifier, ok := specifiers[s.Target.Fetch]
	if !ok {
		return nil
	}
	return []*goimap.FetchItemBodySection{{
		Specifier: specifier, Peek: true, Partial: &goimap.SectionPartial{Size: s.Target.FetchBytes},
	}}
}

// fetchMessage fetches one message by its number. It returns nil if the server sends nothing about it.
func (s *imapSession) fetchMessage(number uint32, options *goimap.FetchOptions) (*imapclient.FetchMessageBuffer, error) {
	client := s.goimap()
	messages, err := client.Fetch(goimap.SeqSetNum(number), options).Collect()
	if err := s.cause(err); isExpunged(err) {
		s.Notef("fetch: message %d: %v", number, err)
		return nil, nil
	} else if err != nil {
		return nil, err
	}
	for _, m := range messages {
		if m.SeqNum == number {
			return m, nil
		}
	}
	return nil, nil
}

// isExpunged reports whether a server refused FETCH because another client has expunged the message (RFC 2180, section 4.1;
// RFC 5530, section 3). The mailbox's counts still stand.
func isExpunged(err error) bool {
	refused, ok := errors.AsType[*imap.StatusError](err)
	return ok && refused.Status == imap.NO &&
		(refused.Code == "EXPUNGEISSUED" || strings.Contains(strings.ToLower(refused.Text), "no longer exist"))
}

func date(m *imapclient.FetchMessageBuffer) *time.Time {
	if m == nil || m.InternalDate.IsZero() {
		return nil
	}
	return &m.InternalDate
}

// unselect closes the mailbox, so that STATUS asks about one that isn't selected (RFC 9051, section 6.3.11).
func (s *imapSession) unselect(context.Context) error {
	if s.selected == nil || !s.capabilities["UNSELECT"] && !s.capabilities["IMAP4REV2"] {
		return nil
	}
	client := s.goimap()
	err := s.cause(client.Unselect().Wait())
	s.open = err != nil
	return err
}
