package web

import (
	"bufio"
	"bytes"
	"strings"

	"imap-exporter/docs"
	"imap-exporter/probe"
)

// An explanation is what the documentation says of a reason.
type explanation struct {
	// Meaning is what likely happened, and Who should act.
	Meaning, Who []phrase
}

// A phrase is a piece of a sentence, perhaps one of code.
type phrase struct {
	Text string
	Code bool
}

// explanations are the rows of the tables in docs/imap.md, so that the page and the documentation say the same.
type explanations struct {
	reasons map[probe.Reason]explanation
	// slow is what usually makes a phase slow, and look what to look at then.
	slow, look map[probe.Phase][]phrase
}

// explain reads the tables of reasons and phases.
func explain() explanations {
	e := explanations{map[probe.Reason]explanation{}, map[probe.Phase][]phrase{}, map[probe.Phase][]phrase{}}
	page, err := docs.Files.ReadFile("imap.md")
	if err != nil {
		return e // It is compiled in.
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
			e.reasons[probe.Reason(name)] = explanation{phrases(cells[1]), phrases(cells[2])}
		case title == "phase" && len(cells) == 5:
			e.slow[probe.Phase(name)], e.look[probe.Phase(name)] = phrases(cells[3]), phrases(cells[4])
		}
	}
	return e
}

// phrases takes a Markdown sentence apart at its code spans.
func phrases(markdown string) []phrase {
	var all []phrase
	for i, piece := range strings.Split(strings.TrimSpace(markdown), "`") {
		if piece != "" {
			all = append(all, phrase{piece, i%2 == 1})
		}
	}
	return all
}
