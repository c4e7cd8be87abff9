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

// maxCapabilities bounds what a server may announce. Known servers stay below 60.
const maxCapabilities = 300

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
	reply, err := s.conn.Do("CAPABILITY")
	if err != nil {
		return err
	}
	capabilities := map[string]bool{}
	for _, r := range reply.Untagged {
		if r.Name != "CAPABILITY" {
			continue
		}
		names, ok := r.Atoms()
		if !ok {
			return fmt.Errorf("%w: a capability that is no atom", imap.ErrProtocol)
		}
		for _, name := range names {
			capabilities[strings.ToUpper(name)] = true
		}
		if len(capabilities) > maxCapabilities {
			return fmt.Errorf("%w: more than %d capabilities", wire.ErrTooLarge, maxCapabilities)
		}
	}
	if len(capabilities) == 0 {
		return fmt.Errorf("%w: CAPABILITY without capabilities", imap.ErrProtocol)
	}
	s.capabilities = capabilities
	s.Result.Capabilities = append(s.Result.Capabilities, Capabilities{stage, s.shownCapabilities(reply.Untagged)})
	return nil
}

// shownCapabilities returns the capabilities as they may be shown: sorted, printable, and free of secrets.
func (s *imapSession) shownCapabilities(untagged []*imap.Response) []string {
	var names []string
	for _, r := range untagged {
		atoms, _ := r.Atoms()
		for _, name := range atoms {
			if r.Name == "CAPABILITY" {
				names = append(names, text.Printable(strings.ToUpper(s.Conn.Redact(name)), wire.MaxText))
			}
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// id tells the server who we are (RFC 2971), if it offers ID.
func (s *imapSession) id(context.Context) error {
	if !s.Target.SendID || !s.capabilities["ID"] {
		return nil
	}
	_, err := s.conn.Do(`ID ("name" "imap-exporter")`)
	return err
}
