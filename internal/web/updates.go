package web

import (
	"strconv"
	"sync"

	"imap-exporter/internal/account"
)

// maxWatchers is how many open pages are kept up to date at a time. Others have to be reloaded by hand.
const maxWatchers = 32

// Updates keeps open pages up to date. It is safe for concurrent use.
type Updates struct {
	mu       sync.Mutex
	changes  uint64
	watchers map[*watcher]struct{}
	closed   chan struct{}
	once     sync.Once
}

// NewUpdates returns Updates that no page watches.
func NewUpdates() *Updates {
	return &Updates{watchers: make(map[*watcher]struct{}), closed: make(chan struct{})}
}

// A watcher is an open page: the accounts on it, and which of them have changed.
type watcher struct{ accounts, changed map[account.Key]bool }

// Changed notifies the open pages that show an account.
func (u *Updates) Changed(key account.Key) {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.changes++
	for w := range u.watchers {
		if w.accounts[key] {
			w.changed[key] = true
		}
	}
}

// version returns a text that is another one after each change.
func (u *Updates) version() string {
	u.mu.Lock()
	defer u.mu.Unlock()
	return strconv.FormatUint(u.changes, 36)
}

// register returns a new watcher, without accounts yet, or nil if there are too many.
func (u *Updates) register() *watcher {
	u.mu.Lock()
	defer u.mu.Unlock()
	if len(u.watchers) >= maxWatchers {
		return nil
	}
	w := &watcher{}
	u.watchers[w] = struct{}{}
	return w
}

// setAccounts sets the accounts of which a watcher is notified.
func (u *Updates) setAccounts(w *watcher, keys []account.Key) {
	u.mu.Lock()
	defer u.mu.Unlock()
	w.accounts, w.changed = make(map[account.Key]bool, len(keys)), make(map[account.Key]bool)
	for _, key := range keys {
		w.accounts[key] = true
	}
}

// takeChanged returns the accounts of a watcher that have changed since the last call.
func (u *Updates) takeChanged(w *watcher) map[account.Key]bool {
	u.mu.Lock()
	defer u.mu.Unlock()
	if len(w.changed) == 0 {
		return nil // Not the map: Changed writes to it.
	}
	changed := w.changed
	w.changed = make(map[account.Key]bool)
	return changed
}

// count returns how many watchers there are.
func (u *Updates) count() int {
	u.mu.Lock()
	defer u.mu.Unlock()
	return len(u.watchers)
}

func (u *Updates) unregister(w *watcher) {
	u.mu.Lock()
	defer u.mu.Unlock()
	delete(u.watchers, w)
}

// close ends all streams, for the shutdown.
func (u *Updates) close() { u.once.Do(func() { close(u.closed) }) }
