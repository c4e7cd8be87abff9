package format

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"imap-exporter/internal/text"
	"imap-exporter/probe"
)

const (
	// maxDetailMailboxes bounds how many mailboxes the text lists.
	maxDetailMailboxes = 20
	// day is that of a certificate's lifetime.
	day = 24 * time.Hour
)

// details writes what a probe found out apart from durations: a line each for the certificate, mailboxes, quota and notes.
func details(r *probe.Result) string {
	var b strings.Builder
	line := func(label, format string, args ...any) {
		fmt.Fprintf(&b, "  %-*s %s\n", phaseWidth, label, fmt.Sprintf(format, args...))
	}
	if r.TLS != nil && !r.TLS.NotAfter.IsZero() {
		line("certificate", "%s", certificateText(r.TLS.NotAfter, r.Start))
	}
	for i := range r.Mailboxes {
		if i == maxDetailMailboxes {
			line("mailbox", "and %d more; -o json has all", len(r.Mailboxes)-maxDetailMailboxes)
			break
		}
		line("mailbox", "%s", mailboxText(&r.Mailboxes[i]))
	}
	if r.MailboxesTruncated != nil && *r.MailboxesTruncated {
		line("mailbox", "there are more than the %d that are counted", probe.MaxMailboxes)
	}
	if r.Quota != nil && !r.Quota.Supported {
		line("quota", "not offered by the server")
	}
	if r.Quota != nil {
		for _, root := range r.Quota.Roots {
			line("quota", "%s", quotaText(&root))
		}
	}
	for _, note := range r.Notes {
		line("note", "%s", printable(note))
	}
	return b.String()
}

// certificateText says until when a certificate is valid, seen from a probe's start.
func certificateText(notAfter, start time.Time) string {
	date := notAfter.UTC().Format("2006-01-02 15:04 UTC")
	if left := notAfter.Sub(start); left >= 0 {
		return fmt.Sprintf("valid until %s (%d days left)", date, left/day)
	}
	return "expired on " + date
}

// mailboxText writes what is known of a mailbox: INBOX: 24 messages, 6 unseen, 1.5 MiB, newest 2026-03-01 11:00 UTC.
func mailboxText(m *probe.Mailbox) string {
	var known []string
	if m.Messages != nil {
		known = append(known, messagesText(uint64(*m.Messages)))
	}
	if m.Unseen != nil {
		known = append(known, strconv.FormatUint(uint64(*m.Unseen), 10)+" unseen")
	}
	if m.SizeBytes != nil {
		known = append(known, text.Bytes(*m.SizeBytes))
	}
	if m.Newest != nil {
		known = append(known, "newest "+m.Newest.UTC().Format("2006-01-02 15:04 UTC"))
	}
	if len(known) == 0 {
		known = []string{"nothing is known of it"}
	}
	return printable(m.Name) + ": " + strings.Join(known, ", ")
}

func messagesText(n uint64) string {
	if n == 1 {
		return "1 message"
	}
	return strconv.FormatUint(n, 10) + " messages"
}

// quotaText writes a quota root: User quota: 93 MiB of 100 MiB (93%), 24 messages without a limit.
func quotaText(root *probe.QuotaRoot) string {
	var resources []string
	for _, r := range []struct {
		*probe.Resource
		text func(uint64) string
	}{{root.Storage, text.Bytes}, {root.Messages, messagesText}} {
		if r.Resource == nil {
			continue
		}
		if fraction, ok := r.Fraction(); ok {
			used, _ := strings.CutSuffix(r.text(r.Used), " messages")
			resources = append(resources, fmt.Sprintf("%s of %s (%d%%)", used, r.text(r.Limit), int(100*fraction)))
		} else {
			resources = append(resources, r.text(r.Used)+" without a limit")
		}
	}
	if len(resources) == 0 {
		resources = []string{"no limit"}
	}
	name := printable(root.Name)
	if name == "" {
		name = "(no name)"
	}
	return name + ": " + strings.Join(resources, ", ")
}
