package probe

import (
	"slices"
	"strings"

	"imap-exporter/internal/imap"
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
	"THROTTLED":            ReasonThrottled, // no RFC's, but Gmail's and Yahoo's
	"PRIVACYREQUIRED":      ReasonPlaintextRefused,
	"NOPERM":               ReasonPermission,
	"NONEXISTENT":          ReasonMailboxMissing,
	"TRYCREATE":            ReasonMailboxMissing,
}

// texts are what well-known servers say instead of a code, in lower case. They are tried last; the first match counts.
var texts = []struct {
	reason Reason
	phases []Phase // nil: in any
	words  []string
}{
	{ReasonThrottled, nil, []string{
		"request is throttled", "too many simultaneous connections", "too many connections", "maximum number of connections",
		"rate limit", "bandwidth limit",
	}},
	{ReasonPlaintextRefused, []Phase{PhaseAuth}, []string{"plaintext authentication disallowed", "plaintext authentication not allowed"}},
	{ReasonMechanism, []Phase{PhaseAuth}, []string{"unsupported authentication mechanism"}},
	{ReasonUnavailable, nil, []string{
		"authenticated but not connected", "unavailable", "try again later", "temporary problem", "temporary authentication failure",
		"temporary failure", "internal authentication failure", "internal login failure", "internal error", "i/o error",
	}},
	{ReasonPermission, []Phase{PhaseSelect, PhaseStatus}, []string{"permission denied", "access denied"}},
	{ReasonMailboxMissing, []Phase{PhaseSelect, PhaseStatus}, []string{
		"does not exist", "doesn't exist", "no such mailbox", "unknown mailbox", "nonexistent", "unable to open this mailbox",
	}},
	{ReasonMailboxMissing, []Phase{PhaseSelect}, []string{"not found"}},
}

// statusReason is the reason for an answer other than OK: the code decides, then BYE, then a vendor's text, then the phase.
func statusReason(phase Phase, e *imap.StatusError) Reason {
	switch r, known := codes[e.Code]; {
	case known:
		return r
	case e.Code == "OVERQUOTA" && phase == PhaseAuth:
		return ReasonThrottled // of logins; elsewhere it is about a mailbox
	case e.Status == imap.BYE:
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
	case phase == PhaseAuth && e.Status == imap.NO:
		return ReasonRejected
	}
	return ReasonCommandRejected
}
