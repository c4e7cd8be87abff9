package probe

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"imap-exporter/internal/text"
	"imap-exporter/internal/wire"
)

// maxCapabilities bounds what a server may announce. Known servers stay below 60.
const maxCapabilities = 300

// capabilityBeforeTLS asks only whether STARTTLS is offered; nothing that was said in clear text is used after it.
func (s *session) capabilityBeforeTLS(context.Context) error {
	if s.t.TLSMode != TLSStartTLS {
		return nil
	}
	return s.capability(StageBeforeTLS)
}

func (s *session) capabilityBeforeAuth(context.Context) error {
	if s.preauth {
		return nil
	}
	return s.capability(StageBeforeAuth)
}

func (s *session) capabilityAfterAuth(context.Context) error {
	return s.capability(StageAfterAuth)
}

// capability asks for the capabilities (RFC 9051, section 6.1.1). It always asks: what a greeting or an OK announces
// along the way differs between servers, and would leave nothing to measure.
func (s *session) capability(stage Stage) error {
	reply, err := s.gate.Do("CAPABILITY")
	if err != nil {
		return err
	}
	caps := map[string]bool{}
	for _, r := range reply.Untagged {
		if r.Name != "CAPABILITY" {
			continue
		}
		names, ok := r.Atoms()
		if !ok {
			return fmt.Errorf("%w: a capability that is no atom", wire.ErrProtocol)
		}
		for _, name := range names {
			caps[strings.ToUpper(name)] = true
		}
		if len(caps) > maxCapabilities {
			return fmt.Errorf("%w: more than %d capabilities", wire.ErrTooLarge, maxCapabilities)
		}
	}
	if len(caps) == 0 {
		return fmt.Errorf("%w: CAPABILITY without capabilities", wire.ErrProtocol)
	}
	s.caps = caps
	s.result.Capabilities = append(s.result.Capabilities, Capabilities{stage, s.shown(reply.Untagged)})
	return nil
}

// shown returns the capabilities as they may be shown: printable, and free of secrets, which one of them may resemble by chance.
func (s *session) shown(untagged []*wire.Response) []string {
	var names []string
	for _, r := range untagged {
		atoms, _ := r.Atoms()
		for _, name := range atoms {
			if r.Name == "CAPABILITY" {
				names = append(names, text.Printable(strings.ToUpper(s.gate.Redact(name)), wire.MaxText))
			}
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// id tells the server who we are (RFC 2971), where it knows ID at all.
func (s *session) id(context.Context) error {
	if !s.t.SendID || !s.caps["ID"] {
		return nil
	}
	_, err := s.gate.Do(`ID ("name" "imap-exporter")`)
	return err
}
