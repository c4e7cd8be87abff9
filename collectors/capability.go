package collectors

import (
	"cmp"
	"maps"
	"slices"
	"strings"
	"time"

	dto "github.com/prometheus/client_model/go"

	"imap-exporter/probe"
)

// capabilities are what a server announced at one stage of one probe.
type capabilities struct {
	mode  probe.TLSMode
	at    time.Time
	names []string
}

// A capabilityKey is what imap_capability_info has one set of capabilities for.
type capabilityKey struct {
	protocol string
	server   *dto.LabelPair
	mode     probe.TLSMode
	stage    probe.Stage
}

func (k capabilityKey) compare(other capabilityKey) int {
	return cmp.Or(
		strings.Compare(k.server.GetValue(), other.server.GetValue()),
		cmp.Compare(k.mode, other.mode),
		cmp.Compare(k.stage, other.stage),
		strings.Compare(k.protocol, other.protocol),
	)
}

// capabilityInfos are imap_capability_info: what the newest probe of each server that got to each stage was offered there. They
// are never changed.
type capabilityInfos map[capabilityKey]renderedCapabilities

// renderedCapabilities are capabilities and their metrics.
type renderedCapabilities struct {
	capabilities
	rendered rendered
}

// newestCapabilities returns the newest capabilities of accounts whose last Result is not stale. What is the same as before is
// not rendered again.
func newestCapabilities(accounts []*accountMetrics, now time.Time, before capabilityInfos) capabilityInfos {
	newest := make(capabilityInfos, len(before))
	for _, a := range accounts {
		if a.isStale(now) {
			continue
		}
		for stage, c := range a.capabilities {
			key := capabilityKey{a.protocol, a.server, c.mode, stage}
			if best, ok := newest[key]; !ok || c.at.After(best.at) {
				newest[key] = renderedCapabilities{capabilities: c}
			}
		}
	}
	for key, info := range newest {
		if same, ok := before[key]; ok && slices.Equal(same.names, info.names) {
			info.rendered = same.rendered
		} else {
			info.rendered = render(info.samples(key))
		}
		newest[key] = info
	}
	return newest
}

// addTo adds them in the order of /metrics.
func (c capabilityInfos) addTo(f families) {
	for _, key := range slices.SortedFunc(maps.Keys(c), capabilityKey.compare) {
		f.of(key.protocol).add(c[key].rendered)
	}
}

func (c capabilities) samples(key capabilityKey) (out []sample) {
	common := labels{key.server}.with(pair("mode", key.mode), pair("stage", key.stage))
	for _, name := range c.names {
		out = append(out, sample{id: capabilityInfo, value: 1, labels: common.with(pair("capability", capabilityLabel(name)))})
	}
	return out
}

// otherCapability stands for all names that are not known.
const otherCapability = "other"

// capabilityLabel returns the name of a known capability, without its value if that is free text or a number. It returns
// otherCapability for all others, so that no bytes from a server become a label.
func capabilityLabel(name string) string {
	name = strings.ToUpper(name)
	if mechanism, ok := strings.CutPrefix(name, "AUTH="); ok {
		if knownMechanism(mechanism) {
			return name
		}
		return otherCapability
	}
	if registeredCapability(name) || vendorCapability(name) {
		return name
	}
	switch key, _, _ := strings.Cut(name, "="); key {
	case "APPENDLIMIT", "IMAPSIEVE", "MESSAGELIMIT", "RIGHTS", "SAVELIMIT":
		return key
	}
	return otherCapability
}

// registeredCapability reports whether a name is in IANA's registry "IMAP Capabilities".
func registeredCapability(name string) bool {
	switch name {
	case "ACL", "ANNOTATE-EXPERIMENT-1", "BINARY", "CATENATE", "CHILDREN", "COMPRESS=DEFLATE", "CONDSTORE",
		"CONTEXT=SEARCH", "CONTEXT=SORT", "CONVERT", "CREATE-SPECIAL-USE", "ENABLE", "ESEARCH", "ESORT", "FILTERS",
		"I18NLEVEL=1", "I18NLEVEL=2", "ID", "IDLE", "IMAP4", "IMAP4REV1", "IMAP4REV2", "INPROGRESS", "JMAPACCESS",
		"LANGUAGE", "LIST-EXTENDED", "LIST-METADATA", "LIST-MYRIGHTS", "LIST-STATUS", "LITERAL+", "LITERAL-",
		"LOGIN-REFERRALS", "LOGINDISABLED", "MAILBOX-REFERRALS", "METADATA", "METADATA-SERVER", "MOVE", "MULTIAPPEND",
		"MULTISEARCH", "NAMESPACE", "NOTIFY", "OBJECTID", "PARTIAL", "PREVIEW", "QRESYNC", "QUOTA",
		"QUOTA=RES-ANNOTATION-STORAGE", "QUOTA=RES-MAILBOX", "QUOTA=RES-MESSAGE", "QUOTA=RES-STORAGE", "QUOTASET",
		"REPLACE", "SASL-IR", "SAVEDATE", "SEARCH=FUZZY", "SEARCHRES", "SORT", "SORT=DISPLAY", "SPECIAL-USE", "STARTTLS",
		"STATUS=SIZE", "THREAD=ORDEREDSUBJECT", "THREAD=REFERENCES", "UIDBATCHES", "UIDONLY", "UIDPLUS",
		"UNAUTHENTICATE", "UNSELECT", "URL-PARTIAL", "URLAUTH", "URLAUTH=BINARY", "UTF8=ACCEPT", "UTF8=ALL",
		"UTF8=APPEND", "UTF8=ONLY", "UTF8=USER", "WITHIN":
		return true
	}
	return false
}

// vendorCapability reports whether a widespread server announces this unregistered name: Cyrus, Courier, Dovecot, Exchange,
// Gmail, iCloud, Yahoo or Zimbra.
func vendorCapability(name string) bool {
	switch name {
	case "ACL2=UNION", "ANNOTATEMORE", "BACKENDAUTHENTICATE", "CLIENTACCESSRULES", "CLIENTNETWORKPRESENCELOCATION",
		"DIGEST=SHA1", "IMAP2BIS", "LIST-SUBSCRIBED", "LOGIN-REFERRAL", "NO_ATOMIC_RENAME", "PREVIEW=FUZZY", "SCAN",
		"SNIPPET=FUZZY", "SORT=MODSEQ", "SORT=UID", "THREAD=REFS", "X-APPLE-REMOTE-LINKS", "X-CREATEDMODSEQ", "X-GM-EXT-1",
		"X-NETSCAPE", "X-QUOTA=MESSAGE", "X-QUOTA=STORAGE", "X-QUOTA=X-ANNOTATION-STORAGE", "X-QUOTA=X-NUM-FOLDERS",
		"X-REPLICATION", "X-REPLICATION-ARCHIVE", "X-SIEVE-MAILBOX", "XAPPLELITERAL", "XAPPLEPUSHSERVICE",
		"XCONVERSATIONS", "XDOVECOT", "XLIST", "XMAGICTRASH", "XMOVE", "XUSERGROUPS", "XYMHIGHESTMODSEQ", "XYZZY":
		return true
	}
	return false
}

// knownMechanism reports whether a SASL mechanism is in IANA's registry "SASL Mechanisms" and used by mail servers, or a
// vendor's own.
func knownMechanism(name string) bool {
	switch name {
	case "ANONYMOUS", "CRAM-MD5", "DIGEST-MD5", "EXTERNAL", "GS2-KRB5", "GS2-KRB5-PLUS", "GSS-SPNEGO", "GSSAPI",
		"KERBEROS_V4", "LOGIN", "NTLM", "OAUTH10A", "OAUTHBEARER", "OPENID20", "OTP", "PLAIN", "SAML20", "SCRAM-SHA-1",
		"SCRAM-SHA-1-PLUS", "SCRAM-SHA-256", "SCRAM-SHA-256-PLUS", "SCRAM-SHA-512", "SCRAM-SHA-512-PLUS",
		"SCRAM-SHA3-512", "SCRAM-SHA3-512-PLUS", "SECURID", "SKEY", "SRP",
		"ATOKEN", "ATOKEN2", "PLAIN-CLIENTTOKEN", "WETOKEN", "WSTOKEN", "XOAUTH", "XOAUTH2", "XYMCOOKIE", "XYMPKI":
		return true
	}
	return false
}
