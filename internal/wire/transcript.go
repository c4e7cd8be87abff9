package wire

import (
	"encoding/base64"
	"strings"
	"time"
)

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

// hide blanks secret in all server text from now on, as it is and as base64 at each of three offsets.
func (t *transcript) hide(secret string) {
	if secret == "" {
		return
	}
	// As it is, as a quoted string has it, and in capitals, as response codes are kept.
	t.secrets = append(t.secrets, secret, escaper.Replace(secret), strings.ToUpper(secret), strings.ToUpper(escaper.Replace(secret)))
	for offset := range 3 {
		// The characters at the ends mix with the neighbours' bits; those between are the secret's alone.
		encoded := base64.RawStdEncoding.EncodeToString([]byte(strings.Repeat("x", offset) + secret))
		from, to := (offset*8+5)/6, len(encoded)-1
		if to-from >= 4 {
			t.secrets = append(t.secrets, encoded[from:to])
		}
	}
}

// redact blanks what is secret in text.
func (t *transcript) redact(text string) string {
	for _, secret := range t.secrets {
		text = strings.ReplaceAll(text, secret, blank)
	}
	return text
}

// clean makes a server's text fit for logs.
func (t *transcript) clean(text string) string { return Printable(t.redact(text), MaxText) }

func (t *transcript) add(sent bool, text string) {
	if len(t.lines) < maxTranscript {
		t.lines = append(t.lines, TranscriptLine{At: time.Since(t.start), Sent: sent, Text: t.clean(text)})
	}
}
