package format

import (
	"fmt"
	"strings"

	"imap-exporter/probe"
)

// Transcript writes a conversation, one line each: the time since the connection was begun, the speaker, and what was said.
// Credentials in it were redacted when they were sent.
func Transcript(lines []probe.TranscriptLine) string {
	var b strings.Builder
	for _, line := range lines {
		fmt.Fprintf(&b, "%*s  %s %s\n", timeWidth, Milliseconds(line.At), Speaker(line), printable(line.Text))
	}
	return b.String()
}

// Speaker returns who said a line: "C:" for the client, which is the exporter, "S:" for the server.
func Speaker(line probe.TranscriptLine) string {
	if line.Sent {
		return "C:"
	}
	return "S:"
}
