package collectors

import (
	"slices"
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"

	"imap-exporter/internal/account"
	"imap-exporter/internal/schedule"
	"imap-exporter/internal/text"
	"imap-exporter/probe"
)

// accountState has the counters of an account, and what is needed to render its metrics.
type accountState struct {
	account.Account
	// index is that of its metrics in Metrics.accountMetrics.
	index  int
	labels labels
	// since is when the counters started at 0.
	since    *timestamppb.Timestamp
	probes   uint64
	failures uint64
	// lastRun is when the last probe began, and lastSuccess the last successful one. Zero: there was none.
	lastRun     time.Time
	lastSuccess time.Time
	// capabilities are those last seen at each stage. The map is never changed, only replaced.
	capabilities map[probe.Stage]capabilities
}

// serverKey returns the key of the account's server.
func (a *accountState) serverKey() serverKey { return serverKeyOf(&a.Account) }

// staleAt returns when the last Result becomes stale; zero: never.
func (a *accountState) staleAt() time.Time {
	if a.lastRun.IsZero() {
		return time.Time{}
	}
	return a.StaleAfter(a.lastRun)
}

// configured returns before with the labels and the interval of the configuration.
func (a *accountState) configured(before accountMetrics, ownLabels []string) *accountMetrics {
	before.info = render(a.infoSamples(ownLabels))
	before.totals = render(a.totalSamples())
	before.staleAt = a.staleAt()
	return &before
}

// observe adds r to the counters, and returns before with what has changed.
func (a *accountState) observe(r *probe.Result, before accountMetrics) *accountMetrics {
	a.probes++
	a.lastRun = r.Start
	if r.OK() {
		a.lastSuccess = r.Start
	} else {
		a.failures++
	}
	before.totals = render(a.totalSamples())
	before.current = render(resultSamples(r, a.labels, true))
	before.stale = render(resultSamples(r, a.labels, false))
	before.staleAt = a.staleAt()
	before.capabilities = a.capabilities
	return &before
}

// updateCapabilities remembers the capabilities of r and returns at how many stages they differ from those that the account
// saw there last. After a change of the TLS mode there is nothing to compare with.
func (a *accountState) updateCapabilities(r *probe.Result) (changes uint64) {
	if len(r.Capabilities) == 0 {
		return 0
	}
	updated := make(map[probe.Stage]capabilities, len(r.Capabilities))
	for stage, c := range a.capabilities {
		if c.mode == r.Mode {
			updated[stage] = c
		}
	}
	for _, c := range r.Capabilities {
		if before, seen := updated[c.Stage]; seen && !slices.Equal(before.names, c.Names) {
			changes++
		}
		updated[c.Stage] = capabilities{r.Mode, r.Start, c.Names}
	}
	a.capabilities = updated
	return changes
}

// totalSamples are what is known of an account without looking into its last Result.
func (a *accountState) totalSamples() []sample {
	out := []sample{
		{id: probeInterval, value: a.Interval.Seconds(), labels: a.labels},
		{id: probes, value: float64(a.probes), labels: a.labels, since: a.since},
		{id: probeFailures, value: float64(a.failures), labels: a.labels, since: a.since},
	}
	if !a.lastRun.IsZero() {
		out = append(out, sample{id: probeLastRun, value: unix(a.lastRun), labels: a.labels})
	}
	if !a.lastSuccess.IsZero() {
		out = append(out, sample{id: probeLastSuccess, value: unix(a.lastSuccess), labels: a.labels})
	}
	return out
}

// scheduleSamples are what the schedule says of an account with these labels.
func scheduleSamples(s schedule.State, l labels) []sample {
	out := []sample{{id: probeSuspended, value: boolean(s.Suspended), labels: l}}
	if !s.NextRun.IsZero() {
		out = append(out, sample{id: probeNextRun, value: unix(s.NextRun), labels: l})
	}
	if s.Suspended && !s.NextLogin.IsZero() {
		out = append(out, sample{id: probeNextLogin, value: unix(s.NextLogin), labels: l})
	}
	return out
}

// infoSamples is imap_account_info with these names of accounts' own labels.
func (a *accountState) infoSamples(ownLabels []string) []sample {
	all := a.labels
	for _, name := range ownLabels {
		all = all.with(pair(name, text.LabelValue(a.Labels[name], probe.MaxNameRunes)))
	}
	return []sample{{id: accountInfo, value: 1, labels: all}}
}
