package collectors

import (
	"slices"
	"strings"
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"

	"imap-exporter/internal/account"
	"imap-exporter/probe"
)

// A serverKey names a server, by protocol and host:port.
type serverKey struct{ protocol, server string }

func serverKeyOf(a *account.Account) serverKey { return serverKey{a.Key().Service, a.Server} }

func (k serverKey) compare(other serverKey) int {
	if c := strings.Compare(k.server, other.server); c != 0 {
		return c
	}
	return strings.Compare(k.protocol, other.protocol)
}

// serverState has the counters and histograms of a server.
type serverState struct {
	protocol string
	// index is that of its metrics in Metrics.serverMetrics.
	index  int
	labels labels
	kinds  Histograms
	// since is when the counters started at 0.
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
// is born at 1. All pairs of phase and reason, more than 400 for each server, would be a waste.
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

func newServerState(key serverKey, protocol *probe.Protocol, kinds Histograms, now time.Time) *serverState {
	s := &serverState{
		protocol: key.protocol,
		labels:   labels{pair("server", key.server)},
		kinds:    kinds,
		since:    timestamppb.New(now),
		failures: make(map[failure]uint64),
		connects: make(map[attempt]uint64),
	}
	for _, f := range commonFailures() {
		if slices.Contains(protocol.Phases, f.phase) && slices.Contains(protocol.Reasons, f.reason) {
			s.failures[f] = 0
		}
	}
	s.histogram(probeDuration) // It is 0 from now on, so that increase() sees the first one.
	return s
}

// metrics returns the metrics of a server before its first probe.
func (s *serverState) metrics() *serverMetrics {
	return &serverMetrics{
		protocol: s.protocol,
		failures: render(s.failureSamples()), changes: render(s.changeSamples()), histograms: s.histograms,
	}
}

// observe adds r, in which capabilities changed this many times, to the counters, and returns before with what has changed.
func (s *serverState) observe(r *probe.Result, changes uint64, before serverMetrics) *serverMetrics {
	if r.Err != nil {
		s.failures[failure{r.Err.Phase, r.Err.Reason}]++
		before.failures = render(s.failureSamples())
	}
	if len(r.Connects) > 0 {
		s.countConnects(r.Connects)
		before.connects = render(s.connectSamples())
	}
	if changes > 0 {
		s.capabilityChanges += changes
		before.changes = render(s.changeSamples())
	}
	s.observeDurations(r)
	before.histograms = s.histograms
	return &before
}

func (s *serverState) countConnects(connects []probe.Connect) {
	for _, c := range connects {
		for _, common := range commonConnects(c.Family) {
			s.connects[common] += 0 // This makes it exist.
		}
		s.connects[attempt{c.Family, c.Reason}]++
	}
}

// observeDurations adds a Result to the server's histograms. Only what went well enters them, so that a server which fails
// fast doesn't look fast. Which phases run on a server is not known before.
func (s *serverState) observeDurations(r *probe.Result) {
	if r.OK() {
		s.histogram(probeDuration).Observe(r.Duration.Seconds())
	}
	for _, t := range r.Phases {
		if endedWell(t, r) {
			s.histogram(probePhaseDuration, pair("phase", t.Phase)).Observe(t.Duration.Seconds())
		}
	}
}

// endedWell reports whether a phase has the time of something that worked. connect_failed never did, but its time was
// spent on the way to a connection where there was one in the end.
func endedWell(t probe.Timing, r *probe.Result) bool {
	if t.Phase != probe.PhaseConnectFailed {
		return t.OK
	}
	return slices.ContainsFunc(r.Connects, func(c probe.Connect) bool { return c.Reason == "" })
}

// failureSamples are the failures of a server's accounts.
func (s *serverState) failureSamples() (out []sample) {
	for f, n := range s.failures {
		l := s.labels.with(pair("phase", f.phase), pair("reason", f.reason))
		out = append(out, sample{id: probeFailureReasons, value: float64(n), labels: l, since: s.since})
	}
	return out
}

// connectSamples are the attempts to connect to a server.
func (s *serverState) connectSamples() (out []sample) {
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

// changeSamples are the changes of a server's capabilities.
func (s *serverState) changeSamples() []sample {
	return []sample{{id: capabilityChanges, value: float64(s.capabilityChanges), labels: s.labels, since: s.since}}
}
