package collectors

import (
	"time"

	dto "github.com/prometheus/client_model/go"

	"imap-exporter/internal/imap"
	"imap-exporter/internal/text"
	"imap-exporter/probe"
)

// resultSamples turns the last Result of an account into gauges, while it is current or when it has become stale. It depends
// on nothing but its arguments.
//
// A worker that is stuck must not look healthy: of a stale Result only a failure is left. What only a finished probe
// can know, mailboxes and quota, is exported for a successful one alone.
func resultSamples(r *probe.Result, l labels, current bool) []sample {
	out := gauges{labels: l}
	if current || !r.OK() {
		out.add(probeSuccess, boolean(r.OK()))
	}
	if !r.OK() {
		out.add(probeLastFailureInfo, 1, pair("phase", r.Err.Phase), pair("reason", r.Err.Reason))
	}
	if !current {
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
	// labels are account and server, which each sample has.
	labels  labels
	samples []sample
}

func (g *gauges) add(id id, value float64, more ...*dto.LabelPair) {
	g.samples = append(g.samples, sample{id: id, value: value, labels: g.labels.with(more...)})
}

// count adds a number that the server may have left out.
func count[T uint32 | uint64](g *gauges, id id, n *T, label *dto.LabelPair) {
	if n != nil {
		g.add(id, float64(*n), label)
	}
}

func (g *gauges) timings(r *probe.Result) {
	g.add(probeLastDuration, r.Duration.Seconds())
	for _, t := range r.Phases {
		g.add(probeLastPhaseDuration, t.Duration.Seconds(), pair("phase", t.Phase))
	}
	if r.RTT != nil {
		g.add(tcpRTT, r.RTT.Seconds())
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
		g.add(tlsInfo, 1, pair("version", r.TLS.Version), pair("cipher", r.TLS.Cipher), pair("mode", r.Mode))
	}
}

// mailboxes adds at most probe.MaxMailboxes mailboxes. Of one that is there twice the first counts.
func (g *gauges) mailboxes(r *probe.Result) {
	if r.MailboxesTruncated != nil {
		g.add(mailboxesTruncated, boolean(*r.MailboxesTruncated))
	}
	if r.MailboxesUnreadable != nil {
		g.add(mailboxesUnreadable, float64(*r.MailboxesUnreadable))
	}
	g.add(namesLeftOut, float64(r.NamesLeftOut))
	if r.Fetched != nil {
		g.add(fetchBytes, float64(r.Fetched.Bytes), pair("mailbox", mailboxLabel(r.Fetched.Mailbox)))
	}
	seen := make(set)
	for _, m := range r.Mailboxes {
		if len(seen) == probe.MaxMailboxes {
			return
		}
		if name := mailboxLabel(m.Name); seen.add(name) {
			g.mailbox(m, pair("mailbox", name))
		}
	}
}

func (g *gauges) mailbox(m probe.Mailbox, label *dto.LabelPair) {
	count(g, mailboxMessages, m.Messages, label)
	count(g, mailboxUnseen, m.Unseen, label)
	count(g, mailboxRecent, m.Recent, label)
	count(g, mailboxUIDNext, m.UIDNext, label)
	count(g, mailboxUIDValidity, m.UIDValidity, label)
	count(g, mailboxSize, m.SizeBytes, label)
	count(g, mailboxHighestModSeq, m.HighestModSeq, label)
	if m.Newest != nil {
		g.add(mailboxNewest, unix(*m.Newest), label)
	}
	if m.Oldest != nil {
		g.add(mailboxOldest, unix(*m.Oldest), label)
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
		name := text.LabelValue(root.Name, probe.MaxNameRunes)
		if !seen.add(name) {
			continue
		}
		label := pair("root", name)
		if s := root.Storage; s != nil {
			g.add(quotaStorageUsed, float64(s.Used), label)
			if s.Limit > 0 {
				g.add(quotaStorageLimit, float64(s.Limit), label)
			}
		}
		if m := root.Messages; m != nil {
			g.add(quotaMessagesUsed, float64(m.Used), label)
			if m.Limit > 0 {
				g.add(quotaMessagesLimit, float64(m.Limit), label)
			}
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
	return text.LabelValue(imap.FoldInbox(name), probe.MaxNameRunes)
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
