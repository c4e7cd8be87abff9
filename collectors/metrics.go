// Package collectors turns the Results of probes into metrics, and nothing else: it never opens a connection.
//
// [Catalogue] lists every metric, and docs/metrics.md explains them. [Metrics] is told of accounts, Results and reloads,
// keeps what must be summed up (counters and histograms), and renders the rest from the last Result of each account
// when it is scraped.
package collectors

import (
	"slices"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors/version"

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

// Options are what New needs from the program.
type Options struct {
	// Histograms chooses their buckets; "" is HistogramsBoth.
	Histograms HistogramMode
	// History is where Observe adds Results to; nil is one that keeps each account's last Result only.
	History *history.Store
	// InFlight tells how many probes are running; nil leaves imap_exporter_probes_in_flight out.
	InFlight func() int
	// Now is the clock that the age of Results is measured with; nil is time.Now.
	Now func() time.Time
}

// Metrics is the prometheus.Collector of everything in the catalogue. It is safe for concurrent use.
type Metrics struct {
	now       func() time.Time
	inFlight  func() int
	history   *history.Store
	buildInfo prometheus.Collector
	durations *durations

	// mu guards what follows. It is held for copying, never for rendering, so that a scrape doesn't hold up probes.
	mu       sync.Mutex
	accounts map[string]*account
	servers  map[string]*server
	// ownLabels are the names of all accounts' own labels, sorted. They are part of descs[accountInfo].
	ownLabels []string
	descs     [metricCount]*prometheus.Desc
	reloaded  bool
	reloadOK  bool
	reloadAt  time.Time
}

// New returns Metrics of no accounts.
func New(o Options) *Metrics {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.History == nil {
		o.History = history.New(history.Limits{})
	}
	return &Metrics{
		now:       o.Now,
		inFlight:  o.InFlight,
		history:   o.History,
		buildInfo: version.NewCollector("imap_exporter"),
		durations: newDurations(o.Histograms),
		accounts:  make(map[string]*account),
		servers:   make(map[string]*server),
		descs:     descriptions(),
	}
}

// SetAccounts tells which accounts there are, at the start and after each reload. Their counters begin at 0 and go on
// over reloads. The series of an account that is gone, or that moved to another server, vanish, and so does its
// history; a server's vanish with its last account. Of two accounts with one name the first counts.
func (m *Metrics) SetAccounts(accounts []Account) {
	m.mu.Lock()
	defer m.mu.Unlock()
	now := m.now()
	before := m.accounts
	m.accounts = make(map[string]*account, len(accounts))
	servers := make(map[string]*server)
	names := make([]string, 0, len(accounts))
	for _, a := range accounts {
		if m.accounts[a.Name] != nil {
			continue
		}
		names = append(names, a.Name)
		state := before[a.Name]
		if state == nil || state.Server != a.Server {
			m.history.Forget(a.Name)
			state = &account{since: now}
		}
		state.Account = a
		m.accounts[a.Name] = state
		switch known := m.servers[a.Server]; {
		case servers[a.Server] != nil:
		case known != nil:
			servers[a.Server] = known
		default:
			servers[a.Server] = newServer(now)
			m.durations.begin(a.Server)
		}
	}
	m.history.Keep(names)
	for name := range m.servers {
		if servers[name] == nil {
			m.durations.forget(name)
		}
	}
	m.servers = servers
	m.ownLabels = ownLabelNames(m.accounts)
	m.descs[accountInfo] = catalogue[accountInfo].desc(m.ownLabels...)
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
	a.observe(r)
	s := m.servers[r.Server]
	s.observe(r)
	s.capabilityChanges += a.learn(r)
	m.durations.observe(r)
}

// Reloaded tells that the configuration was read, at the start and at each reload, and whether that went well.
func (m *Metrics) Reloaded(ok bool, at time.Time) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.reloaded = true
	m.reloadOK = ok
	if ok {
		m.reloadAt = at
	}
}

// Describe describes nothing, which makes this an unchecked collector: the labels of imap_account_info change with the
// configuration.
func (m *Metrics) Describe(chan<- *prometheus.Desc) {}

// Collect sends all metrics as they are at one moment; only the histograms may be ahead of it by the probes that end
// meanwhile.
func (m *Metrics) Collect(ch chan<- prometheus.Metric) {
	s := m.snapshot()
	for _, v := range s.samples() {
		if metric, err := v.metric(s.descs[v.id], catalogue[v.id].Type); err == nil {
			ch <- metric
		}
	}
	m.buildInfo.Collect(ch)
	m.durations.collect(ch)
}

// snapshot copies what is to be rendered.
func (m *Metrics) snapshot() *snapshot {
	inFlight := -1
	if m.inFlight != nil {
		inFlight = m.inFlight()
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	s := &snapshot{
		now:       m.now(),
		accounts:  make([]view, 0, len(m.accounts)),
		servers:   make(map[string]server, len(m.servers)),
		ownLabels: slices.Clone(m.ownLabels),
		descs:     m.descs,
		inFlight:  inFlight,
		reloaded:  m.reloaded,
		reloadOK:  m.reloadOK,
		reloadAt:  m.reloadAt,
	}
	for name, a := range m.accounts {
		s.accounts = append(s.accounts, view{
			account: *a, last: m.history.Last(name), lastSuccess: m.history.LastSuccess(name),
		})
	}
	for name, state := range m.servers {
		s.servers[name] = state.clone()
	}
	return s
}
