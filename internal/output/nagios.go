package output

import (
	"fmt"
	"io"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"

	"imap-exporter/internal/nagios"
	"imap-exporter/internal/waterfall"
	"imap-exporter/probe"
)

// The labels of values that are no phase's.
const (
	labelTime        = "time"
	labelCertificate = "certificate_days"
	labelQuota       = "quota_percent"
	labelMessages    = "messages" // of INBOX
	labelUnseen      = "unseen"
)

// Thresholds are ranges by the label of what they judge.
type Thresholds map[string]nagios.Range

// ParseThresholds reads "RANGE", which judges the time of the whole probe, and "LABEL=RANGE".
func ParseThresholds(texts []string) (Thresholds, error) {
	thresholds := Thresholds{}
	for _, text := range texts {
		label, value, ok := strings.Cut(text, "=")
		if !ok {
			label, value = labelTime, text
		}
		if !slices.Contains(Labels(), label) {
			return nil, fmt.Errorf("there is no %s to judge: the known ones are %s", label, strings.Join(Labels(), ", "))
		}
		r, err := nagios.ParseRange(value)
		if err != nil {
			return nil, err
		}
		thresholds[label] = r
	}
	return thresholds, nil
}

// Labels returns what a threshold may judge.
func Labels() []string {
	labels := []string{labelTime, labelCertificate, labelQuota, labelMessages, labelUnseen}
	for _, phase := range probe.Phases() {
		labels = append(labels, string(phase))
	}
	return labels
}

// Nagios writes the line of a plugin, and returns the state: of one probe with all that it measured, of several the worst
// of them, with the time of each.
func Nagios(w io.Writer, probes []Probe, warning, critical Thresholds) (nagios.State, error) {
	state := nagios.OK
	var problems []string
	var data []nagios.Value
	for _, p := range probes {
		values := valuesOf(p.Result, warning, critical)
		s, problem := judge(p, values, warning, critical)
		state = nagios.Worst(state, s)
		if problem != "" {
			problems = append(problems, p.Account.Name+" "+problem)
		}
		switch {
		case p.Result == nil:
		case len(probes) == 1:
			data = values
		default:
			whole := values[0]
			whole.Label = p.Account.Name + " " + whole.Label
			data = append(data, whole)
		}
	}
	text := strings.Join(problems, "; ")
	switch {
	case text == "" && len(probes) == 1:
		text = probes[0].Account.Name + " in " + waterfall.Milliseconds(probes[0].Result.Duration)
	case text == "":
		text = fmt.Sprintf("all %d accounts", len(probes))
	case len(probes) > 1:
		text = fmt.Sprintf("%d of %d accounts: %s", len(problems), len(probes), text)
	}
	_, err := fmt.Fprintln(w, nagios.Line("IMAP", state, text, data))
	return state, err
}

// judge returns the state of one probe, and what is wrong.
func judge(p Probe, values []nagios.Value, warning, critical Thresholds) (state nagios.State, problem string) {
	if p.Result == nil {
		return nagios.Unknown, "not probed: " + p.Err.Error()
	}
	if err := p.Result.Err; err != nil {
		return nagios.Critical, fmt.Sprintf("%s/%s: %s", err.Phase, err.Reason, err.Text)
	}
	var problems []string
	known := map[string]bool{}
	for _, v := range values {
		known[v.Label] = true
		if s := v.State(); s != nagios.OK {
			state = nagios.Worst(state, s)
			problems = append(problems, fmt.Sprintf("%s is %s", v.Label, strconv.FormatFloat(math.Round(v.Value*1000)/1000, 'f', -1, 64)+v.Unit))
		}
	}
	for _, thresholds := range []Thresholds{warning, critical} {
		for _, label := range slices.Sorted(maps.Keys(thresholds)) {
			if !known[label] {
				known[label] = true
				state = nagios.Worst(state, nagios.Unknown)
				problems = append(problems, "no "+label+" was measured")
			}
		}
	}
	return state, strings.Join(problems, ", ")
}

// valuesOf returns what a probe measured, the time of the whole first.
func valuesOf(r *probe.Result, warning, critical Thresholds) (values []nagios.Value) {
	if r == nil {
		return nil
	}
	add := func(label string, value float64, unit string) {
		v := nagios.Value{Label: label, Value: value, Unit: unit}
		if limit, ok := warning[label]; ok {
			v.Warning = &limit
		}
		if limit, ok := critical[label]; ok {
			v.Critical = &limit
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
	if !r.OK() { // It says nothing about mailboxes and quota.
		return values
	}
	if percent, ok := fullest(r.Quota); ok {
		add(labelQuota, percent, "%")
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

// fullest returns how full the fullest quota root is, in percent of its storage or messages.
func fullest(q *probe.Quota) (percent float64, ok bool) {
	if q == nil {
		return 0, false
	}
	for _, root := range q.Roots {
		for _, resource := range []*probe.Resource{root.Storage, root.Messages} {
			if resource != nil && resource.Limit > 0 {
				percent = max(percent, math.Floor(float64(resource.Used)/float64(resource.Limit)*1000)/10)
				ok = true
			}
		}
	}
	return percent, ok
}
