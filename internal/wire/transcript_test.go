package wire

import (
	"encoding/base64"
	"strings"
	"testing"
)

func TestTranscriptHidesSecrets(t *testing.T) {
	const secret = "canary-4c1d-secret"
	var tr transcript
	tr.hide(secret)
	tr.hide("")
	for offset := range 3 {
		prefix := strings.Repeat("\x00", offset)
		tr.add(false, "NO "+base64.StdEncoding.EncodeToString([]byte(prefix+secret+"\x01\x01")))
		tr.add(false, "NO "+base64.RawStdEncoding.EncodeToString([]byte(prefix+secret)))
	}
	tr.add(false, "NO "+strings.Repeat("padding ", 23)+secret) // across the cut
	for _, line := range tr.lines {
		if strings.Contains(line.Text, "canary") || strings.Contains(line.Text, secret[:4]) || !strings.Contains(line.Text, Redacted) {
			t.Errorf("line %q", line.Text)
		}
		decoded, _ := base64.RawStdEncoding.DecodeString(strings.TrimLeft(line.Text, "NO "))
		if strings.Contains(string(decoded), "canary") {
			t.Errorf("line %q decodes to %q", line.Text, decoded)
		}
	}
	for range 2 * maxTranscript {
		tr.add(true, "NOOP")
	}
	if len(tr.lines) != maxTranscript {
		t.Errorf("%d lines, want at most %d", len(tr.lines), maxTranscript)
	}
}
