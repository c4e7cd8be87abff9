package config

import (
	"regexp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"imap-exporter/probe"
)

// checkName reports whether the name of an account or module can be used; seen has the places of the names before it.
func checkName(p position, name string, seen map[string]position) bool {
	switch other, twice := seen[name]; {
	case name == "":
		p.key("name").errorf("is missing: write a name of your choice")
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

// isPrintable reports whether a text can become a label value: printable, at most probe.MaxNameRunes.
func isPrintable(s string) bool {
	return utf8.ValidString(s) && utf8.RuneCountInString(s) <= probe.MaxNameRunes &&
		!strings.ContainsFunc(s, func(r rune) bool { return !unicode.IsPrint(r) })
}

// labelName is Prometheus' rule for the names of labels.
var labelName = regexp.MustCompile(`^[a-zA-Z_][a-zA-Z0-9_]*$`)

// checkLabels checks an account's own labels: those that other metrics or Prometheus itself use would collide.
func checkLabels(p position, labels map[string]string) {
	for name, value := range labels {
		switch at := p.key(name); {
		case !labelName.MatchString(name):
			at.errorf("is not a label name: letters, digits and _, not starting with a digit")
		case strings.HasPrefix(name, "__"):
			at.errorf("starts with __, which Prometheus keeps for itself: choose another name")
		case slices.Contains([]string{"account", "server", "job", "instance", "le"}, name):
			at.errorf("is a label that Prometheus or the exporter sets: choose another name")
		case !isPrintable(value):
			at.errorf("must be printable text of at most %d characters", probe.MaxNameRunes)
		}
	}
}

// breaksLine reports whether a text has what would end an IMAP command before its time.
func breaksLine(s string) bool { return strings.ContainsAny(s, "\r\n\x00") }
