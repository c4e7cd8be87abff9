// Package collectors turns the Results of probes into metrics, and nothing else: it never opens a connection.
//
// [Catalogue] lists every metric, and docs/metrics.md explains them. [Metrics] gets accounts, Results, the schedule's states
// and reloads, and gives the metrics to promhttp.
//
// # Rendered metrics
//
// Ten thousand accounts have 350,000 lines, most of which are the same in one scrape as in the one before. So the metrics
// of each account are rendered once, in the form that promhttp encodes, when something about the account becomes known: a
// new Result renders the metrics of one account. They are kept sorted by account, so that a scrape only copies the list and
// collects the metrics of each family. The same holds for servers.
//
// Rendered metrics are never changed: new ones replace them in the list. So a scrape, however long its reader takes, holds no lock and keeps nobody waiting, and sees everything as it was
// at its beginning.
//
// A Result becomes stale as time passes. It was rendered for both cases beforehand, and the scrape chooses.
//
// # Protocols
//
// The catalogue has shapes of metrics. Their names begin with the protocol of the account that they are about: imap_probe_success
// and pop3_probe_success are one shape.
package collectors

import (
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors/version"
	dto "github.com/prometheus/client_model/go"
	"google.golang.org/protobuf/types/known/timestamppb"

	"imap-exporter/internal/account"
	"imap-exporter/internal/schedule"
	"imap-exporter/probe"
)

// Options are what New needs from the program.
type Options struct {
	// Histograms choose the buckets of histograms; without any, there are both kinds.
	Histograms Histograms
	// InFlight returns how many probes are running; nil leaves imap_exporter_probes_in_flight out.
	InFlight func() int
	// Counts returns what became of the schedule's slots; nil leaves imap_exporter_probes_*_total out.
	Counts func() schedule.Counts
	// LinesDropped returns how many lines of the log were dropped; nil leaves imap_exporter_log_lines_dropped_total out.
	LinesDropped func() int
	// Shard is which one of Shards this exporter is, from 0 on. Without shards it is the only one, as with Shards 1.
	Shard, Shards int
	// Now is the clock that the age of Results is measured with; nil is time.Now.
	Now func() time.Time
}

// Metrics is the prometheus.TransactionalGatherer of everything in the catalogue. It is safe for concurrent use.
type Metrics struct {
	now              func() time.Time
	inFlight         func() int
	counts           func() schedule.Counts
	linesDropped     func() int
	histograms       Histograms
	buildInfo        []*dto.Metric
	startLag         histogram
	measurementError histogram
	// lastCapabilities is what the last scrape showed of the capabilities, so that the next one needn't render it again.
	lastCapabilities atomic.Pointer[capabilityInfos]

	// mu guards what follows. A scrape holds it for copying the lists of rendered metrics, and never waits while it does.
	mu       sync.Mutex
	accounts map[account.Key]*accountState
	servers  map[serverKey]*serverState
	// accountMetrics are sorted by account, serverMetrics by server.
	accountMetrics []*accountMetrics
	serverMetrics  []*serverMetrics
	// ownLabels are the names of all accounts' own labels, sorted.
	ownLabels []string
	program   program
}

// New returns Metrics of no accounts.
func New(o Options) *Metrics {
	if o.Now == nil {
		o.Now = time.Now
	}
	m := &Metrics{
		now:              o.Now,
		inFlight:         o.InFlight,
		counts:           o.Counts,
		linesDropped:     o.LinesDropped,
		histograms:       o.Histograms,
		buildInfo:        buildInfo(),
		startLag:         o.Histograms.newHistogram(exporterStartLag, nil),
		measurementError: o.Histograms.newHistogram(exporterMeasurementError, nil),
		program:          program{since: timestamppb.New(o.Now()), shard: o.Shard, shards: max(1, o.Shards)},
	}
	m.lastCapabilities.Store(&capabilityInfos{})
	return m
}

// buildInfo returns imap_exporter_build_info.
func buildInfo() []*dto.Metric {
	only := make(chan prometheus.Metric, 1)
	version.NewCollector("imap_exporter").Collect(only)
	info := &dto.Metric{}
	if err := (<-only).Write(info); err != nil {
		return nil
	}
	return []*dto.Metric{info}
}

// Observe counts a finished probe and shows it as the last one of its account. It is ignored for an account that a reload
// has taken away or moved to another server since the probe began. r is kept until the next one, and must not be changed.
func (m *Metrics) Observe(r *probe.Result) {
	m.mu.Lock()
	defer m.mu.Unlock()
	a := m.accounts[account.KeyOf(r)]
	if a == nil || a.Server != r.Server {
		return
	}
	s := m.servers[a.serverKey()]
	changes := a.updateCapabilities(r)
	m.serverMetrics[s.index] = s.observe(r, changes, *m.serverMetrics[s.index])
	m.accountMetrics[a.index] = a.observe(r, *m.accountMetrics[a.index])
	if r.TimestampSource != "" {
		m.program.timestampSource = pair("source", r.TimestampSource)
	}
	for _, t := range r.Phases {
		if t.ReadDelay > 0 {
			m.measurementError.Observe(t.ReadDelay.Seconds())
		}
	}
}

// Started counts a probe that was started lag after it was due.
func (m *Metrics) Started(lag time.Duration) {
	m.startLag.Observe(lag.Seconds())
}

// Changed shows the new state of an account in the schedule. It is ignored for one that SetAccounts hasn't named.
func (m *Metrics) Changed(key account.Key, s schedule.State) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if a := m.accounts[key]; a != nil {
		changed := *m.accountMetrics[a.index]
		changed.schedule = render(scheduleSamples(s, a.labels))
		m.accountMetrics[a.index] = &changed
	}
}

// Reloaded counts an attempt to load the configuration, at the start and at each reload.
func (m *Metrics) Reloaded(ok bool, at time.Time) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.program.reloaded = true
	m.program.reloadOK = ok
	if ok {
		m.program.reloadAt = at
	}
}
