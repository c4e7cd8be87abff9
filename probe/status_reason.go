package probe

import (
	"slices"
	"strings"

	"imap-exporter/internal/wire"
)

// codes are the response codes that decide (RFC 5530, section 3; TRYCREATE is RFC 9051's).
var codes = map[string]Reason{
	"AUTHENTICATIONFAILED": ReasonRejected,
	"AUTHORIZATIONFAILED":  ReasonRejected,
	"EXPIRED":              ReasonRejected,
	"UNAVAILABLE":          ReasonUnavailable,
	"SERVERBUG":            ReasonUnavailable,
	"CONTACTADMIN":         ReasonUnavailable,
	"LIMIT":                ReasonThrottled,
	"INUSE":                ReasonThrottled,
	"PRIVACYREQUIRED":      ReasonPlaintextRefused,
	"NOPERM":               ReasonPermission,
	"NONEXISTENT":          ReasonMailboxMissing,
	"TRYCREATE":            ReasonMailboxMissing,
}

// texts are what well-known servers say in place of a code. They are asked last.
var texts = []struct {
	reason Reason
	phases []Phase // nil: in any
	words  []string
}{
	{ReasonThrottled, nil, []string{
		"request is throttled", "too many simultaneous connections", "too many connections",
		"maximum number of connections", "too many login", "rate limit",
	}},
	{ReasonUnavailable, nil, []string{"authenticated but not connected"}},
	{ReasonUnavailable, []Phase{PhaseAuth}, []string{"temporary", "try again later", "temporarily"}},
	{ReasonMailboxMissing, []Phase{PhaseSelect, PhaseStatus}, []string{
		"does not exist", "doesn't exist", "no such mailbox", "unknown mailbox", "nonexistent", "not found", "unable to open",
	}},
}

// statusReason sorts an answer other than OK: the code decides, then BYE, then a vendor's text, then the phase.
func statusReason(phase Phase, e *wire.StatusError) Reason {
	switch r, known := codes[e.Code]; {
	case known:
		return r
	case e.Code == "OVERQUOTA" && phase == PhaseAuth:
		return ReasonThrottled
	case e.Status == wire.BYE:
		return ReasonBye
	}
	text := strings.ToLower(e.Text)
	for _, t := range texts {
		here := t.phases == nil || slices.Contains(t.phases, phase)
		if here && slices.ContainsFunc(t.words, func(w string) bool { return strings.Contains(text, w) }) {
			return t.reason
		}
	}
	switch {
	case phase == PhaseGreeting:
		return ReasonProtocol
	case phase == PhaseStartTLS:
		return ReasonStartTLSRefused
	case phase == PhaseAuth && e.Status == wire.NO:
		return ReasonRejected
	}
	return ReasonCommandRejected
}
