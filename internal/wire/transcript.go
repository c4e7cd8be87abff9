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

// maxTranscript bounds the lines kept of one conversation. What comes later is dropped, for a first failure explains itself.
const maxTranscript = 128

// blank stands where something secret was.
const blank = "***"

// A TranscriptLine is one line of a conversation, printable and cut, with what is secret blanked as it was sent.
type TranscriptLine struct {
	// At is the time since the connection was made.
	At time.Duration
	// Sent is true for ours, false for the server's.
	Sent bool
	Text string
}

// A transcript writes down a conversation. Secrets that a server repeats are blanked too.
type transcript struct {
	start   time.Time
	lines   []TranscriptLine
	secrets []string
}

// hide blanks secret in all server text from now on: as it is, and in each form in which a server may repeat it by habit
// or by malice, as far as that can be told from a chance likeness.
func (t *transcript) hide(secret string) {
	if secret == "" {
		return
	}
	t.conceal(secret, escaper.Replace(secret))
	if len(secret) < 4 {
		return
	}
	t.conceal(url.QueryEscape(secret), url.PathEscape(secret), hex.EncodeToString([]byte(secret)))
	for offset := range 3 {
		// The characters at the ends mix with the neighbours' bits; those between are the secret's alone.
		encoded := base64.RawStdEncoding.EncodeToString([]byte(strings.Repeat("x", offset) + secret))
		from, to := (offset*8+5)/6, len(encoded)-1
		if to-from >= 4 {
			t.conceal(encoded[from:to], strings.NewReplacer("+", "-", "/", "_").Replace(encoded[from:to]))
		}
	}
}

// conceal adds forms of a secret to those that are not to be shown, as they are and in capitals, as response codes are kept.
func (t *transcript) conceal(forms ...string) {
	for _, form := range forms {
		for _, f := range []string{form, strings.ToUpper(form)} {
			if !slices.Contains(t.secrets, f) {
				t.secrets = append(t.secrets, f)
			}
		}
	}
}

// redact blanks what is secret in text.
func (t *transcript) redact(s string) string {
	for _, secret := range t.secrets {
		s = strings.ReplaceAll(s, secret, blank)
	}
	return s
}

// clean makes a server's text fit for logs.
func (t *transcript) clean(s string) string { return text.Printable(t.redact(s), MaxText) }

func (t *transcript) add(sent bool, line string) {
	if len(t.lines) < maxTranscript {
		t.lines = append(t.lines, TranscriptLine{At: time.Since(t.start), Sent: sent, Text: t.clean(line)})
	}
}
