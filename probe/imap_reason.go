package probe

import (
	"regexp"
	"slices"

	"imap-exporter/internal/imap"
)

// codes are the response codes that name a reason (RFC 5530, section 3; TRYCREATE is RFC 9051's).
var codes = map[string]Reason{
	"AUTHENTICATIONFAILED": ReasonRejected,
	"AUTHORIZATIONFAILED":  ReasonRejected,
	"EXPIRED":              ReasonRejected,
	"UNAVAILABLE":          ReasonUnavailable,
	"SERVERBUG":            ReasonUnavailable,
	"CONTACTADMIN":         ReasonUnavailable,
	"CORRUPTION":           ReasonUnavailable,
	"TEMPFAIL":             ReasonUnavailable, // not in an RFC, but Yahoo's
	"LIMIT":                ReasonThrottled,
	"INUSE":                ReasonThrottled,
	"THROTTLED":            ReasonThrottled, // not in an RFC, but Gmail's and Yahoo's
	"PRIVACYREQUIRED":      ReasonPlaintextRefused,
	"NOPERM":               ReasonPermission,
	"NONEXISTENT":          ReasonMailboxMissing,
	"TRYCREATE":            ReasonMailboxMissing,
}

// What servers say in place of a code, or beside one that says less. testdata/dialogues has the texts that these come from.
var (
	// saysTokenExpired, in any phase: "AccessTokenExpired" is Exchange Online's word for it.
	saysTokenExpired = regexp.MustCompile(`(?i)(access ?|\b)token ?(has |is )?expired|\bexpired token`)
	// saysFailedLogins: earlier logins had a wrong password, so that the server refuses further ones.
	saysFailedLogins = regexp.MustCompile(`(?i)(too many|maximum|exceeded|repeated|multiple)[^.]*\b(failed|failures?|invalid|bad|wrong|incorrect|unsuccessful)\b[^.]*\b(log|auth|pass|cred|attempt)` +
		`|(too many|maximum|exceeded)[^.]*\b(log[io]n|log-in|auth\w*|password)\b[^.]*\b(attempts?|tries|failures?|errors?)\b`)
	// saysLocked: somebody must unlock or enable the account.
	saysLocked = regexp.MustCompile(`(?i)\b(account|user|log[io]n|access)\b[^.]*\b(locked|blocked|suspended|disabled|deactivated|banned)\b` +
		`|\b(locked|blocked|suspended|disabled|deactivated|banned)\b[^.]*\b(account|user)\b` +
		`|\b(account|user|access)\b[^.]*\bnot (yet )?(enabled|activated|active)\b|\bimap\b[^.]*\bnot (yet )?(enabled|activated) for\b`)
	// saysWrongCredentials, or that they are too old, whatever other causes the text names.
	saysWrongCredentials = regexp.MustCompile(`(?i)(incorrect|invalid|wrong|bad|unknown) (user ?name|user|log[io]n|password|credentials?)\b` +
		`|\b(password|credentials?|user ?name) (is|are|was) (incorrect|invalid|wrong)|no such user|unknown user|user (not found|unknown)|login incorrect` +
		`|\bpassword\b[^.]*\b(expired|age)\b`)
	// saysLoginFailed is less: a BYE that says no more than this is a refusal.
	saysLoginFailed = regexp.MustCompile(`(?i)\b(log[io]n|authentication) (has )?fail(ed|ure)`)
	// saysTooMuch: connections, logins, commands or bytes.
	saysTooMuch = regexp.MustCompile(`(?i)throttl|too many ((simultaneous|concurrent|open|parallel|active|imap|client|login|authentication) )*(connections?|sessions?|requests|commands|logins|users)\b` +
		`|(maximum|limit) (number )?(of |for )?(\d+ )?((simultaneous|concurrent|imap) )*(connections?|sessions?|logins)\b|maximum capacity` +
		`|\b(connection|session|login|rate|bandwidth|request|command)s? (frequency )?limit|(exceeded|reached)[^.]*\b(limits?|rate|capacity)\b` +
		`|\brate (was )?exceeded|\btoo (often|frequent)`)
	// saysStorage: a limit of a mailbox, which is none of those.
	saysStorage = regexp.MustCompile(`(?i)\b(storage|disk|quota|(message|mailbox) size)\b`)
	// saysServerFailed: the server's own failure, or of what it depends on. "Generic failure" is Cyrus without its saslauthd.
	saysServerFailed = regexp.MustCompile(`(?i)\binternal\b[^.]*\b(error|failure)|\b(system|server|serious|storage|i/o|backend) (error|failure)|database (is )?locked` +
		`|operating system|(can't|cannot|could not|couldn't|unable to|failed to) (contact|connect|reach|bind)|timed out|authenticated but not connected` +
		`|out of (memory|resources)|maintenance|invalid format|corrupt|no servers? available` +
		`|(generic|transient) failure|(not|no longer) responding|processing failed|deadline exceeded|connection (refused|reset)( by peer)?\W*$|no route to host`)
	// saysBackend names what the server depends on: its failure, unless the text says that it was asked and refused the user.
	saysBackend = regexp.MustCompile(`(?i)database|\bsql\b|\bldap\b|back-?end`)
	// saysTryLater is less: the server can't, for now.
	saysTryLater = regexp.MustCompile(`(?i)unavailable|not available|try again|try later|retry|temporar|\bbusy\b|overload`)
	// saysNoClearText: no login without TLS.
	saysNoClearText = regexp.MustCompile(`(?i)(plain-?text|clear-?text|clear text)[^.]*(disallowed|not (allowed|permitted|accepted)|disabled)` +
		`|(disallowed|not allowed|not permitted|disabled)[^.]*(plain-?text|clear-?text|clear text|without (ssl|tls))|must issue a starttls` +
		`|\b(ssl|tls|encryption|starttls)([-/ ](ssl|tls|connection|encryption))* (is )?(required|needed)|only available under a layer`)
	// saysNoMechanism: another way to log in is needed.
	saysNoMechanism = regexp.MustCompile(`(?i)unsupported authentication mechanism|\b(mechanism|method) (is )?(not (supported|available|allowed|enabled)|unsupported|too weak)` +
		`|no mechanism available|basic auth\w* (is |has been )?(disabled|blocked|not (allowed|supported|enabled))`)
	saysNoAccess  = regexp.MustCompile(`(?i)(permission|access) denied`)
	saysNoMailbox = regexp.MustCompile(`(?i)does not exist|doesn't exist|no such mailbox|unknown mailbox|nonexistent|unable to open this mailbox`)
	saysNotFound  = regexp.MustCompile(`(?i)not (be )?found|no such file or directory`)
)

// textRules are tried in order where a NO or BAD has no code that names a reason.
var textRules = []struct {
	reason Reason
	phases []Phase // nil: any
	text   *regexp.Regexp
}{
	{ReasonPermission, []Phase{PhaseSelect, PhaseStatus}, saysNoAccess},
	{ReasonMailboxMissing, []Phase{PhaseSelect, PhaseStatus}, saysNoMailbox},
	{ReasonUnavailable, nil, saysServerFailed},
	{ReasonRejected, []Phase{PhaseAuth}, saysWrongCredentials},
	{ReasonUnavailable, nil, saysBackend},
	{ReasonUnavailable, nil, saysTryLater},
	{ReasonMailboxMissing, []Phase{PhaseSelect, PhaseStatus}, saysNotFound},
}

// statusReason is the reason for an answer other than OK. certain is false where neither code nor text names one, so that
// only the command decides. A text that names who must act comes before BYE and the codes of an outage, which many servers
// send with it; other codes come before all texts.
func statusReason(phase Phase, e *imap.StatusError) (r Reason, certain bool) {
	code := codes[e.Code]
	outage := code == "" || code == ReasonUnavailable
	login := phase == PhaseAuth
	switch {
	case saysTokenExpired.MatchString(e.Text):
		return ReasonToken, true
	case e.Code == "INUSE" && !login && phase != PhaseGreeting:
		return ReasonUnavailable, true // a lock of the mailbox
	case !outage && code != ReasonThrottled:
		return code, true
	case login && code == "" && saysNoClearText.MatchString(e.Text):
		return ReasonPlaintextRefused, true
	case login && code == "" && saysNoMechanism.MatchString(e.Text):
		return ReasonMechanism, true
	case login && refusesAccount(e.Text) && (outage || saysFailedLogins.MatchString(e.Text)):
		return ReasonRejected, true
	case saysTooMuch.MatchString(e.Text) && !saysStorage.MatchString(e.Text) && (!login || !saysWrongCredentials.MatchString(e.Text)):
		return ReasonThrottled, true
	case phase == PhaseGreeting && saysFailedLogins.MatchString(e.Text):
		return ReasonThrottled, true // It refuses our address; no login was sent yet.
	case code != "":
		return code, true
	case e.Code == "OVERQUOTA" && login:
		return ReasonThrottled, true // of logins; elsewhere it is about a mailbox
	case login && e.Status == imap.BYE && refusesLogin(e.Text):
		return ReasonRejected, true
	case e.Status == imap.BYE:
		return ReasonBye, false
	}
	for _, rule := range textRules {
		if (rule.phases == nil || slices.Contains(rule.phases, phase)) && rule.text.MatchString(e.Text) {
			return rule.reason, true
		}
	}
	switch {
	case phase == PhaseGreeting:
		return ReasonProtocol, false
	case phase == PhaseStartTLS:
		return ReasonStartTLSRefused, false
	case login && e.Status == imap.NO:
		return ReasonRejected, false
	}
	return ReasonCommandRejected, false
}

// refusesAccount reports whether text says that logins to the account, or from our address, are refused for now, because of
// wrong passwords or by somebody's decision, and not by a failure of the server ("the user database is locked").
func refusesAccount(text string) bool {
	return (saysFailedLogins.MatchString(text) || saysLocked.MatchString(text)) && !saysServerFailed.MatchString(text)
}

// refusesLogin reports whether text, of a BYE to the login, says that the login was refused, and not that the server failed.
func refusesLogin(text string) bool {
	failed := saysServerFailed.MatchString(text)
	return !failed && saysWrongCredentials.MatchString(text) ||
		!failed && saysLoginFailed.MatchString(text) && !saysBackend.MatchString(text) && !saysTryLater.MatchString(text)
}
