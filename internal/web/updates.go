package web

import (
	"strconv"
	"sync"
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
type watcher struct{ names, changed map[string]bool }

// Changed tells the open pages that show an account that it has changed.
func (u *Updates) Changed(name string) {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.changes++
	for w := range u.watchers {
		if w.names[name] {
			w.changed[name] = true
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

// setAccounts sets the accounts that a watcher is told of.
func (u *Updates) setAccounts(w *watcher, names []string) {
	u.mu.Lock()
	defer u.mu.Unlock()
	w.names, w.changed = make(map[string]bool, len(names)), make(map[string]bool)
	for _, name := range names {
		w.names[name] = true
	}
}

// takeChanged returns the accounts of a watcher that have changed since the last call.
func (u *Updates) takeChanged(w *watcher) map[string]bool {
	u.mu.Lock()
	defer u.mu.Unlock()
	if len(w.changed) == 0 {
		return nil // Not the map: Changed writes to it.
	}
	changed := w.changed
	w.changed = make(map[string]bool)
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
