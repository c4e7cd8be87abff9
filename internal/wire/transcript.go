package wire

import (
	"encoding/base64"
	"encoding/hex"
	"net/url"
	"slices"
	"strings"
	"time"

	"imap-exporter/internal/text"
)

// MaxText bounds what is kept of one text from a server, in bytes.
const MaxText = 200

// maxTranscript bounds the lines kept of one conversation. Later ones are dropped: a failure shows itself early.
const maxTranscript = 128

// Redacted is written in the place of a secret.
const Redacted = "***"

// A TranscriptLine is one line of a conversation: printable, at most MaxText bytes, with secrets redacted as it was sent.
type TranscriptLine struct {
	// At is the time since the connection was made.
	At time.Duration
	// Sent is true for our lines, false for the server's.
	Sent bool
	Text string
}

// A transcript records a conversation. Secrets that a server repeats are redacted too.
type transcript struct {
	start   time.Time
	lines   []TranscriptLine
	secrets []string
}

// asQuoted writes a secret as it is in a quoted string.
var asQuoted = strings.NewReplacer(`\`, `\\`, `"`, `\"`)

// hide redacts secret in all server text from now on, as it is and in each form in which a server may repeat it: escaped,
// in hexadecimal, and in base64, as far as that can be told from other text.
func (t *transcript) hide(secret string) {
	if secret == "" {
		return
	}
	t.conceal(secret, asQuoted.Replace(secret))
	if len(secret) < 4 {
		return
	}
	t.conceal(url.QueryEscape(secret), url.PathEscape(secret), hex.EncodeToString([]byte(secret)))
	for offset := range 3 {
		// The characters at both ends also encode bits of what is around the secret; those between are the secret's alone.
		encoded := base64.RawStdEncoding.EncodeToString([]byte(strings.Repeat("x", offset) + secret))
		from, to := (offset*8+5)/6, len(encoded)-1
		if to-from >= 4 {
			t.conceal(encoded[from:to], strings.NewReplacer("+", "-", "/", "_").Replace(encoded[from:to]))
		}
	}
}

// conceal adds forms of a secret to those that are redacted, as they are and in upper case, as response codes are kept.
func (t *transcript) conceal(forms ...string) {
	for _, form := range forms {
		for _, f := range []string{form, strings.ToUpper(form)} {
			if !slices.Contains(t.secrets, f) {
				t.secrets = append(t.secrets, f)
			}
		}
	}
}

// redact redacts what is secret in text.
func (t *transcript) redact(s string) string {
	for _, secret := range t.secrets {
		s = strings.ReplaceAll(s, secret, Redacted)
	}
	return s
}

// clean makes a server's text fit for logs and pages.
func (t *transcript) clean(s string) string { return text.Printable(t.redact(s), MaxText) }

func (t *transcript) add(sent bool, line string) {
	if len(t.lines) < maxTranscript {
		t.lines = append(t.lines, TranscriptLine{At: time.Since(t.start), Sent: sent, Text: t.clean(line)})
	}
}
