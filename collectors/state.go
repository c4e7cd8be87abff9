package collectors

import (
	"slices"
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"

	"imap-exporter/probe"
)

// account is what is summed up about an account.
type account struct {
	Account
	// place is that of its page in Metrics.accountPages.
	place  int
	labels labels
	// since is when the counters were 0.
	since    *timestamppb.Timestamp
	probes   uint64
	failures uint64
	// lastRun is when the last probe began, and lastSuccess the last successful one. Zero: there was none.
	lastRun     time.Time
	lastSuccess time.Time
	state       State
	// offers are the capabilities last seen at each stage. The map is never changed, only replaced.
	offers map[probe.Stage]offer
}

// lifetime is how many intervals a Result is exported for.
const lifetime = 3

// lapses returns when the last Result will have become too old to be shown as the present, since the next probes are
// missing. That of an account that is only probed on demand never does, since no other one is due: zero.
func (a *account) lapses() time.Time {
	if a.Interval <= 0 || a.lastRun.IsZero() {
		return time.Time{}
	}
	return a.lastRun.Add(lifetime * a.Interval)
}

// An offer is what a server announced at one stage of one probe.
type offer struct {
	mode  probe.TLSMode
	at    time.Time
	names []string
}

// server is what is summed up about a server.
type server struct {
	// place is that of its page in Metrics.serverPages.
	place  int
	labels labels
	mode   HistogramMode
	// since is when the counters were 0.
	since             *timestamppb.Timestamp
	failures          map[failure]uint64
	connects          map[attempt]uint64
	capabilityChanges uint64
	// histograms are sorted. The slice is never changed, only replaced.
	histograms []histogram
}

type failure struct {
	phase  probe.Phase
	reason probe.Reason
}

// attempt is an attempt to connect. Its reason is "" when it went well.
type attempt struct {
	family probe.IPFamily
	reason probe.Reason
}

// commonFailures are the failures that exist as 0 from the start, since increase() doesn't see the step of a series that
// is born at 1. All 464 pairs for each server would be a waste.
func commonFailures() []failure {
	return []failure{
		{probe.PhaseResolve, probe.ReasonDNS},
		{probe.PhaseResolve, probe.ReasonTimeout},
		{probe.PhaseConnect, probe.ReasonRefused},
		{probe.PhaseConnect, probe.ReasonTimeout},
		{probe.PhaseConnect, probe.ReasonUnreachable},
		{probe.PhaseTLS, probe.ReasonTLS},
		{probe.PhaseTLS, probe.ReasonTimeout},
		{probe.PhaseTLS, probe.ReasonCertificateExpired},
		{probe.PhaseTLS, probe.ReasonCertificateName},
		{probe.PhaseTLS, probe.ReasonCertificateUntrusted},
		{probe.PhaseGreeting, probe.ReasonTimeout},
		{probe.PhaseGreeting, probe.ReasonBye},
		{probe.PhaseGreeting, probe.ReasonReset},
		{probe.PhaseAuth, probe.ReasonRejected},
		{probe.PhaseAuth, probe.ReasonThrottled},
		{probe.PhaseAuth, probe.ReasonUnavailable},
		{probe.PhaseAuth, probe.ReasonTimeout},
		{probe.PhaseSelect, probe.ReasonTimeout},
		{probe.PhaseFetch, probe.ReasonTimeout},
	}
}

// commonConnects are the attempts of a family that exist as 0 once the first one of that family was made.
func commonConnects(family probe.IPFamily) []attempt {
	return []attempt{
		{family, ""},
		{family, probe.ReasonRefused},
		{family, probe.ReasonTimeout},
		{family, probe.ReasonUnreachable},
	}
}

func newServer(name string, mode HistogramMode, now time.Time) *server {
	s := &server{
		labels:   labels{pair("server", name)},
		mode:     mode,
		since:    timestamppb.New(now),
		failures: make(map[failure]uint64),
		connects: make(map[attempt]uint64),
	}
	for _, f := range commonFailures() {
		s.failures[f] = 0
	}
	s.histogram(probeDuration) // It is 0 from now on, so that increase() sees the first one.
	return s
}

// page returns the page of a server that no probe has come to.
func (s *server) page() *serverPage {
	return &serverPage{
		failures: newBlock(s.failureSamples()), changes: newBlock(s.changeSamples()), histograms: s.histograms,
	}
}

// observe sums up r, in which capabilities changed so many times, and returns page with what has changed.
func (s *server) observe(r *probe.Result, changes uint64, page serverPage) *serverPage {
	if r.Err != nil {
		s.failures[failure{r.Err.Phase, r.Err.Reason}]++
		page.failures = newBlock(s.failureSamples())
	}
	if len(r.Connects) > 0 {
		s.count(r.Connects)
		page.connects = newBlock(s.connectSamples())
	}
	if changes > 0 {
		s.capabilityChanges += changes
		page.changes = newBlock(s.changeSamples())
	}
	s.time(r)
	page.histograms = s.histograms
	return &page
}

func (s *server) count(connects []probe.Connect) {
	for _, c := range connects {
		for _, common := range commonConnects(c.Family) {
			s.connects[common] += 0 // This makes it exist.
		}
		s.connects[attempt{c.Family, c.Reason}]++
	}
}

// configured returns page as the configuration wants it.
func (a *account) configured(page accountPage, ownLabels []string) *accountPage {
	page.info = newBlock(a.info(ownLabels))
	page.state = newBlock(a.samples())
	page.lapses = a.lapses()
	return &page
}

// observe sums up r, and returns page with what has changed.
func (a *account) observe(r *probe.Result, page accountPage) *accountPage {
	a.probes++
	a.lastRun = r.Start
	if r.OK() {
		a.lastSuccess = r.Start
	} else {
		a.failures++
	}
	page.state = newBlock(a.samples())
	page.fresh = newBlock(render(r, a.labels, true))
	page.stale = newBlock(render(r, a.labels, false))
	page.lapses = a.lapses()
	page.offers = a.offers
	return &page
}

// learn remembers the capabilities of r and returns at how many stages they differ from those that the account saw
// there last. After a change of the TLS mode there is nothing to compare with.
func (a *account) learn(r *probe.Result) (changes uint64) {
	if len(r.Capabilities) == 0 {
		return 0
	}
	offers := make(map[probe.Stage]offer, len(r.Capabilities))
	for stage, o := range a.offers {
		if o.mode == r.Mode {
			offers[stage] = o
		}
	}
	for _, c := range r.Capabilities {
		if o, seen := offers[c.Stage]; seen && !slices.Equal(o.names, c.Names) {
			changes++
		}
		offers[c.Stage] = offer{r.Mode, r.Start, c.Names}
	}
	a.offers = offers
	return changes
}
