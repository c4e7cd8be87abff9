package probe

import (
	"fmt"
	"time"
)

// A Result is all that one probe learnt: plain values, never changed once Run has returned it.
// What the server did not offer, and what a failed probe did not reach, is absent (nil, or not in the slice).
type Result struct {
	// Account and Server are the Target's.
	Account string
	Server  string
	// Protocol is the Target's. Nil stands for IMAP, see [OrIMAP].
	Protocol *Protocol
	// Mode is the Target's TLS mode.
	Mode TLSMode
	// Start is when the probe began; Duration is all its time, LOGOUT included.
	Start    time.Time
	Duration time.Duration
	// Phases are the phases that ran, in order, each at most once.
	Phases []Timing
	// Spans are the same times for a waterfall: one for each time that a phase ran, in order.
	Spans []Span
	// Err is the first failure, or nil: then every step that the Target asks for succeeded.
	Err *Error

	// Connects are the attempts to connect, in order.
	Connects []Connect
	// RTT is the round-trip time of the TCP handshake by the kernel's TCP_INFO; nil where unknown.
	RTT *time.Duration
	// TimestampSource says what told when answers arrived; "" without a connection.
	TimestampSource TimestampSource
	// TLS is what the handshake showed; nil without one. It is there with the certificate's date even when verification failed.
	TLS *TLS
	// Capabilities are the server's announcements, in upper case, one for each stage that was reached.
	Capabilities []Capabilities
	// Mailboxes are the counts, by mailbox; MailboxesTruncated says that patterns matched more than MaxMailboxes. nil: no patterns.
	Mailboxes          []Mailbox
	MailboxesTruncated *bool
	// MailboxesUnreadable is how many mailboxes the patterns matched that have no counts: their name or counts can't be read,
	// the server refused STATUS, or another mailbox has the same label. nil: no patterns.
	MailboxesUnreadable *int
	// NamesLeftOut is how many mailboxes and quota roots the caller of Run has left out, because they had too many new names.
	NamesLeftOut int
	// Fetched is the size of the last FETCH answer; nil when no message was fetched.
	Fetched *Fetched
	// Quota is nil when it wasn't asked for or not reached.
	Quota *Quota

	// Notes are refusals that did not fail the probe, such as a mailbox whose STATUS was refused, for the log.
	Notes []string
	// Transcript is the conversation, with credentials redacted when they were sent.
	Transcript []TranscriptLine
}

// OK reports whether the probe succeeded.
func (r *Result) OK() bool { return r.Err == nil }

// A Timing is the time one phase took.
type Timing struct {
	Phase    Phase
	Duration time.Duration
	// ReadDelay is how much later the answers were read than they arrived. It is not part of Duration: on a busy machine it
	// would make the server look slow.
	ReadDelay time.Duration
	// OK is false for the phase that failed: its Duration is then the time until it did.
	OK bool
}

// A Span is one run of a phase. CAPABILITY, for one, is asked before and after the login. The spans of a phase sum up to
// its Timing.
type Span struct {
	Phase Phase
	// Start is the time since the Result's Start.
	Start    time.Duration
	Duration time.Duration
	// ReadDelay is as in Timing: how much later the answer was read, which is not part of Duration.
	ReadDelay time.Duration
	// OK is false for the span in which the probe failed.
	OK bool
}

// An Error is why a probe failed: where, what, and the cause in the server's or the system's own words.
type Error struct {
	Phase  Phase
	Reason Reason
	// Text is the server's own answer where there is one, or the cause's text: printable, at most 200 bytes, never a credential.
	Text string
	// Backoff is for how long a throttling server asks to be left alone; 0 when it doesn't say, or with another Reason.
	Backoff time.Duration
	// Err is the cause, for errors.Is and errors.As.
	Err error
}

// Error gives phase, reason and text in one line.
func (e *Error) Error() string { return fmt.Sprintf("%s: %s: %s", e.Phase, e.Reason, e.Text) }

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// A Connect is one attempt to connect to one address.
type Connect struct {
	// Family is "4" or "6".
	Family IPFamily
	// Reason is "" for the address that answered, else why this one did not.
	Reason Reason
}

// TLS is what a handshake showed.
type TLS struct {
	// Version is "TLS 1.3" or the like, Cipher the suite's IANA name. Both are "" when the handshake failed.
	Version string
	Cipher  string
	// NotAfter is when the certificate's chain stops verifying: of each chain to a trusted authority the earliest notAfter, of
	// these the latest; without a chain, the server's own certificate's. Zero when no certificate was seen.
	NotAfter time.Time
}

// A TimestampSource says what told when a server's answers arrived.
type TimestampSource string

// The sources: the kernel's timestamp of the packet, or the time at which our goroutine had read it. On a busy machine
// the second is later, by as long as the goroutine waited to run, which looks as if the server were slow.
const (
	KernelTimestamps TimestampSource = "kernel"
	UserTimestamps   TimestampSource = "user"
)

// A TranscriptLine is one line of a conversation: printable, at most 200 bytes, with what is secret redacted as it was sent.
type TranscriptLine struct {
	// At is the time since the connection was made.
	At time.Duration
	// Sent is true for our lines, false for the server's.
	Sent bool
	Text string
}

// A Stage is when capabilities were asked for.
type Stage string

// The stages.
const (
	StageBeforeTLS  Stage = "before_tls"
	StageBeforeAuth Stage = "before_auth"
	StageAfterAuth  Stage = "after_auth"
)

// Capabilities are the names that a server announced at one stage, sorted.
type Capabilities struct {
	Stage Stage
	Names []string
}

// Limits on what a server's lists may add to the metrics of one account.
const (
	MaxMailboxes  = 100
	MaxQuotaRoots = 16
	MaxNameRunes  = 128
)

// A Mailbox is what STATUS, SELECT and FETCH told of one mailbox. Nil fields were not offered.
type Mailbox struct {
	// Name is valid, printable UTF-8 of at most MaxNameRunes.
	Name          string
	Messages      *uint32
	Unseen        *uint32
	Recent        *uint32
	UIDNext       *uint32
	UIDValidity   *uint32
	SizeBytes     *uint64
	HighestModSeq *uint64
	// Newest and Oldest are the INTERNALDATE of the last and first message by sequence number, of the selected mailbox only.
	Newest *time.Time
	Oldest *time.Time
}

// Fetched is the size in bytes of the section that FETCH returned.
type Fetched struct {
	Mailbox string
	Bytes   int64
}

// Quota is the answer to GETQUOTAROOT.
type Quota struct {
	// Supported says whether the server announces QUOTA.
	Supported bool
	Roots     []QuotaRoot
}

// A QuotaRoot has the resources STORAGE and MESSAGE of one root (RFC 9208, section 5). Nil: the server tells no usage.
type QuotaRoot struct {
	// Name is valid, printable UTF-8 of at most MaxNameRunes. It may be "".
	Name string
	// Storage is in bytes (the wire's unit of 1024 octets is converted), Messages a count.
	Storage  *Resource
	Messages *Resource
}

// A Resource is how much of a limit is used. Limit is 0 if there is none: servers then send 0, -1, or more than can be stored.
type Resource struct{ Used, Limit uint64 }

// Fraction is the part of the limit that is used, from 0 to 1 and beyond. ok is false without a limit: for nil, and for a
// limit of 0.
func (r *Resource) Fraction() (fraction float64, ok bool) {
	if r == nil || r.Limit == 0 {
		return 0, false
	}
	return float64(r.Used) / float64(r.Limit), true
}

// Fullest returns the resource of all roots that is closest to its limit, and whether it is counted in bytes. It is nil
// where nothing has a limit.
func (q *Quota) Fullest() (fullest *Resource, inBytes bool) {
	if q == nil {
		return nil, false
	}
	most := -1.0
	for _, root := range q.Roots {
		if fraction, ok := root.Storage.Fraction(); ok && fraction > most {
			most, fullest, inBytes = fraction, root.Storage, true
		}
		if fraction, ok := root.Messages.Fraction(); ok && fraction > most {
			most, fullest, inBytes = fraction, root.Messages, false
		}
	}
	return fullest, inBytes
}
