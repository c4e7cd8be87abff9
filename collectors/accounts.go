package collectors

import (
	"cmp"
	"maps"
	"slices"
	"time"
	"unicode/utf8"

	"google.golang.org/protobuf/types/known/timestamppb"
)

// SetAccounts tells which accounts there are, at the start and after each reload. Their counters begin at 0 and go on
// over reloads. The series of an account that is gone, or that moved to another server, vanish, and so does its
// history; a server's vanish with its last account. Of two accounts with one name the first counts. One whose name or
// server is not UTF-8 is left out.
func (m *Metrics) SetAccounts(list []Account) {
	list = tidy(list)
	ownLabels := ownLabelNames(list)
	m.mu.Lock()
	defer m.mu.Unlock()
	now := m.now()
	m.setServers(list, now)

	accounts := make(map[string]*account, len(list))
	pages := make([]*accountPage, len(list))
	names := make([]string, len(list))
	for i, c := range list {
		a := m.accounts[c.Name]
		isNew := a == nil || a.Server != c.Server
		if isNew {
			m.history.Forget(c.Name)
			server := m.servers[c.Server].labels
			a = &account{labels: server.with(pair("account", c.Name)), since: timestamppb.New(now)}
			pages[i] = &accountPage{server: server[0]}
		} else {
			pages[i] = m.accountPages[a.place]
		}
		same := !isNew && a.Interval == c.Interval && maps.Equal(a.Labels, c.Labels) && slices.Equal(ownLabels, m.ownLabels)
		a.Account, a.place = c, i
		if !same {
			pages[i] = a.configured(*pages[i], ownLabels)
		}
		accounts[c.Name], names[i] = a, c.Name
	}
	m.history.Keep(names)
	m.accounts, m.accountPages, m.ownLabels = accounts, pages, ownLabels
	m.program.accounts = len(list)
}

// setServers replaces the servers by those of the accounts.
func (m *Metrics) setServers(list []Account, now time.Time) {
	names := make(set)
	for _, c := range list {
		names.add(c.Server)
	}
	servers := make(map[string]*server, len(names))
	pages := make([]*serverPage, len(names))
	for i, name := range slices.Sorted(maps.Keys(names)) {
		s := m.servers[name]
		if s == nil {
			s = newServer(name, m.mode, now)
			pages[i] = s.page()
		} else {
			pages[i] = m.serverPages[s.place]
		}
		s.place = i
		servers[name] = s
	}
	m.servers, m.serverPages = servers, pages
}

// tidy returns the accounts that can have metrics, sorted by name, the first one of each name.
func tidy(list []Account) []Account {
	list = slices.DeleteFunc(slices.Clone(list), func(a Account) bool {
		return !utf8.ValidString(a.Name) || !utf8.ValidString(a.Server)
	})
	byName := func(a, b Account) int { return cmp.Compare(a.Name, b.Name) }
	slices.SortStableFunc(list, byName)
	return slices.CompactFunc(list, func(a, b Account) bool { return byName(a, b) == 0 })
}
