package collectors

import (
	"maps"
	"slices"
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"

	"imap-exporter/internal/account"
	"imap-exporter/internal/schedule"
	"imap-exporter/probe"
)

// SetAccounts replaces the accounts, at the start and after each reload. They are those of an account.Registry: sorted, each key
// once. Their counters begin at 0 and go on over reloads. The series of an account that is gone, or that
// moved to another server, vanish; a server's vanish with its last account.
func (m *Metrics) SetAccounts(list []account.Account) {
	ownLabels := ownLabelNames(list)
	m.mu.Lock()
	defer m.mu.Unlock()
	now := m.now()
	m.setServers(list, now)

	accounts := make(map[account.Key]*accountState, len(list))
	metrics := make([]*accountMetrics, len(list))
	for i, c := range list {
		key := c.Key()
		a := m.accounts[key]
		isNew := a == nil || a.Server != c.Server
		if isNew {
			server := m.servers[serverKeyOf(&c)].labels
			a = &accountState{labels: server.with(pair("account", c.Name)), since: timestamppb.New(now)}
			metrics[i] = &accountMetrics{
				protocol: key.Service, server: server[0], schedule: render(scheduleSamples(schedule.State{}, a.labels)),
			}
		} else {
			metrics[i] = m.accountMetrics[a.index]
		}
		same := !isNew && a.Interval == c.Interval && maps.Equal(a.Labels, c.Labels) && slices.Equal(ownLabels, m.ownLabels)
		a.Account, a.index = c, i
		if !same {
			metrics[i] = a.configured(*metrics[i], ownLabels)
		}
		accounts[key] = a
	}
	m.accounts, m.accountMetrics, m.ownLabels = accounts, metrics, ownLabels
	m.program.accounts = len(list)
}

// setServers replaces the servers by those of the accounts.
func (m *Metrics) setServers(list []account.Account, now time.Time) {
	protocols := make(map[serverKey]*probe.Protocol)
	for i := range list {
		protocols[serverKeyOf(&list[i])] = list[i].Protocol()
	}
	servers := make(map[serverKey]*serverState, len(protocols))
	metrics := make([]*serverMetrics, len(protocols))
	for i, key := range slices.SortedFunc(maps.Keys(protocols), serverKey.compare) {
		s := m.servers[key]
		if s == nil {
			s = newServerState(key, protocols[key], m.histograms, now)
			metrics[i] = s.metrics()
		} else {
			metrics[i] = m.serverMetrics[s.index]
		}
		s.index = i
		servers[key] = s
	}
	m.servers, m.serverMetrics = servers, metrics
}
