package format

import (
	"fmt"
	"strconv"
	"strings"
)

// A NagiosState is the state of a service, and the exit status of the plugin that reports it.
type NagiosState int

// The states, by the Monitoring Plugins Development Guidelines.
const (
	NagiosOK NagiosState = iota
	NagiosWarning
	NagiosCritical
	NagiosUnknown
)

// String returns the state as the line has it.
func (s NagiosState) String() string {
	return [...]string{"OK", "WARNING", "CRITICAL", "UNKNOWN"}[s]
}

// worse returns the worse of two states: CRITICAL is worse than WARNING, WARNING than UNKNOWN, UNKNOWN than OK.
func (s NagiosState) worse(other NagiosState) NagiosState {
	rank := [...]int{NagiosOK: 0, NagiosUnknown: 1, NagiosWarning: 2, NagiosCritical: 3}
	if rank[other] > rank[s] {
		return other
	}
	return s
}

// A perfValue is one value of a plugin's performance data.
type perfValue struct {
	// label may hold anything but an equals sign.
	label string
	value float64
	// unit is "s", "%", or "" for a count.
	unit string
	// warning and critical are nil where there is no threshold.
	warning, critical *Range
}

// state judges the value by its thresholds.
func (v perfValue) state() NagiosState {
	switch {
	case v.critical != nil && v.critical.Alerts(v.value):
		return NagiosCritical
	case v.warning != nil && v.warning.Alerts(v.value):
		return NagiosWarning
	}
	return NagiosOK
}

// String returns 'label'=value[unit];[warning];[critical];[minimum]. The minimum is 0 for all values but negative ones, such as
// the days since a certificate expired.
func (v perfValue) String() string {
	label := strings.ReplaceAll(oneLine(v.label), "=", "_")
	if strings.ContainsAny(label, " '") {
		label = "'" + strings.ReplaceAll(label, "'", "''") + "'"
	}
	text := label + "=" + strconv.FormatFloat(v.value, 'f', -1, 64) + v.unit + ";" + v.warning.String() + ";" + v.critical.String()
	if v.value >= 0 {
		text += ";0"
	}
	return text
}

// NagiosUnknownLine returns the line of a plugin that could not check anything.
func NagiosUnknownLine(err error) string { return nagiosLine(NagiosUnknown, err.Error(), nil) }

// nagiosLine returns the line of a plugin without a line break: "IMAP OK - all is well | time=0.12s;1;2;0".
func nagiosLine(state NagiosState, text string, values []perfValue) string {
	line := fmt.Sprintf("IMAP %s - %s", state, oneLine(text))
	if len(values) == 0 {
		return line
	}
	data := make([]string, len(values))
	for i, v := range values {
		data[i] = v.String()
	}
	return line + " | " + strings.Join(data, " ")
}

// oneLine makes text printable, and keeps it from ending the line or beginning the performance data.
func oneLine(text string) string {
	return printable(strings.NewReplacer("|", "¦", "\n", " ", "\r", " ").Replace(text))
}
