package collectors

import (
	"slices"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"imap-exporter/probe"
)

// A snapshot is all that is rendered at one scrape, the histograms aside. Nobody else changes it.
type snapshot struct {
	now       time.Time
	accounts  []view
	servers   map[string]server
	ownLabels []string
	descs     [metricCount]*prometheus.Desc
	inFlight  int
	reloaded  bool
	reloadOK  bool
	reloadAt  time.Time
}

// A view is one account at one moment.
type view struct {
	account
	// last is the last Result; nil before the first one.
	last *probe.Result
	// lastSuccess is when the last successful probe began; zero when there was none.
	lastSuccess time.Time
}

// A sample is one metric of the catalogue with its values.
type sample struct {
	id     id
	value  float64
	labels []string
	// since is when a counter was 0; zero for gauges.
	since time.Time
}

// metric makes a metric for the registry. It fails on labels that can't be exported: leaving such a sample out is
// better than passing the error on, which would take the whole page away.
func (s sample) metric(desc *prometheus.Desc, t Type) (prometheus.Metric, error) {
	if t == Counter {
		return prometheus.NewConstMetricWithCreatedTimestamp(desc, prometheus.CounterValue, s.value, s.since, s.labels...)
	}
	return prometheus.NewConstMetric(desc, prometheus.GaugeValue, s.value, s.labels...)
}

// samples renders the snapshot.
func (s *snapshot) samples() []sample {
	out := s.program()
	for _, v := range s.accounts {
		out = append(out, v.samples(s.ownLabels)...)
		if v.last != nil {
			out = append(out, render(v.last, v.Account, s.now)...)
		}
	}
	for name, state := range s.servers {
		out = append(out, state.samples(name)...)
	}
	return append(out, capabilities(s.accounts, s.now)...)
}

// program renders what is about the exporter itself.
func (s *snapshot) program() []sample {
	out := []sample{{id: exporterAccounts, value: float64(len(s.accounts))}}
	if s.inFlight >= 0 {
		out = append(out, sample{id: exporterProbesInFlight, value: float64(s.inFlight)})
	}
	if s.reloaded {
		out = append(out, sample{id: exporterReloadSuccessful, value: boolean(s.reloadOK)})
	}
	if !s.reloadAt.IsZero() {
		out = append(out, sample{id: exporterReloadSuccess, value: unix(s.reloadAt)})
	}
	return out
}

// samples renders what is known of an account without looking into its last Result.
func (v *view) samples(ownLabels []string) []sample {
	labels := []string{v.Name, v.Server}
	info := slices.Clone(labels)
	for _, name := range ownLabels {
		info = append(info, labelValue(v.Labels[name]))
	}
	out := []sample{
		{id: accountInfo, value: 1, labels: info},
		{id: probeInterval, value: v.Interval.Seconds(), labels: labels},
		{id: probes, value: float64(v.probes), labels: labels, since: v.since},
		{id: probeFailures, value: float64(v.failures), labels: labels, since: v.since},
	}
	if v.last != nil {
		out = append(out, sample{id: probeLastRun, value: unix(v.last.Start), labels: labels})
	}
	if !v.lastSuccess.IsZero() {
		out = append(out, sample{id: probeLastSuccess, value: unix(v.lastSuccess), labels: labels})
	}
	return out
}

// samples renders the counters of the server with this name.
func (s *server) samples(name string) []sample {
	out := []sample{{id: capabilityChanges, value: float64(s.capabilityChanges), labels: []string{name}, since: s.since}}
	for f, n := range s.failures {
		labels := []string{name, string(f.phase), string(f.reason)}
		out = append(out, sample{id: probeFailureReasons, value: float64(n), labels: labels, since: s.since})
	}
	for a, n := range s.connects {
		result := string(a.reason)
		if result == "" {
			result = "ok"
		}
		labels := []string{name, string(a.family), result}
		out = append(out, sample{id: connectAttempts, value: float64(n), labels: labels, since: s.since})
	}
	return out
}
