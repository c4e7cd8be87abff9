package dashboards

import (
	"fmt"
	"strings"
)

// key are the labels that identify an account's series. Joins use all of them, because two exporters may probe the same
// account.
const key = "job, instance, account, server"

// lookback bridges failed probes, which say nothing about quota, certificate and messages.
const lookback = "[3h]"

// The states of an account, the worst highest, so that the worst come first in a table.
const (
	stateOK = iota
	stateOnDemand
	stateWarning
	stateUnsteady
	stateNoProbe
	stateSuspended
	stateFailing
)

var stateWords = []word{
	{"6", "FAILING", bad},
	{"5", "SUSPENDED", paused},
	{"4", "NO PROBE", unprobed},
	{"3", "UNSTEADY", warning},
	{"2", "WARNING", "dark-yellow"},
	{"1", "ON DEMAND", neutral},
	{"0", "OK", good},
}

// state is the state of each account as a number. If several apply, the first one counts. The result of the last probe
// comes before NO PROBE, which is recognised by the interval alone.
var state = fmt.Sprintf(`(imap_probe_suspended{@} == 1) * %d
or (imap_probe_success{@} == 0) + %d
or (%s) + %d
or (%s) * 0 + %d
or (imap_probe_success{@} == 1) * %d
or (imap_probe_interval_seconds{@} > 0) * 0 + %d
or imap_probe_interval_seconds{@} * 0 + %d`, stateSuspended, stateFailing, unsteady, stateUnsteady, atRisk, stateWarning, stateOK, stateNoProbe, stateOnDemand)

// atRisk selects accounts that are fine now but need attention: the certificate expires soon, the quota is nearly full, or
// probes take three times as long as a day ago and 0.25 s more.
const atRisk = `(
  ` + certificateDays + ` < 21
  or ` + quotaPercent + ` >= 90
  or max by (` + key + `) (` + meanDuration + `) > 0.25 + 3 * max by (` + key + `) (` + meanDurationYesterday + `)
) and on (` + key + `) imap_probe_success{@} == 1`

// The states that have a tile of their own. Their queries are as small as possible, because they run all the time.
const (
	failing   = `imap_probe_success{@} == 0 unless on (` + key + `) imap_probe_suspended{@} == 1`
	suspended = `imap_probe_suspended{@} == 1`
	noProbe   = `imap_probe_interval_seconds{@} > 0 unless on (` + key + `) imap_probe_success{@}`
	unsteady  = `min_over_time(imap_probe_success{@}[15m]) == 0 and imap_probe_success{@} == 1`
)

// accounts counts the accounts that any exporter sees in this state.
func accounts(in string) string {
	return "count(count by (account, server) (" + in + ")) or 0 * count(imap_probe_interval_seconds{@})"
}

// allOK selects the accounts that are OK for every exporter.
var allOK = fmt.Sprintf("max by (account, server) (%s) == %d", state, stateOK)

// The states of a state timeline.
const (
	timelineFailing = iota
	timelineOK
	timelineSuspended
)

var timelineWords = []word{
	{"0", "failing", bad},
	{"1", "OK", good},
	{"2", "suspended", paused},
}

// timelineState is the state after the last probe, for state timelines; absent while no probe runs.
var timelineState = fmt.Sprintf(`imap_probe_success{@} + on (%s) %d * imap_probe_suspended{@}`, key, timelineSuspended)

// lastFailure is phase and reason of an account's failure, or of its most frequent one within 15 minutes: one pair for each.
const lastFailure = `imap_probe_last_failure_info{@}
or on (` + key + `) topk by (` + key + `) (1, count_over_time(imap_probe_last_failure_info{@}[15m]))`

// present leaves out removed accounts, which a query that looks back would still find.
func present(expr string) string {
	return "(" + expr + ")\nand on (" + key + ") imap_probe_interval_seconds{@}"
}

// lastSuccess is when an account last had a successful probe, as Unix time in seconds. A restarted exporter doesn't remember
// it, but Prometheus does.
const lastSuccess = `max_over_time(imap_probe_last_success_timestamp_seconds{@}[1d])`

// succeeded are the durations of successful probes only.
const succeeded = `(imap_probe_last_duration_seconds{@} and on (` + key + `) imap_probe_success{@} == 1)`

// meanDuration is their mean now, and meanDurationYesterday a day ago.
const (
	meanDuration          = `avg_over_time(` + succeeded + `[15m:1m])`
	meanDurationYesterday = `avg_over_time(` + succeeded + `[15m:1m] offset 1d)`
)

// Days until the certificate expires, and the use of the fullest quota in percent.
const (
	certificateDays = `(min by (` + key + `) (last_over_time(imap_tls_certificate_not_after_timestamp_seconds{@}` + lookback + `)) - time()) / 86400`

	quotaPercent = `100 * max by (` + key + `) (
  label_replace(last_over_time(imap_quota_storage_used_bytes{@}` + lookback + `) / (last_over_time(imap_quota_storage_limit_bytes{@}` + lookback + `) > 0), "of", "storage", "", "")
  or label_replace(last_over_time(imap_quota_messages_used{@}` + lookback + `) / (last_over_time(imap_quota_messages_limit{@}` + lookback + `) > 0), "of", "messages", "", "")
)`
)

// quantile returns a query for a quantile of a histogram, by a label such as "phase", over a range. It reads the native
// histogram, or else the classic buckets. An empty histogram gives NaN, which the comparison removes.
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

// The ranges of rates: that of a point in a graph, and the whole time range.
const (
	rateInterval = "$__rate_interval"
	timeRange    = "$__range"
)
