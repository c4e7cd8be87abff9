package format

import (
	"bytes"
	"encoding/json"
	"io"
	"time"

	"imap-exporter/internal/text"
	"imap-exporter/probe"
)

// These types are the JSON. Durations are in seconds, dates in UTC, and what a probe didn't learn is absent. Keys may be added;
// existing keys never change.
type (
	document struct {
		Probes []probeJSON `json:"probes"`
	}
	probeJSON struct {
		Account string `json:"account"`
		Server  string `json:"server"`
		OK      bool   `json:"ok"`
		// Error is why there was no probe; then all keys below are absent.
		Error        string             `json:"error,omitempty"`
		TLSMode      probe.TLSMode      `json:"tls_mode,omitempty"`
		Start        *time.Time         `json:"start,omitempty"`
		Duration     float64            `json:"duration_seconds,omitempty"`
		Failure      *failureJSON       `json:"failure,omitempty"`
		Phases       []phaseJSON        `json:"phases,omitempty"`
		Waterfall    []spanJSON         `json:"waterfall,omitempty"`
		RTT          *float64           `json:"tcp_rtt_seconds,omitempty"`
		TLS          *tlsJSON           `json:"tls,omitempty"`
		Capabilities []capabilitiesJSON `json:"capabilities,omitempty"`
		Mailboxes    []mailboxJSON      `json:"mailboxes,omitempty"`
		Truncated    *bool              `json:"mailboxes_truncated,omitempty"`
		Fetched      *fetchedJSON       `json:"fetched,omitempty"`
		Quota        *quotaJSON         `json:"quota,omitempty"`
		Notes        []string           `json:"notes,omitempty"`
		Transcript   []lineJSON         `json:"transcript,omitempty"`
	}
	failureJSON struct {
		Phase  probe.Phase  `json:"phase"`
		Reason probe.Reason `json:"reason"`
		Text   string       `json:"text"`
	}
	phaseJSON struct {
		Phase    probe.Phase `json:"phase"`
		Duration float64     `json:"duration_seconds"`
		OK       bool        `json:"ok"`
	}
	spanJSON struct {
		Phase    probe.Phase `json:"phase"`
		Start    float64     `json:"start_seconds"`
		Duration float64     `json:"duration_seconds"`
		OK       bool        `json:"ok"`
	}
	tlsJSON struct {
		Version  string     `json:"version,omitempty"`
		Cipher   string     `json:"cipher,omitempty"`
		NotAfter *time.Time `json:"certificate_not_after,omitempty"`
	}
	capabilitiesJSON struct {
		Stage probe.Stage `json:"stage"`
		Names []string    `json:"names"`
	}
	mailboxJSON struct {
		Name          string     `json:"name"`
		Messages      *uint32    `json:"messages,omitempty"`
		Unseen        *uint32    `json:"unseen,omitempty"`
		Recent        *uint32    `json:"recent,omitempty"`
		UIDNext       *uint32    `json:"uidnext,omitempty"`
		UIDValidity   *uint32    `json:"uidvalidity,omitempty"`
		SizeBytes     *uint64    `json:"size_bytes,omitempty"`
		HighestModSeq *uint64    `json:"highest_modseq,omitempty"`
		Newest        *time.Time `json:"newest_message,omitempty"`
		Oldest        *time.Time `json:"oldest_message,omitempty"`
	}
	fetchedJSON struct {
		Mailbox string `json:"mailbox"`
		Bytes   int64  `json:"bytes"`
	}
	quotaJSON struct {
		Supported bool       `json:"supported"`
		Roots     []rootJSON `json:"roots"`
	}
	rootJSON struct {
		Name     string        `json:"name"`
		Storage  *resourceJSON `json:"storage_bytes,omitempty"`
		Messages *resourceJSON `json:"messages,omitempty"`
	}
	resourceJSON struct {
		Used uint64 `json:"used"`
		// Limit is absent where there is no limit, which servers write as 0.
		Limit uint64 `json:"limit,omitempty"`
	}
	lineJSON struct {
		At   float64 `json:"at_seconds"`
		Sent bool    `json:"sent"`
		Text string  `json:"text"`
	}
)

// JSON writes all probes as one document.
func JSON(w io.Writer, probes []Probe, transcript bool) error {
	doc := document{Probes: []probeJSON{}}
	for _, p := range probes {
		doc.Probes = append(doc.Probes, newProbeJSON(p, transcript))
	}
	var b bytes.Buffer
	encoder := json.NewEncoder(&b)
	encoder.SetIndent("", "  ")
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(doc); err != nil {
		return err
	}
	_, err := w.Write(text.EscapeJSON(b.Bytes()))
	return err
}

func newProbeJSON(p Probe, transcript bool) probeJSON {
	out := probeJSON{Account: p.Account.Name, Server: p.Account.Server, OK: p.OK()}
	r := p.Result
	if r == nil {
		out.Error = p.Err.Error()
		return out
	}
	out.TLSMode, out.Start, out.Duration = r.Mode, dateJSON(&r.Start), r.Duration.Seconds()
	out.Truncated, out.Notes = r.MailboxesTruncated, r.Notes
	if r.Err != nil {
		out.Failure = &failureJSON{r.Err.Phase, r.Err.Reason, r.Err.Text}
	}
	out.addTimings(r)
	if r.TLS != nil {
		out.TLS = &tlsJSON{Version: r.TLS.Version, Cipher: r.TLS.Cipher, NotAfter: dateJSON(&r.TLS.NotAfter)}
	}
	for _, c := range r.Capabilities {
		out.Capabilities = append(out.Capabilities, capabilitiesJSON(c))
	}
	for _, m := range r.Mailboxes {
		m.Newest, m.Oldest = dateJSON(m.Newest), dateJSON(m.Oldest)
		out.Mailboxes = append(out.Mailboxes, mailboxJSON(m))
	}
	if r.Fetched != nil {
		out.Fetched = new(fetchedJSON(*r.Fetched))
	}
	out.addQuota(r.Quota)
	if transcript {
		for _, line := range r.Transcript {
			out.Transcript = append(out.Transcript, lineJSON{line.At.Seconds(), line.Sent, line.Text})
		}
	}
	return out
}

// dateJSON returns a date in UTC. A date that JSON can't have (RFC 3339 ends with the year 9999) is absent, as is the
// zero time.
func dateJSON(t *time.Time) *time.Time {
	if t == nil || t.IsZero() || t.UTC().Year() < 0 || t.UTC().Year() > 9999 {
		return nil
	}
	return new(t.UTC())
}

func (out *probeJSON) addTimings(r *probe.Result) {
	for _, t := range r.Phases {
		out.Phases = append(out.Phases, phaseJSON{t.Phase, t.Duration.Seconds(), t.OK})
	}
	for _, s := range r.Spans {
		out.Waterfall = append(out.Waterfall, spanJSON{s.Phase, s.Start.Seconds(), s.Duration.Seconds(), s.OK})
	}
	if r.RTT != nil {
		out.RTT = new(r.RTT.Seconds())
	}
}

func (out *probeJSON) addQuota(q *probe.Quota) {
	if q == nil {
		return
	}
	out.Quota = &quotaJSON{Supported: q.Supported, Roots: []rootJSON{}}
	for _, root := range q.Roots {
		out.Quota.Roots = append(out.Quota.Roots, rootJSON{root.Name, (*resourceJSON)(root.Storage), (*resourceJSON)(root.Messages)})
	}
}
