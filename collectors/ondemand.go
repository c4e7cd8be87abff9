package collectors

import (
	"cmp"
	"slices"
	"time"

	dto "github.com/prometheus/client_model/go"

	"imap-exporter/probe"
)

// An OnDemand is what somebody gets who asks for a probe of an account.
type OnDemand struct {
	// Account is the account; with the Name "" it is a server that is no account's.
	Account Account
	// State is what the schedule has in mind for the account.
	State State
	// Result is what the probe came to. Nil: it was held back, or had not ended when who asked would wait no longer.
	Result *probe.Result
	// HeldBack is why no probe was made: backoff, throttled or quiet; "" when one was.
	HeldBack string
	// Waited is for how long the Result was waited for, when there is none.
	Waited time.Duration
}

// Gather returns the gauges of probes on demand: those that /metrics has of a last Result, and those of
// OnDemandCatalogue. Counters and histograms are for /metrics alone, since they are of all probes. The order is that of
// Metrics.Gather. No two probes may be of the same account.
func Gather(probes ...OnDemand) []*dto.MetricFamily {
	probes = slices.Clone(probes)
	slices.SortFunc(probes, func(a, b OnDemand) int { return cmp.Compare(a.Account.Name, b.Account.Name) })
	accounts := make([]Account, len(probes))
	for i, p := range probes {
		accounts[i] = p.Account
	}
	ownLabels := ownLabelNames(accounts)
	var f families
	var pages []*accountPage
	servers := make(map[string]*dto.LabelPair) // One for each, which is how they are told apart.
	for _, p := range probes {
		if servers[p.Account.Server] == nil {
			servers[p.Account.Server] = pair("server", p.Account.Server)
		}
		page := p.page(servers[p.Account.Server], ownLabels)
		pages = append(pages, page)
		f.add(page.info, page.state, page.fresh)
	}
	for _, o := range newestOffers(pages, time.Time{}, nil).sorted() {
		f.add(o.block)
	}
	return f.sorted()
}

// page renders a probe on demand as /metrics renders an account.
func (p *OnDemand) page(server *dto.LabelPair, ownLabels []string) *accountPage {
	a := &account{Account: p.Account, labels: labels{server}.with(pair("account", p.Account.Name)), state: p.State}
	page := &accountPage{server: server}
	if p.Result != nil {
		a.learn(p.Result)
		page = a.observe(p.Result, *page)
	}
	out := gauges{labels: a.labels}
	out.onDemand(p)
	if p.Account.Name != "" {
		page.info = newBlock(a.info(ownLabels))
		out.samples = append(out.samples, slices.DeleteFunc(a.samples(), func(s sample) bool { return catalogue[s.id].Type != Gauge })...)
	}
	page.state = newBlock(out.samples)
	return page
}

// onDemand adds how the asking went. Held back on another account's account, nothing is known of this one's health.
func (g *gauges) onDemand(p *OnDemand) {
	switch {
	case p.Result != nil:
		g.add(onDemandSuccess, boolean(p.Result.OK()))
		g.add(onDemandDuration, p.Result.Duration.Seconds())
	case p.HeldBack == "":
		g.add(onDemandSuccess, 0)
		g.add(onDemandDuration, p.Waited.Seconds())
	default:
		if p.HeldBack != "quiet" {
			g.add(onDemandSuccess, 0)
		}
		g.add(onDemandHeldBack, 1, pair("reason", p.HeldBack))
	}
}
