package dashboards

import "fmt"

// key are the labels that tell one account's series from another's. Joins go on all of them: two exporters may probe the
// same account.
const key = "job, instance, account, server"

// kept bridges failed probes, which say nothing of quota, certificate and messages.
const kept = "[3h]"

// The states of an account, the worst highest, so that the worst come first in a table.
const (
	stateOK = iota
	stateOnDemand
	stateNoProbe
	stateUnsteady
	stateHeld
	stateFailing
)

var stateWords = []word{
	{"5", "FAILING", bad},
	{"4", "HELD BACK", held},
	{"3", "UNSTEADY", warning},
	{"2", "NO PROBE", blind},
	{"1", "ON DEMAND", neutral},
	{"0", "OK", good},
}

// state is the state of each account as a number. Of two that hold, the first one counts. What the last probe says comes
// before that there was none in time, of which the interval alone remains.
var state = fmt.Sprintf(`(imap_probe_suspended{@} == 1) * %d
or (imap_probe_success{@} == 0) + %d
or (min_over_time(imap_probe_success{@}[15m]) == 0 and imap_probe_success{@} == 1) + %d
or (imap_probe_success{@} == 1) * %d
or (imap_probe_interval_seconds{@} > 0) * 0 + %d
or imap_probe_interval_seconds{@} * 0 + %d`, stateHeld, stateFailing, stateUnsteady, stateOK, stateNoProbe, stateOnDemand)

// inState counts the accounts in a state; one that several exporters probe counts once, in the worst state.
func inState(code int) string {
	worst := "max by (account, server) (" + state + ")"
	return fmt.Sprintf("count((%s) == %d) or 0 * count(imap_probe_interval_seconds{@})", worst, code)
}

// The strips of a state timeline.
const (
	stripFailing = iota
	stripOK
	stripHeld
)

var stripWords = []word{
	{"0", "failing", bad},
	{"1", "OK", good},
	{"2", "held back", held},
}

// strip is the state that the last probe left, for state timelines; nothing while no probe runs.
var strip = fmt.Sprintf(`imap_probe_success{@} + on (%s) %d * imap_probe_suspended{@}`, key, stripHeld)

// lastSuccess is when an account last had a successful probe, as Unix time in seconds. An exporter that was restarted has
// forgotten it, Prometheus not.
const lastSuccess = `max_over_time(imap_probe_last_success_timestamp_seconds{@}[1d])`

// succeeded are the durations of successful probes alone.
const succeeded = `imap_probe_last_duration_seconds{@} and on (` + key + `) imap_probe_success{@} == 1`

// Days until the certificate ends, and how full the fullest quota is, in percent.
const (
	certificateDays = `(min by (` + key + `) (last_over_time(imap_tls_certificate_not_after_timestamp_seconds{@}` + kept + `)) - time()) / 86400`

	quotaPercent = `100 * max by (` + key + `) (
  label_replace(last_over_time(imap_quota_storage_used_bytes{@}` + kept + `) / (last_over_time(imap_quota_storage_limit_bytes{@}` + kept + `) > 0), "of", "storage", "", "")
  or label_replace(last_over_time(imap_quota_messages_used{@}` + kept + `) / (last_over_time(imap_quota_messages_limit{@}` + kept + `) > 0), "of", "messages", "", "")
)`
)

// quantile is a quantile of a histogram, by labels such as "phase", over a range. It reads the classic buckets, and where
// there are none the native histogram.
func quantile(q, histogram, by, over string) string {
	le, plain := "le", ""
	if by != "" {
		le, plain = by+", le", " by ("+by+")"
	}
	name, matchers := histogram, "{@}"
	for i, c := range histogram {
		if c == '{' {
			name, matchers = histogram[:i], "{@, "+histogram[i+1:]
			break
		}
	}
	return fmt.Sprintf("histogram_quantile(%s, sum by (%s) (rate(%s_bucket%s[%s])))\nor histogram_quantile(%s, sum%s (rate(%s%s[%s])))",
		q, le, name, matchers, over, q, plain, name, matchers, over)
}

// The histograms of probes.
const (
	phaseHistogram = "imap_probe_phase_duration_seconds"
	probeHistogram = "imap_probe_duration_seconds"
	authHistogram  = phaseHistogram + `{phase="auth"}`
)

// The ranges of rates: that of a graph's point, and the whole time that is shown.
const (
	point = "$__rate_interval"
	whole = "$__range"
)

// failureReasons counts failures by phase and reason, point by point.
const failureReasons = `sum by (phase, reason) (increase(imap_probe_failure_reasons_total{@}[$__rate_interval])) > 0`
