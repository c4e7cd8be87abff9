package config

import (
	"regexp"
	"strings"

	"imap-exporter/internal/account"
	"imap-exporter/internal/text"
	"imap-exporter/probe"
)

// checkName checks the name of an account or module, and reports whether it can be used. It adds it to seen, the positions of
// the names before it.
func checkName(p position, name string, seen map[string]position) bool {
	switch other, twice := seen[name]; {
	case name == "":
		p.key("name").errorf("is missing: choose one")
	case !isPrintable(name):
		p.key("name").errorf("must be printable text of at most %d characters", probe.MaxNameRunes)
	case twice:
		p.key("name").errorf("is the same as in %s: names must differ", other)
	default:
		seen[name] = p.key("name")
		return true
	}
	return false
}

// isPrintable reports whether s can be a label value as it is: printable, at most probe.MaxNameRunes long.
func isPrintable(s string) bool { return text.LabelValue(s, probe.MaxNameRunes) == s }

// labelName matches the label names that Prometheus accepts.
var labelName = regexp.MustCompile(`^[a-zA-Z_][a-zA-Z0-9_]*$`)

// checkLabels checks the labels of an account. They must not collide with labels that Prometheus or our metrics use.
func checkLabels(p position, labels map[string]string) {
	for name, value := range labels {
		switch at := p.key(name); {
		case !labelName.MatchString(name):
			at.errorf("is not a label name: letters, digits and _, not starting with a digit")
		case strings.HasPrefix(name, "__"):
			at.errorf("starts with __, which Prometheus keeps for itself: choose another name")
		case account.ReservedLabel(name):
			at.errorf("is a label that Prometheus or the exporter sets: choose another name")
		case !isPrintable(value):
			at.errorf("must be printable text of at most %d characters", probe.MaxNameRunes)
		}
	}
}

// breaksLine reports whether a text has a character that would end an IMAP command: CR, LF or NUL.
func breaksLine(s string) bool { return strings.ContainsAny(s, "\r\n\x00") }
