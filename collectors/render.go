package collectors

import (
	"slices"
	"strings"
	"time"

	"imap-exporter/probe"
)

// lifetime is how many intervals a Result is exported for.
const lifetime = 3

// expired reports whether a Result has become too old to be shown as the present: the next probes are missing. That of
// an account that is only probed on demand never is, since no other one is due.
func expired(r *probe.Result, interval time.Duration, now time.Time) bool {
	return interval > 0 && now.Sub(r.Start) > lifetime*interval
}

// render turns the last Result of an account into gauges. It depends on nothing but its arguments.
//
// A worker that is stuck must not look healthy: of an expired Result only a failure is left. What only a finished probe
// can know, mailboxes and quota, is exported for a successful one alone.
func render(r *probe.Result, a Account, now time.Time) []sample {
	out := gauges{labels: []string{a.Name, a.Server}}
	fresh := !expired(r, a.Interval, now)
	if fresh || !r.OK() {
		out.add(probeSuccess, boolean(r.OK()))
	}
	if !r.OK() {
		out.add(probeLastFailureInfo, 1, string(r.Err.Phase), string(r.Err.Reason))
	}
	if !fresh {
		return out.samples
	}
	out.timings(r)
	out.tls(r)
	if r.OK() {
		out.mailboxes(r)
		out.quota(r.Quota)
	}
	return out.samples
}

// gauges collects the samples of one account.
type gauges struct {
	// labels are account and server, which come first in each sample.
	labels  []string
	samples []sample
}

func (g *gauges) add(id id, value float64, labels ...string) {
	g.samples = append(g.samples, sample{id: id, value: value, labels: slices.Concat(g.labels, labels)})
}

// count adds a number that the server may have left out.
func count[T uint32 | uint64](g *gauges, id id, n *T, label string) {
	if n != nil {
		g.add(id, float64(*n), label)
	}
}

func (g *gauges) timings(r *probe.Result) {
	g.add(probeLastDuration, r.Duration.Seconds())
	seen := make(set, len(r.Phases))
	for _, t := range r.Phases {
		if seen.add(string(t.Phase)) {
			g.add(probeLastPhaseDuration, t.Duration.Seconds(), string(t.Phase))
		}
	}
}

func (g *gauges) tls(r *probe.Result) {
	if r.TLS == nil {
		return
	}
	if !r.TLS.NotAfter.IsZero() {
		g.add(certificateNotAfter, unix(r.TLS.NotAfter))
	}
	if r.TLS.Version != "" {
		g.add(tlsInfo, 1, r.TLS.Version, r.TLS.Cipher, string(r.Mode))
	}
}

// mailboxes adds at most probe.MaxMailboxes mailboxes. Of one that is there twice the first counts.
func (g *gauges) mailboxes(r *probe.Result) {
	if r.MailboxesTruncated != nil {
		g.add(mailboxesTruncated, boolean(*r.MailboxesTruncated))
	}
	if r.Fetched != nil {
		g.add(fetchBytes, float64(r.Fetched.Bytes), mailboxLabel(r.Fetched.Mailbox))
	}
	seen := make(set)
	for _, m := range r.Mailboxes {
		if len(seen) == probe.MaxMailboxes {
			return
		}
		if name := mailboxLabel(m.Name); seen.add(name) {
			g.mailbox(m, name)
		}
	}
}

func (g *gauges) mailbox(m probe.Mailbox, name string) {
	count(g, mailboxMessages, m.Messages, name)
	count(g, mailboxUnseen, m.Unseen, name)
	count(g, mailboxRecent, m.Recent, name)
	count(g, mailboxUIDNext, m.UIDNext, name)
	count(g, mailboxUIDValidity, m.UIDValidity, name)
	count(g, mailboxSize, m.SizeBytes, name)
	count(g, mailboxHighestModSeq, m.HighestModSeq, name)
	if m.Newest != nil {
		g.add(mailboxNewest, unix(*m.Newest), name)
	}
	if m.Oldest != nil {
		g.add(mailboxOldest, unix(*m.Oldest), name)
	}
}

// quota adds at most probe.MaxQuotaRoots roots. Of one that is there twice the first counts.
func (g *gauges) quota(q *probe.Quota) {
	if q == nil {
		return
	}
	g.add(quotaSupported, boolean(q.Supported))
	seen := make(set)
	for _, root := range q.Roots {
		if len(seen) == probe.MaxQuotaRoots {
			return
		}
		name := labelValue(root.Name)
		if !seen.add(name) {
			continue
		}
		if s := root.Storage; s != nil {
			g.add(quotaStorageUsed, float64(s.Used), name)
			g.add(quotaStorageLimit, float64(s.Limit), name)
		}
		if m := root.Messages; m != nil {
			g.add(quotaMessagesUsed, float64(m.Used), name)
			g.add(quotaMessagesLimit, float64(m.Limit), name)
		}
	}
}

// set is a set of label values.
type set map[string]struct{}

// add reports whether value is new.
func (s set) add(value string) bool {
	n := len(s)
	s[value] = struct{}{}
	return len(s) > n
}

// mailboxLabel is the label of a mailbox. INBOX alone is the same in every case (RFC 9051, section 5.1).
func mailboxLabel(name string) string {
	if strings.EqualFold(name, "INBOX") {
		return "INBOX"
	}
	return labelValue(name)
}

func boolean(b bool) float64 {
	if b {
		return 1
	}
	return 0
}

// unix returns t in seconds and fractions. UnixNano would overflow for a certificate that is valid until 9999.
func unix(t time.Time) float64 {
	return float64(t.Unix()) + float64(t.Nanosecond())/float64(time.Second)
}
