// Package nagios writes what Nagios and its kin read of a plugin, by the Monitoring Plugins Development Guidelines: one
// line, "IMAP OK - all is well | time=0.12s;1;2;0;", and an exit status that says the same.
package nagios

import (
	"fmt"
	"strconv"
	"strings"
)

// A State is the state of a service, and the exit status that tells it.
type State int

// The states.
const (
	OK State = iota
	Warning
	Critical
	Unknown
)

// String returns the state as the line has it.
func (s State) String() string {
	return [...]string{"OK", "WARNING", "CRITICAL", "UNKNOWN"}[s]
}

// Worst returns the worse of two states: CRITICAL is worse than WARNING, that than UNKNOWN, and all than OK.
func Worst(a, b State) State {
	rank := [...]int{OK: 0, Unknown: 1, Warning: 2, Critical: 3}
	if rank[b] > rank[a] {
		return b
	}
	return a
}

// A Value is one of the performance data.
type Value struct {
	// Label may hold anything but an equals sign.
	Label string
	Value float64
	// Unit is s, %, B, c, or "" for a number of things.
	Unit string
	// Warning and Critical are nil where there is no threshold.
	Warning, Critical *Range
}

// State judges the value by its thresholds.
func (v Value) State() State {
	switch {
	case v.Critical != nil && v.Critical.Alerts(v.Value):
		return Critical
	case v.Warning != nil && v.Warning.Alerts(v.Value):
		return Warning
	}
	return OK
}

// String returns the value as the line has it: 'label'=value[unit];[warning];[critical];[minimum]. No value of ours is
// negative by nature, but the days that a certificate is valid for.
func (v Value) String() string {
	label := strings.ReplaceAll(oneLine(v.Label), "=", "_")
	if strings.ContainsAny(label, " '") {
		label = "'" + strings.ReplaceAll(label, "'", "''") + "'"
	}
	text := label + "=" + strconv.FormatFloat(v.Value, 'f', -1, 64) + v.Unit + ";" + v.Warning.String() + ";" + v.Critical.String()
	if v.Value >= 0 {
		text += ";0"
	}
	return text
}

// Line returns the line of a plugin, without a line break.
func Line(service string, state State, text string, values []Value) string {
	line := fmt.Sprintf("%s %s - %s", service, state, oneLine(text))
	if len(values) == 0 {
		return line
	}
	data := make([]string, len(values))
	for i, v := range values {
		data[i] = v.String()
	}
	return line + " | " + strings.Join(data, " ")
}

// oneLine keeps text from ending the line, or beginning the performance data.
func oneLine(text string) string {
	return strings.NewReplacer("|", "¦", "\n", " ", "\r", " ").Replace(text)
}
