package probe

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"imap-exporter/internal/imap"
	"imap-exporter/internal/text"
	"imap-exporter/internal/wire"
)

// What a server may announce at one stage: names, those that are repeated included, and bytes of them. Known servers stay below
// 60 names and 2 KiB.
const (
	maxCapabilities     = 300
	maxCapabilityLength = 16 << 10
)

// capabilityBeforeTLS only asks whether STARTTLS is offered: nothing that was said in clear text is used after it.
func (s *imapSession) capabilityBeforeTLS(context.Context) error {
	if s.Target.TLSMode != TLSStartTLS {
		return nil
	}
	return s.askCapability(StageBeforeTLS)
}

func (s *imapSession) capabilityBeforeAuth(context.Context) error {
	if s.preauth {
		return nil
	}
	return s.askCapability(StageBeforeAuth)
}

func (s *imapSession) capabilityAfterAuth(context.Context) error {
	return s.askCapability(StageAfterAuth)
}

// askCapability asks for the capabilities (RFC 9051, section 6.1.1), also of servers that announce them in the greeting or
// in an OK: what these announce differs, and would leave nothing to measure.
func (s *imapSession) askCapability(stage Stage) error {
	var names []string
	var length int
	var invalid error
	err := s.conn.Do("CAPABILITY", func(r *imap.Response) {
		if r.Name != "CAPABILITY" || invalid != nil {
			return
		}
		atoms, ok := r.Atoms()
		for _, name := range atoms {
			length += len(name)
		}
		switch {
		case !ok:
			invalid = fmt.Errorf("%w: a capability that is no atom", imap.ErrProtocol)
		case len(names)+len(atoms) > maxCapabilities:
			invalid = fmt.Errorf("%w: more than %d capabilities", wire.ErrTooLarge, maxCapabilities)
		case length > maxCapabilityLength:
			invalid = fmt.Errorf("%w: capabilities of more than %d bytes", wire.ErrTooLarge, maxCapabilityLength)
		default:
			for _, name := range atoms {
				names = append(names, strings.Clone(name)) // It is part of a line.
			}
		}
	})
	switch {
	case err != nil:
		return err
	case invalid != nil:
		return invalid
	case len(names) == 0:
		return fmt.Errorf("%w: CAPABILITY without capabilities", imap.ErrProtocol)
	}
	s.capabilities = make(map[string]bool, len(names))
	shown := make([]string, len(names))
	for i, name := range names {
		s.capabilities[strings.ToUpper(name)] = true
		shown[i] = text.Printable(strings.ToUpper(s.Conn.Redact(name)), wire.MaxText)
	}
	slices.Sort(shown)
	s.Result.Capabilities = append(s.Result.Capabilities, Capabilities{stage, slices.Compact(shown)})
	return nil
}

// id tells the server who we are (RFC 2971), if it offers ID.
func (s *imapSession) id(context.Context) error {
	if !s.Target.SendID || !s.capabilities["ID"] {
		return nil
	}
	return s.conn.Do(`ID ("name" "imap-exporter")`, nil)
}
