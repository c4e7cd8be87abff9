package web

import (
	"bytes"
	"fmt"
	"net/http"
	"slices"
	"time"

	"imap-exporter/internal/account"
)

const (
	// minMessageInterval is the shortest time between two messages to one page.
	minMessageInterval = time.Second
	// keepAliveInterval is the longest time without a message; many proxies close a connection after 60 s.
	keepAliveInterval = 20 * time.Second
	// messageWriteTimeout is how long a page may take to read a message. Then its stream is closed.
	messageWriteTimeout = 5 * time.Second
	// minListInterval is the shortest time between two queries for the accounts of a page of the list. A query goes
	// through all accounts, so the queries of all pages together take at most 1/listTimeDivisor of the time.
	minListInterval = 5 * time.Second
	listTimeDivisor = 50
)

// A stream sends parts of a page to a browser as server-sent events (HTML standard, section 9.2).
type stream struct {
	w    http.ResponseWriter
	ctrl *http.ResponseController
	sent time.Time
}

// openStream writes the header of the answer. It fails if w can't set deadlines.
func openStream(w http.ResponseWriter) (*stream, error) {
	s := &stream{w: w, ctrl: http.NewResponseController(w)}
	w.Header().Set("Content-Type", "text/event-stream")
	w.Header().Set("X-Accel-Buffering", "no") // Else nginx buffers messages.
	return s, s.write([]byte("retry: 5000\n\n"))
}

// send sends elements of the page, which replace those with the same ids.
func (s *stream) send(html []byte) error {
	if len(html) == 0 {
		return nil
	}
	var message bytes.Buffer
	for line := range bytes.Lines(html) {
		fmt.Fprintf(&message, "data: %s\n", bytes.TrimRight(line, "\r\n"))
	}
	message.WriteByte('\n')
	return s.write(message.Bytes())
}

// keepAlive sends a comment if nothing was sent for keepAliveInterval.
func (s *stream) keepAlive(now time.Time) error {
	if now.Sub(s.sent) < keepAliveInterval {
		return nil
	}
	return s.write([]byte(":\n\n"))
}

func (s *stream) write(message []byte) error {
	s.sent = time.Now()
	if err := s.ctrl.SetWriteDeadline(s.sent.Add(messageWriteTimeout)); err != nil {
		return err
	}
	if _, err := s.w.Write(message); err != nil {
		return err
	}
	return s.ctrl.Flush()
}

// streamUpdates calls poll every minMessageInterval until the browser hangs up, poll fails, or the server shuts down.
func (p *pages) streamUpdates(w http.ResponseWriter, r *http.Request, poll func(*stream, *watcher) error) {
	watcher := p.updates.register()
	if watcher == nil {
		w.Header().Set("Retry-After", "60")
		http.Error(w, "Too many pages are open. Reload this one to see what is new.", http.StatusServiceUnavailable)
		return
	}
	defer p.updates.unregister(watcher)
	s, err := openStream(w)
	if err != nil {
		p.opts.Logger.DebugContext(r.Context(), "A page is not kept up to date", "err", err)
		return
	}
	shown := r.URL.Query().Get("banner")
	tick := time.NewTicker(minMessageInterval)
	defer tick.Stop()
	for {
		if err := p.sendBanner(s, &shown); err != nil {
			return
		}
		if err := poll(s, watcher); err != nil {
			return
		}
		if err := s.keepAlive(time.Now()); err != nil {
			return
		}
		select {
		case <-r.Context().Done():
			return
		case <-p.updates.closed:
			return
		case <-tick.C:
		}
	}
}

// sendBanner sends the banner if it is another one than that which is shown.
func (p *pages) sendBanner(s *stream, shown *string) error {
	b := p.banner(time.Now())
	if b.ID() == *shown {
		return nil
	}
	*shown = b.ID()
	html, err := p.render("banner", b)
	if err != nil {
		return err
	}
	return s.send(html)
}

// listEvents keeps a page of the list up to date: changed rows, and every few seconds the selection of accounts.
func (p *pages) listEvents(w http.ResponseWriter, r *http.Request) {
	l := liveList{pages: p, query: parseQuery(r.URL.Query()), version: r.URL.Query().Get("version")}
	p.streamUpdates(w, r, l.poll)
}

// A liveList is the state of an open page of the list.
type liveList struct {
	pages   *pages
	query   query
	version string
	keys    []account.Key
	summary string
	next    time.Time
}

// poll sends what has changed.
func (l *liveList) poll(s *stream, w *watcher) error {
	// The version is read first: a change after that makes another version.
	version, changed := l.pages.updates.version(), l.pages.updates.takeChanged(w)
	if version == l.version {
		return nil
	}
	var html bytes.Buffer
	now := time.Now()
	if now.Before(l.next) {
		if err := l.renderRows(&html, changed, now); err != nil {
			return err
		}
		return s.send(html.Bytes())
	}
	l.version = version
	if err := l.renderList(&html, w, changed, now); err != nil {
		return err
	}
	l.next = now.Add(max(minListInterval, time.Since(now)*time.Duration(listTimeDivisor*l.pages.updates.count())))
	return s.send(html.Bytes())
}

// renderRows renders the rows that have changed.
func (l *liveList) renderRows(html *bytes.Buffer, changed map[account.Key]bool, now time.Time) error {
	for _, key := range l.keys {
		if !changed[key] {
			continue
		}
		if a, ok := l.pages.account(key); ok {
			if err := l.pages.templates.ExecuteTemplate(html, "row", l.pages.newRow(&a, now)); err != nil {
				return err
			}
		}
	}
	return nil
}

// renderList renders all rows if the list or its order has changed, else the changed rows, and a changed summary.
func (l *liveList) renderList(html *bytes.Buffer, w *watcher, changed map[account.Key]bool, now time.Time) error {
	list, summary := l.pages.list(l.query, now)
	var keys []account.Key
	for _, a := range list.Accounts {
		keys = append(keys, a.Key())
	}
	if slices.Equal(keys, l.keys) {
		if err := l.renderRows(html, changed, now); err != nil {
			return err
		}
	} else {
		l.keys = keys
		l.pages.updates.setAccounts(w, keys)
		for i, key := range keys { // They may have changed before they were watched.
			if a, ok := l.pages.account(key); ok {
				list.Accounts[i] = &a
			}
		}
		if err := l.pages.templates.ExecuteTemplate(html, "rows", l.pages.rows(list.Accounts, now)); err != nil {
			return err
		}
	}
	text, err := l.pages.render("summary", summary)
	if err != nil || string(text) == l.summary {
		return err
	}
	l.summary = string(text)
	html.Write(text)
	return nil
}
