package exporter

import (
	"cmp"
	"io"
	"maps"
	"slices"
	"strings"
	"sync"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/common/version"

	"imap-exporter/collectors"
	"imap-exporter/internal/config"
	"imap-exporter/internal/schedule"
	"imap-exporter/internal/web"
)

// pages returns what the web pages show.
func (e *engine) pages() web.Options {
	pages := web.Options{
		Version:    cmp.Or(version.Version, "development version"),
		Gatherer:   collectors.Gatherers{e.metrics, prometheus.ToTransactionalGatherer(e.registry)},
		Registerer: e.registry,
		Accounts:   e.webAccounts,
		Account:    e.webAccount,
		History:    e.history,
		Updates:    e.updates,
		Config:     func(w io.Writer, limit int) (int, error) { return e.config.Load().Show(w, limit) },
		Links: func() web.Links {
			cfg := e.config.Load()
			return web.Links{Prometheus: cfg.Web.PrometheusURL, Grafana: cfg.Web.GrafanaURL}
		},
		Ready:         e.ready.Load,
		Probe:         e.probeNow,
		ProbeMetrics:  e.probeMetrics,
		TimeoutOffset: e.opts.TimeoutOffset,
		Discover:      e.discover,
		Logger:        e.logger,
	}
	if e.opts.Lifecycle {
		pages.Reload = e.reloadByHTTP
	}
	return pages
}

// webAccounts returns the accounts, sorted by name, and what is known of them.
func (e *engine) webAccounts() []web.Account {
	sorted := e.plans.all()
	accounts := make([]web.Account, len(sorted))
	for i, a := range sorted {
		accounts[i] = e.describe(a)
	}
	return accounts
}

// webAccount returns one account.
func (e *engine) webAccount(name string) (web.Account, bool) {
	if a := e.plans.account(name); a != nil {
		return e.describe(a), true
	}
	return web.Account{}, false
}

func (e *engine) describe(a *config.Account) web.Account {
	last, since := e.history.LastSince(a.Target.Account)
	plan := e.plans.of(a.Target.Account)
	return web.Account{
		Name: a.Target.Account, Server: a.Target.Server, Interval: a.Interval, Last: last, Since: since,
		NextRun: plan.NextRun, Suspended: plan.Suspended, NextLogin: plan.NextLogin,
	}
}

// plans are the accounts in force, by name, and what the schedule has in mind for each: asked for ten thousand, it would
// have no time for its work.
type plans struct {
	mu       sync.RWMutex
	sorted   []*config.Account
	accounts map[string]*config.Account
	states   map[string]schedule.State
}

// set replaces the accounts.
func (p *plans) set(accounts []config.Account) {
	byName := make(map[string]*config.Account, len(accounts))
	for i := range accounts {
		byName[accounts[i].Target.Account] = &accounts[i]
	}
	sorted := slices.SortedFunc(maps.Values(byName), func(a, b *config.Account) int {
		return strings.Compare(a.Target.Account, b.Target.Account)
	})
	p.mu.Lock()
	defer p.mu.Unlock()
	states := make(map[string]schedule.State, len(accounts))
	for name, state := range p.states {
		if byName[name] != nil {
			states[name] = state
		}
	}
	p.sorted, p.accounts, p.states = sorted, byName, states
}

// all returns the accounts, sorted by name.
func (p *plans) all() []*config.Account {
	p.mu.RLock()
	defer p.mu.RUnlock()
	return p.sorted
}

// account returns an account, or nil.
func (p *plans) account(name string) *config.Account {
	p.mu.RLock()
	defer p.mu.RUnlock()
	return p.accounts[name]
}

// of returns what the schedule has in mind for an account.
func (p *plans) of(name string) schedule.State {
	p.mu.RLock()
	defer p.mu.RUnlock()
	return p.states[name]
}

// changed notes what the schedule has in mind for an account. That of one that is gone is ignored.
func (p *plans) changed(name string, s schedule.State) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.accounts[name] != nil {
		p.states[name] = s
	}
}
