package dashboards

import (
	"fmt"
	"strings"
)

// key are the labels that tell one account's series from another's. Joins go on all of them: two exporters may probe the
// same account.
const key = "job, instance, account, server"

// kept bridges failed probes, which say nothing of quota, certificate and messages.
const kept = "[3h]"

// The states of an account, the worst highest, so that the worst come first in a table.
const (
	stateOK = iota
	stateOnDemand
	stateWarning
	stateUnsteady
	stateNoProbe
	stateHeld
	stateFailing
)

var stateWords = []word{
	{"6", "FAILING", bad},
	{"5", "HELD BACK", held},
	{"4", "NO PROBE", blind},
	{"3", "UNSTEADY", warning},
	{"2", "WARNING", "dark-yellow"},
	{"1", "ON DEMAND", neutral},
	{"0", "OK", good},
}

// state is the state of each account as a number. Of two that hold, the first one counts. What the last probe says comes
// before that there was none in time, of which the interval alone remains.
var state = fmt.Sprintf(`(imap_probe_suspended{@} == 1) * %d
or (imap_probe_success{@} == 0) + %d
or (%s) + %d
or (%s) * 0 + %d
or (imap_probe_success{@} == 1) * %d
or (imap_probe_interval_seconds{@} > 0) * 0 + %d
or imap_probe_interval_seconds{@} * 0 + %d`, stateHeld, stateFailing, unsteady, stateUnsteady, trouble, stateWarning, stateOK, stateNoProbe, stateOnDemand)

// trouble are the accounts that are fine, but not for long: the certificate ends, the quota is nearly full, or probes take
// three times as long as a day ago, and noticeably so.
const trouble = `(
  ` + certificateDays + ` < 21
  or ` + quotaPercent + ` >= 90
  or max by (` + key + `) (` + takes + `) > 0.25 + 3 * max by (` + key + `) (` + tookYesterday + `)
) and on (` + key + `) imap_probe_success{@} == 1`

// The states that are worth a number of their own. They ask no more than each needs, since they are asked all the time.
const (
	failing  = `imap_probe_success{@} == 0 unless on (` + key + `) imap_probe_suspended{@} == 1`
	heldBack = `imap_probe_suspended{@} == 1`
	noProbe  = `imap_probe_interval_seconds{@} > 0 unless on (` + key + `) imap_probe_success{@}`
	unsteady = `min_over_time(imap_probe_success{@}[15m]) == 0 and imap_probe_success{@} == 1`
)

// accounts counts those in a state, as any exporter sees it.
func accounts(in string) string {
	return "count(count by (account, server) (" + in + ")) or 0 * count(imap_probe_interval_seconds{@})"
}

// untroubled are the accounts that are OK for every exporter.
var untroubled = fmt.Sprintf("max by (account, server) (%s) == %d", state, stateOK)

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

// lastFailure is where and why an account fails, or failed most within 15 minutes: one pair for each.
const lastFailure = `imap_probe_last_failure_info{@}
or on (` + key + `) topk by (` + key + `) (1, count_over_time(imap_probe_last_failure_info{@}[15m]))`

// lastSuccess is when an account last had a successful probe, as Unix time in seconds. An exporter that was restarted has
// forgotten it, Prometheus not.
const lastSuccess = `max_over_time(imap_probe_last_success_timestamp_seconds{@}[1d])`

// succeeded are the durations of successful probes alone.
const succeeded = `(imap_probe_last_duration_seconds{@} and on (` + key + `) imap_probe_success{@} == 1)`

// takes is their mean now, and tookYesterday a day ago.
const (
	takes         = `avg_over_time(` + succeeded + `[15m:1m])`
	tookYesterday = `avg_over_time(` + succeeded + `[15m:1m] offset 1d)`
)

// Days until the certificate ends, and how full the fullest quota is, in percent.
const (
	certificateDays = `(min by (` + key + `) (last_over_time(imap_tls_certificate_not_after_timestamp_seconds{@}` + kept + `)) - time()) / 86400`

	quotaPercent = `100 * max by (` + key + `) (
  label_replace(last_over_time(imap_quota_storage_used_bytes{@}` + kept + `) / (last_over_time(imap_quota_storage_limit_bytes{@}` + kept + `) > 0), "of", "storage", "", "")
  or label_replace(last_over_time(imap_quota_messages_used{@}` + kept + `) / (last_over_time(imap_quota_messages_limit{@}` + kept + `) > 0), "of", "messages", "", "")
)`
)

// quantile is a quantile of a histogram, by a label such as "phase", over a range. It reads the native histogram, and where
// there is none the classic buckets. Where nothing was counted, it is NaN, which the comparison takes away.
func quantile(q, histogram, by, over string) string {
	le, plain := "le", ""
	if by != "" {
		le, plain = by+", le", " by ("+by+")"
	}
	name, matchers := histogram, "{@}"
	if before, after, found := strings.Cut(histogram, "{"); found {
		name, matchers = before, "{@, "+after
	}
	return fmt.Sprintf("histogram_quantile(%s, sum%s (rate(%s%s[%s]))) >= 0\nor histogram_quantile(%s, sum by (%s) (rate(%s_bucket%s[%s]))) >= 0",
		q, plain, name, matchers, over, q, le, name, matchers, over)
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
