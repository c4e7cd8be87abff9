package collectors

import (
	"maps"
	"slices"
	"time"

	"imap-exporter/probe"
)

// account is what is summed up about an account.
type account struct {
	Account
	// since is when the counters were 0.
	since    time.Time
	probes   uint64
	failures uint64
	// offers are the capabilities last seen at each stage. The map is never changed, only replaced.
	offers map[probe.Stage]offer
}

// An offer is what a server announced at one stage of one probe.
type offer struct {
	mode  probe.TLSMode
	at    time.Time
	names []string
}

// server is what is summed up about a server.
type server struct {
	// since is when the counters were 0.
	since             time.Time
	failures          map[failure]uint64
	connects          map[attempt]uint64
	capabilityChanges uint64
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

func newServer(now time.Time) *server {
	s := &server{since: now, failures: make(map[failure]uint64), connects: make(map[attempt]uint64)}
	for _, f := range commonFailures() {
		s.failures[f] = 0
	}
	return s
}

func (s *server) clone() server {
	c := *s
	c.failures = maps.Clone(s.failures)
	c.connects = maps.Clone(s.connects)
	return c
}

func (s *server) observe(r *probe.Result) {
	if r.Err != nil {
		s.failures[failure{r.Err.Phase, r.Err.Reason}]++
	}
	for _, c := range r.Connects {
		for _, common := range commonConnects(c.Family) {
			s.connects[common] += 0 // This makes it exist.
		}
		s.connects[attempt{c.Family, c.Reason}]++
	}
}

func (a *account) observe(r *probe.Result) {
	a.probes++
	if r.Err != nil {
		a.failures++
	}
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
