package format

import (
	"fmt"
	"io"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"

	"imap-exporter/probe"
)

// The labels of values other than the durations of phases.
const (
	labelTime        = "time"
	labelCertificate = "certificate_days"
	labelQuota       = "quota_percent"
	labelMessages    = "messages" // of INBOX
	labelUnseen      = "unseen"
)

// Thresholds are ranges by the label of the value that they judge.
type Thresholds map[string]Range

// ParseThresholds reads texts of the form LABEL=RANGE, or RANGE for the duration of the whole probe.
func ParseThresholds(texts []string) (Thresholds, error) {
	thresholds := Thresholds{}
	for _, text := range texts {
		label, value, ok := strings.Cut(text, "=")
		if !ok {
			label, value = labelTime, text
		}
		if !slices.Contains(thresholdLabels(), label) {
			return nil, fmt.Errorf("no threshold for %s: the known labels are %s", label, strings.Join(thresholdLabels(), ", "))
		}
		r, err := ParseRange(value)
		if err != nil {
			return nil, err
		}
		thresholds[label] = r
	}
	return thresholds, nil
}

// thresholdLabels returns the labels that a threshold may have.
func thresholdLabels() []string {
	labels := []string{labelTime, labelCertificate, labelQuota, labelMessages, labelUnseen}
	for _, phase := range probe.IMAP.Phases {
		labels = append(labels, string(phase))
	}
	return labels
}

// Nagios writes the line of a plugin and returns its state. For one probe the performance data are all that it measured; for
// several the state is the worst of theirs, and the performance data are their durations.
func Nagios(w io.Writer, probes []Probe, warning, critical Thresholds) (NagiosState, error) {
	state := NagiosOK
	var problems []string
	var data []perfValue
	for _, p := range probes {
		values := measuredValues(p.Result, warning, critical)
		s, problem := judgeProbe(p, values, warning, critical)
		state = state.worse(s)
		if problem != "" {
			problems = append(problems, p.Account.Name+" "+problem)
		}
		switch {
		case p.Result == nil:
		case len(probes) == 1:
			data = values
		default:
			duration := values[0]
			duration.label = p.Account.Name + " " + duration.label
			data = append(data, duration)
		}
	}
	text := strings.Join(problems, "; ")
	switch {
	case text == "" && len(probes) == 1:
		text = probes[0].Account.Name + " in " + Milliseconds(probes[0].Result.Duration)
	case text == "":
		text = fmt.Sprintf("all %d accounts", len(probes))
	case len(probes) > 1:
		text = fmt.Sprintf("%d of %d accounts: %s", len(problems), len(probes), text)
	}
	_, err := fmt.Fprintln(w, nagiosLine(state, text, data))
	return state, err
}

// judgeProbe returns the state of one probe, and what is wrong with it.
func judgeProbe(p Probe, values []perfValue, warning, critical Thresholds) (state NagiosState, problem string) {
	if p.Result == nil {
		return NagiosUnknown, "not probed: " + p.Err.Error()
	}
	if err := p.Result.Err; err != nil {
		return NagiosCritical, failure(err)
	}
	var problems []string
	known := map[string]bool{labelQuota: measuredUsage(p.Result.Quota)}
	for _, v := range values {
		known[v.label] = true
		if s := v.state(); s != NagiosOK {
			state = state.worse(s)
			problems = append(problems, fmt.Sprintf("%s is %s", v.label, strconv.FormatFloat(math.Round(v.value*1000)/1000, 'f', -1, 64)+v.unit))
		}
	}
	for _, thresholds := range []Thresholds{warning, critical} {
		for _, label := range slices.Sorted(maps.Keys(thresholds)) {
			if !known[label] {
				known[label] = true
				state = state.worse(NagiosUnknown)
				problems = append(problems, "no "+label+" was measured")
			}
		}
	}
	return state, strings.Join(problems, ", ")
}

// measuredUsage reports whether the server told the usage of any quota root. Where it told no limit, there is no
// percentage either, and no threshold of it is exceeded.
func measuredUsage(q *probe.Quota) bool {
	return q != nil && slices.ContainsFunc(q.Roots, func(root probe.QuotaRoot) bool { return root.Storage != nil || root.Messages != nil })
}

// measuredValues returns what a probe measured. The first value is the duration of the whole probe.
func measuredValues(r *probe.Result, warning, critical Thresholds) (values []perfValue) {
	if r == nil {
		return nil
	}
	add := func(label string, value float64, unit string) {
		v := perfValue{label: label, value: value, unit: unit}
		if limit, ok := warning[label]; ok {
			v.warning = &limit
		}
		if limit, ok := critical[label]; ok {
			v.critical = &limit
		}
		values = append(values, v)
	}
	add(labelTime, r.Duration.Seconds(), "s")
	for _, t := range r.Phases {
		add(string(t.Phase), t.Duration.Seconds(), "s")
	}
	if r.TLS != nil && !r.TLS.NotAfter.IsZero() {
		days := r.TLS.NotAfter.Sub(r.Start).Hours() / 24
		add(labelCertificate, math.Floor(days*10)/10, "")
	}
	if !r.OK() { // What a failed probe counted before it failed may be incomplete.
		return values
	}
	fullest, _ := r.Quota.Fullest()
	if fraction, ok := fullest.Fraction(); ok {
		add(labelQuota, math.Floor(fraction*1000)/10, "%")
	}
	if i := slices.IndexFunc(r.Mailboxes, func(m probe.Mailbox) bool { return m.Name == "INBOX" }); i >= 0 {
		if n := r.Mailboxes[i].Messages; n != nil {
			add(labelMessages, float64(*n), "")
		}
		if n := r.Mailboxes[i].Unseen; n != nil {
			add(labelUnseen, float64(*n), "")
		}
	}
	return values
}
