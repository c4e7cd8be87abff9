package collectors

import "google.golang.org/protobuf/types/known/timestamppb"

// A sample is one metric of the catalogue with its value.
type sample struct {
	id     id
	value  float64
	labels labels
	// since is when a counter was 0; nil for gauges.
	since *timestamppb.Timestamp
}

// samples renders what is known of an account without looking into its last Result.
func (a *account) samples() []sample {
	out := []sample{
		{id: probeInterval, value: a.Interval.Seconds(), labels: a.labels},
		{id: probes, value: float64(a.probes), labels: a.labels, since: a.since},
		{id: probeFailures, value: float64(a.failures), labels: a.labels, since: a.since},
		{id: probeSuspended, value: boolean(a.state.Suspended), labels: a.labels},
	}
	if !a.lastRun.IsZero() {
		out = append(out, sample{id: probeLastRun, value: unix(a.lastRun), labels: a.labels})
	}
	if !a.lastSuccess.IsZero() {
		out = append(out, sample{id: probeLastSuccess, value: unix(a.lastSuccess), labels: a.labels})
	}
	if !a.state.NextRun.IsZero() {
		out = append(out, sample{id: probeNextRun, value: unix(a.state.NextRun), labels: a.labels})
	}
	if a.state.Suspended && !a.state.NextLogin.IsZero() {
		out = append(out, sample{id: probeNextLogin, value: unix(a.state.NextLogin), labels: a.labels})
	}
	return out
}

// info renders imap_account_info with these names of accounts' own labels.
func (a *account) info(ownLabels []string) []sample {
	all := a.labels
	for _, name := range ownLabels {
		all = all.with(pair(name, labelValue(a.Labels[name])))
	}
	return []sample{{id: accountInfo, value: 1, labels: all}}
}

// failureSamples renders the failures of a server's accounts.
func (s *server) failureSamples() (out []sample) {
	for f, n := range s.failures {
		l := s.labels.with(pair("phase", f.phase), pair("reason", f.reason))
		out = append(out, sample{id: probeFailureReasons, value: float64(n), labels: l, since: s.since})
	}
	return out
}

// connectSamples renders the attempts to connect to a server.
func (s *server) connectSamples() (out []sample) {
	for a, n := range s.connects {
		result := a.reason
		if result == "" {
			result = "ok"
		}
		l := s.labels.with(pair("family", a.family), pair("result", result))
		out = append(out, sample{id: connectAttempts, value: float64(n), labels: l, since: s.since})
	}
	return out
}

// changeSamples renders the changes of a server's capabilities.
func (s *server) changeSamples() []sample {
	return []sample{{id: capabilityChanges, value: float64(s.capabilityChanges), labels: s.labels, since: s.since}}
}
