package web

import (
	"fmt"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"

	"imap-exporter/internal/format"
	"imap-exporter/internal/history"
	"imap-exporter/probe"
)

// A probeView is what pages show of one probe.
type probeView struct {
	// Link is the address of its page, relative to the first page.
	Link      string
	Start     relativeTime
	Took      string
	Failure   *failure
	Waterfall *waterfallView
	Mode      string
	TLS       *probe.TLS
	Expiry    *expiry
	// RTT is "" if unknown.
	RTT      string
	Connects []string
	// Truncated says that there are more mailboxes.
	Mailboxes []mailboxRow
	Truncated bool
	Fetched   string
	Quotas    []quotaRow
	// NoQuota says that the server doesn't offer the extension QUOTA.
	NoQuota      bool
	Capabilities []capabilityList
	Notes        []string
	Lines        []transcriptRow
	// NoTranscript is why there is no conversation.
	NoTranscript string
}

// A mailboxRow is what is known of a mailbox; "" where a value isn't known.
type mailboxRow struct {
	Name, Messages, Unseen, Recent, Size, UIDNext, UIDValidity, ModSeq string
	Newest, Oldest                                                     relativeTime
}

// A quotaRow is one resource of a quota root.
type quotaRow struct {
	Root, Resource string
	*usageBar
}

// A capabilityList is the capabilities at one stage.
type capabilityList struct {
	Title string
	Names []capability
}

// A capability is New if the stage before didn't have it.
type capability struct {
	Name string
	New  bool
}

// A transcriptRow is one line of the transcript.
type transcriptRow struct {
	At, Class, Who, Text string
}

// A probePage is the page of one probe. Newer and Older are the addresses of the next ones, or "".
type probePage struct {
	pageLayout
	Name, Path   string
	Probe        *probeView
	Newer, Older string
}

// serveProbe serves the page of a probe.
func (p *pages) serveProbe(w http.ResponseWriter, r *http.Request) {
	a, id, ok := p.probeFromPath(r)
	now := time.Now()
	view := p.newProbeView(&a, id, now)
	if !ok || view == nil {
		p.notFound(w, r, "This probe isn't kept any more, or there was none at this time.")
		return
	}
	page := probePage{
		pageLayout: p.layout(r, "Probe of "+printable(a.Name), "accounts"), Name: printable(a.Name), Path: accountPath(a.Key()), Probe: view,
	}
	recent := p.history.Recent(a.Key())
	if i := slices.IndexFunc(recent, func(r *probe.Result) bool { return history.IDOf(r) == id }); i >= 0 {
		if i > 0 {
			page.Newer = probePath(page.Path, history.IDOf(recent[i-1]))
		}
		if i < len(recent)-1 {
			page.Older = probePath(page.Path, history.IDOf(recent[i+1]))
		}
	}
	p.writePage(w, r, http.StatusOK, "probe", page)
}

// probeFromPath returns the account and the probe's id that are in a request's path.
func (p *pages) probeFromPath(r *http.Request) (a accountView, id int64, ok bool) {
	id, err := strconv.ParseInt(r.PathValue("id"), 10, 64)
	a, ok = p.account(keyFromPath(r))
	return a, id, ok && err == nil
}

// serveTranscript serves a transcript as a file.
func (p *pages) serveTranscript(w http.ResponseWriter, r *http.Request) {
	a, id, ok := p.probeFromPath(r)
	result, lines := p.history.Result(a.Key(), id)
	if !ok || len(lines) == 0 {
		p.notFound(w, r, "There is no conversation of this probe, or it isn't kept any more.")
		return
	}
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Header().Set("Content-Disposition", fmt.Sprintf("attachment; filename=%q", fileName(a.Name)+"-"+result.Start.UTC().Format("20060102T150405Z")+".txt"))
	fmt.Fprintf(w, "# %s on %s, %s\n", printable(a.Name), printable(a.Server), relativeTime{at: result.Start}.Full())
	_, _ = io.WriteString(w, format.Transcript(lines)) //nolint:gosec // It is served as text/plain.
}

// fileName replaces in a name what may mean something in the name of a file on any system.
func fileName(name string) string {
	return strings.Map(func(r rune) rune {
		if r < unicode.MaxASCII && (unicode.IsLetter(r) || unicode.IsDigit(r)) || r == '-' {
			return r
		}
		return '_'
	}, name)
}

// newProbeView returns nil if the Result isn't kept any more.
func (p *pages) newProbeView(a *accountView, id int64, now time.Time) *probeView {
	r, lines := p.history.Result(a.Key(), id)
	if r == nil && a.Last != nil && history.IDOf(a.Last) == id {
		r = a.Last
	}
	if r == nil {
		return nil
	}
	v := &probeView{
		Link: probePath(accountPath(a.Key()), id), Start: relativeTime{r.Start, now}, Took: durationText(r.Duration),
		Failure: p.explain.failure(r), Waterfall: newWaterfallView(r), Mode: modeText(r.Mode), Connects: connectTexts(r.Connects),
		Mailboxes: mailboxRows(r.Mailboxes, now), Truncated: r.MailboxesTruncated != nil && *r.MailboxesTruncated,
		Quotas: quotaRows(r.Quota), NoQuota: r.Quota != nil && !r.Quota.Supported, Capabilities: capabilityLists(r.Capabilities),
		Notes: printableAll(r.Notes), Lines: transcriptRows(lines),
	}
	if r.TLS != nil {
		v.TLS = &probe.TLS{Version: printable(r.TLS.Version), Cipher: printable(r.TLS.Cipher)}
		v.Expiry = newExpiry(r.TLS.NotAfter, now)
	}
	if r.RTT != nil {
		v.RTT = durationText(*r.RTT)
	}
	if r.Fetched != nil {
		v.Fetched = fmt.Sprintf("%s of %s", bytesText(uint64(max(0, r.Fetched.Bytes))), printable(r.Fetched.Mailbox))
	}
	switch {
	case len(lines) > 0:
	case len(r.Connects) == 0:
		v.NoTranscript = "There was no conversation: the probe ended before a connection was tried."
	default:
		v.NoTranscript = "There was none, or it isn't kept any more."
	}
	return v
}

func modeText(mode probe.TLSMode) string {
	switch mode {
	case probe.TLSImplicit:
		return "TLS from the first byte"
	case probe.TLSStartTLS:
		return "TLS by STARTTLS"
	default:
		return "no TLS"
	}
}

// connectTexts describes each attempt to connect.
func connectTexts(list []probe.Connect) []string {
	var words []string
	for _, c := range list {
		outcome := string(c.Reason)
		if outcome == "" {
			outcome = "connected"
		}
		words = append(words, fmt.Sprintf("IPv%s %s", c.Family, outcome))
	}
	return words
}

func mailboxRows(mailboxes []probe.Mailbox, now time.Time) []mailboxRow {
	rows := make([]mailboxRow, len(mailboxes))
	for i, m := range mailboxes {
		rows[i] = mailboxRow{
			Name: printable(m.Name), Messages: optionalText(m.Messages, countText), Unseen: optionalText(m.Unseen, countText), Recent: optionalText(m.Recent, countText),
			Size: optionalText(m.SizeBytes, bytesText), UIDNext: optionalText(m.UIDNext, plainText), UIDValidity: optionalText(m.UIDValidity, plainText),
			ModSeq: optionalText(m.HighestModSeq, plainText),
		}
		if m.Newest != nil {
			rows[i].Newest = relativeTime{*m.Newest, now}
		}
		if m.Oldest != nil {
			rows[i].Oldest = relativeTime{*m.Oldest, now}
		}
	}
	return rows
}

// optionalText returns the text of a value, or "".
func optionalText[T any](value *T, text func(T) string) string {
	if value == nil {
		return ""
	}
	return text(*value)
}

func plainText[T uint32 | uint64](n T) string { return strconv.FormatUint(uint64(n), 10) }

func quotaRows(quota *probe.Quota) []quotaRow {
	var rows []quotaRow
	if quota == nil {
		return nil
	}
	for _, root := range quota.Roots {
		name := printable(root.Name)
		if name == "" {
			name = "(no name)"
		}
		if b := newUsageBar(root.Storage, true); b != nil {
			rows = append(rows, quotaRow{name, "storage", b})
		}
		if b := newUsageBar(root.Messages, false); b != nil {
			rows = append(rows, quotaRow{name, "messages", b})
		}
	}
	return rows
}

func capabilityLists(stages []probe.Capabilities) []capabilityList {
	titles := map[probe.Stage]string{
		probe.StageBeforeTLS: "Before TLS", probe.StageBeforeAuth: "Before the login", probe.StageAfterAuth: "After the login",
	}
	var lists []capabilityList
	for i, stage := range stages {
		l := capabilityList{Title: titles[stage.Stage]}
		for _, name := range stage.Names {
			l.Names = append(l.Names, capability{printable(name), i > 0 && !slices.Contains(stages[i-1].Names, name)})
		}
		lists = append(lists, l)
	}
	return lists
}

func transcriptRows(transcript []probe.TranscriptLine) []transcriptRow {
	lines := make([]transcriptRow, len(transcript))
	for i, t := range transcript {
		lines[i] = transcriptRow{durationText(t.At), "received", format.Speaker(t), printable(t.Text)}
		if t.Sent {
			lines[i].Class = "sent"
		}
	}
	return lines
}
