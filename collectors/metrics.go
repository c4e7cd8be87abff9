// Package collectors turns the Results of probes into metrics, and nothing else: it never opens a connection.
//
// [Catalogue] lists every metric, and docs/metrics.md explains them. [Metrics] is told of accounts, Results, the
// schedule's doings and reloads, and hands the metrics over to promhttp.
//
// # Pages
//
// Ten thousand accounts have 350,000 lines, most of which are the same in one scrape as in the one before. So each
// account has a page of metrics in the form that promhttp encodes, rendered once, when something about the account
// becomes known: a new Result renders one page. The pages are kept sorted, so that a scrape only copies the list of them
// and lines their metrics up by family. Servers have pages, too.
//
// A page is never changed. What becomes known later goes to a new page, which shares with the old one what has stayed
// the same and takes its place in the list. So a scrape, however long its reader takes, holds no lock and keeps nobody
// waiting, and sees everything as it was at its beginning.
//
// What changes by itself, when a Result grows too old, was rendered beforehand both ways, and the scrape chooses.
package collectors

import (
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors/version"
	dto "github.com/prometheus/client_model/go"
	"google.golang.org/protobuf/types/known/timestamppb"

	"imap-exporter/internal/history"
	"imap-exporter/probe"
)

// An Account is what the metrics need to know of a configured account.
type Account struct {
	// Name and Server are the labels account and server: the configured name, and host:port.
	Name   string
	Server string
	// Interval is the time from one probe to the next; 0 means only on demand.
	Interval time.Duration
	// Labels are the account's own, for imap_account_info.
	Labels map[string]string
}

// A State is what the schedule has in mind for an account.
type State struct {
	// NextRun is when the next probe is due; zero where none is.
	NextRun time.Time
	// Suspended says that logins are held back after rejected ones, and NextLogin until when.
	Suspended bool
	NextLogin time.Time
}

// Options are what New needs from the program.
type Options struct {
	// Histograms chooses their buckets; "" is HistogramsBoth.
	Histograms HistogramMode
	// History is where Observe adds Results to; nil is one that keeps each account's last Result only.
	History *history.Store
	// InFlight tells how many probes are running; nil leaves imap_exporter_probes_in_flight out.
	InFlight func() int
	// Counts tells what became of the schedule's slots; nil leaves imap_exporter_probes_*_total out.
	Counts func() Counts
	// LinesDropped tells how many lines of the log were lost; nil leaves imap_exporter_log_lines_dropped_total out.
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
	counts           func() Counts
	linesDropped     func() int
	history          *history.Store
	mode             HistogramMode
	buildInfo        []*dto.Metric
	startLag         histogram
	measurementError histogram
	// shown is what the last scrape showed of the capabilities, so that the next one needn't render it again.
	shown atomic.Pointer[offers]

	// mu guards what follows. A scrape holds it for copying the lists of pages, and never waits while it does.
	mu       sync.Mutex
	accounts map[string]*account
	servers  map[string]*server
	// accountPages are sorted by account, serverPages by server.
	accountPages []*accountPage
	serverPages  []*serverPage
	// ownLabels are the names of all accounts' own labels, sorted.
	ownLabels []string
	program   program
}

// New returns Metrics of no accounts.
func New(o Options) *Metrics {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.History == nil {
		o.History = history.New(history.Limits{})
	}
	m := &Metrics{
		now:              o.Now,
		inFlight:         o.InFlight,
		counts:           o.Counts,
		linesDropped:     o.LinesDropped,
		history:          o.History,
		mode:             o.Histograms,
		buildInfo:        buildInfo(),
		startLag:         o.Histograms.newHistogram(exporterStartLag, nil),
		measurementError: o.Histograms.newHistogram(exporterMeasurementError, nil),
		program:          program{since: timestamppb.New(o.Now()), shard: o.Shard, shards: max(1, o.Shards)},
	}
	m.shown.Store(&offers{})
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

// Observe takes a finished probe into account. Ignored wholly are a Result that we cut short ourselves (canceled), and
// one of an account that a reload has taken away or moved to another server since the probe began.
func (m *Metrics) Observe(r *probe.Result) {
	m.mu.Lock()
	defer m.mu.Unlock()
	a := m.accounts[r.Account]
	if a == nil || a.Server != r.Server || !m.history.Add(r) {
		return
	}
	r = m.history.Last(r.Account) // The same, in less memory.
	s := m.servers[r.Server]
	m.serverPages[s.place] = s.observe(r, a.learn(r), *m.serverPages[s.place])
	m.accountPages[a.place] = a.observe(r, *m.accountPages[a.place])
	if r.TimestampSource != "" {
		m.program.timestampSource = pair("source", r.TimestampSource)
	}
	for _, t := range r.Phases {
		if t.ReadDelay > 0 {
			m.measurementError.Observe(t.ReadDelay.Seconds())
		}
	}
}

// Started tells that a probe was started, and how long after it was due.
func (m *Metrics) Started(_ string, lag time.Duration) {
	m.startLag.Observe(lag.Seconds())
}

// Changed tells what the schedule now has in mind for an account. It is ignored for one that SetAccounts hasn't named.
func (m *Metrics) Changed(name string, s State) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if a := m.accounts[name]; a != nil {
		a.state = s
		page := *m.accountPages[a.place]
		page.state = newBlock(a.samples())
		m.accountPages[a.place] = &page
	}
}

// Reloaded tells that the configuration was read, at the start and at each reload, and whether that went well.
func (m *Metrics) Reloaded(ok bool, at time.Time) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.program.reloaded = true
	m.program.reloadOK = ok
	if ok {
		m.program.reloadAt = at
	}
}
