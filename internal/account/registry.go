package account

import (
	"slices"
	"sync"
	"unicode/utf8"

	"imap-exporter/internal/schedule"
)

// A Status is an account and its state in the schedule.
type Status struct {
	Account
	schedule.State
}

// A Registry has the accounts of the current configuration, and the state of each in the schedule. It is safe for concurrent
// use. Its zero value has no accounts.
type Registry struct {
	mu       sync.RWMutex
	accounts []Account // sorted by key; never changed, only replaced
	byJob    map[string]int
	states   []schedule.State
}

// Set replaces the accounts. Those that stay keep their state. Of two accounts with the same key the first
// counts; one whose name or server is not UTF-8 is left out.
func (r *Registry) Set(accounts []Account) {
	accounts = slices.DeleteFunc(slices.Clone(accounts), func(a Account) bool {
		return !utf8.ValidString(a.Name) || !utf8.ValidString(a.Server)
	})
	byKey := func(a, b Account) int { return a.Key().compare(b.Key()) }
	slices.SortStableFunc(accounts, byKey)
	accounts = slices.CompactFunc(accounts, func(a, b Account) bool { return byKey(a, b) == 0 })

	byJob := make(map[string]int, len(accounts))
	states := make([]schedule.State, len(accounts))
	r.mu.Lock()
	defer r.mu.Unlock()
	for i := range accounts {
		job := accounts[i].Key().Job()
		byJob[job] = i
		if before, ok := r.byJob[job]; ok {
			states[i] = r.states[before]
		}
	}
	r.accounts, r.byJob, r.states = accounts, byJob, states
}

// SetState stores the state of a job in the schedule, and returns the key of its account; ok is false if the account is gone.
func (r *Registry) SetState(job string, s schedule.State) (key Key, ok bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	i, ok := r.byJob[job]
	if !ok {
		return Key{}, false
	}
	r.states[i] = s
	return r.accounts[i].Key(), true
}

// Accounts returns the accounts, sorted by name and service. The slice is shared: it must not be changed.
func (r *Registry) Accounts() []Account {
	r.mu.RLock()
	defer r.mu.RUnlock()
	return r.accounts
}

// All returns the accounts with their states, sorted by name and service.
func (r *Registry) All() []Status {
	r.mu.RLock()
	defer r.mu.RUnlock()
	all := make([]Status, len(r.accounts))
	for i := range all {
		all[i] = Status{r.accounts[i], r.states[i]}
	}
	return all
}

// Get returns one account with its state.
func (r *Registry) Get(key Key) (Status, bool) {
	r.mu.RLock()
	defer r.mu.RUnlock()
	i, ok := r.byJob[key.Job()]
	if !ok {
		return Status{}, false
	}
	return Status{r.accounts[i], r.states[i]}, true
}
