package collectors

import (
	"cmp"
	"slices"
	"time"

	dto "github.com/prometheus/client_model/go"

	"imap-exporter/internal/account"
	"imap-exporter/internal/schedule"
	"imap-exporter/probe"
)

// An OnDemand is the outcome of a probe on demand.
type OnDemand struct {
	// Account is the account; with the Name "" it is a server that is no account's.
	Account account.Account
	// State is the account's state in the schedule.
	State schedule.State
	// Result is nil if no probe was made, or if it had not ended when the caller's time was over.
	Result *probe.Result
	// Blocked is why no probe was made: backoff, unavailable, throttled or quiet; "" if one was.
	Blocked string
	// Waited is how long the caller waited for a Result that didn't come.
	Waited time.Duration
}

// Gather returns the gauges of probes on demand: those that /metrics has of a last Result, and those of
// OnDemandCatalogue. Counters and histograms are for /metrics alone, since they are of all probes. The order is that of
// Metrics.Gather. No two probes may be of the same account.
func Gather(probes ...OnDemand) []*dto.MetricFamily {
	probes = slices.Clone(probes)
	slices.SortFunc(probes, func(a, b OnDemand) int { return cmp.Compare(a.Account.Name, b.Account.Name) })
	accounts := make([]account.Account, len(probes))
	for i, p := range probes {
		accounts[i] = p.Account
	}
	ownLabels := ownLabelNames(accounts)
	f := make(families)
	var all []*accountMetrics
	servers := make(map[string]*dto.LabelPair) // One label for each server: capabilityKey compares pointers.
	for _, p := range probes {
		if servers[p.Account.Server] == nil {
			servers[p.Account.Server] = pair("server", p.Account.Server)
		}
		a := p.metrics(servers[p.Account.Server], ownLabels)
		all = append(all, a)
		f.of(a.protocol).add(a.info, a.totals, a.current)
	}
	newestCapabilities(all, time.Time{}, nil).addTo(f)
	return f.sorted()
}

// metrics renders a probe on demand as /metrics renders an account.
func (p *OnDemand) metrics(server *dto.LabelPair, ownLabels []string) *accountMetrics {
	a := &accountState{Account: p.Account, labels: labels{server}.with(pair("account", p.Account.Name))}
	m := &accountMetrics{protocol: a.Key().Service, server: server}
	if p.Result != nil {
		a.updateCapabilities(p.Result)
		m = a.observe(p.Result, *m)
	}
	out := gauges{labels: a.labels}
	out.onDemand(p)
	if p.Account.Name != "" {
		m.info = render(a.infoSamples(ownLabels))
		all := append(a.totalSamples(), scheduleSamples(p.State, a.labels)...)
		out.samples = append(out.samples, slices.DeleteFunc(all, func(s sample) bool { return catalogue[s.id].Type != Gauge })...)
	}
	m.totals = render(out.samples)
	return m
}

// onDemand adds how the request went. If another account's rejected login blocked the probe, it says nothing about this
// account: there is no probe_success.
func (g *gauges) onDemand(p *OnDemand) {
	switch {
	case p.Result != nil:
		g.add(onDemandSuccess, boolean(p.Result.OK()))
		g.add(onDemandDuration, p.Result.Duration.Seconds())
	case p.Blocked == "":
		g.add(onDemandSuccess, 0)
		g.add(onDemandDuration, p.Waited.Seconds())
	default:
		if p.Blocked != "quiet" {
			g.add(onDemandSuccess, 0)
		}
		g.add(onDemandBlocked, 1, pair("reason", p.Blocked))
	}
}
