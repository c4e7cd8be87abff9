package web

import (
	"bufio"
	"bytes"
	"strings"

	imapexporter "imap-exporter"
	"imap-exporter/probe"
)

// An explanation is what docs/imap.md says about a reason.
type explanation struct {
	// Meaning is what probably happened, and Who should act.
	Meaning, Who []textSpan
}

// A textSpan is a piece of a sentence; Code says that it is a code span.
type textSpan struct {
	Text string
	Code bool
}

// explanations are the rows of the table of reasons in docs/imap.md, so that pages and documentation say the same.
type explanations map[probe.Reason]explanation

// loadExplanations reads the table of reasons.
func loadExplanations() explanations {
	e := explanations{}
	page, err := imapexporter.Documentation.ReadFile("docs/imap.md")
	if err != nil {
		return e // Never: the file is embedded.
	}
	title := ""
	for lines := bufio.NewScanner(bytes.NewReader(page)); lines.Scan(); {
		cells := strings.Split(strings.Trim(strings.TrimSpace(lines.Text()), "|"), " | ")
		name := strings.Trim(strings.TrimSpace(cells[0]), "`")
		switch {
		case !strings.HasPrefix(lines.Text(), "|"):
			title = ""
		case title == "":
			title = name
		case title == "reason" && len(cells) == 3:
			e[probe.Reason(name)] = explanation{parseTextSpans(cells[1]), parseTextSpans(cells[2])}
		}
	}
	return e
}

// parseTextSpans splits a Markdown sentence at its code spans.
func parseTextSpans(markdown string) []textSpan {
	var all []textSpan
	for i, text := range strings.Split(strings.TrimSpace(markdown), "`") {
		if text != "" {
			all = append(all, textSpan{text, i%2 == 1})
		}
	}
	return all
}
