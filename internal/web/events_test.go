package web

import (
	"bufio"
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"imap-exporter/internal/account"
)

// soon is longer than any message takes, on a busy machine too.
const soon = 30 * time.Second

// A listener is a browser's connection for what has changed.
type listener struct {
	t     *testing.T
	lines chan string
}

// serve runs a server of the fixture's pages until the end of the test.
func (w *fixture) serve(t *testing.T) (url string) {
	server := httptest.NewUnstartedServer(nil)
	server.Config = NewServer(w.Options).Server
	server.Start()
	t.Cleanup(func() {
		w.Updates.close() // As at the shutdown.
		server.Close()
	})
	return server.URL
}

// listen opens the stream of a page.
func listen(t *testing.T, url string) *listener {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	t.Cleanup(cancel)
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Close = true
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { answer.Body.Close() })
	if got := answer.Header.Get("Content-Type"); answer.StatusCode != http.StatusOK || got != "text/event-stream" {
		t.Fatalf("status %d, %s", answer.StatusCode, got)
	}
	l := &listener{t, make(chan string, 10_000)}
	go func() {
		defer close(l.lines)
		for scanner := bufio.NewScanner(answer.Body); scanner.Scan(); {
			l.lines <- scanner.Text()
		}
	}()
	return l
}

// next returns the next message.
func (l *listener) next() string {
	l.t.Helper()
	var message []string
	for {
		select {
		case line, ok := <-l.lines:
			switch {
			case !ok:
				l.t.Fatal("the stream has ended")
			case line == "" && len(message) > 0:
				return strings.Join(message, "\n")
			case strings.HasPrefix(line, "data: "):
				message = append(message, strings.TrimPrefix(line, "data: "))
			}
		case <-time.After(soon):
			l.t.Fatal("no message comes")
		}
	}
}

func TestListIsKeptUpToDate(t *testing.T) {
	w := newFixture()
	w.add(testAccount{Name: "a", Server: "one:993"}, success(10))
	w.add(testAccount{Name: "b", Server: "one:993"}, success(10))
	w.add(testAccount{Name: "elsewhere", Server: "two:993"}, success(10))
	l := listen(t, w.serve(t)+"/events/?server=one&sort=name&version=none")
	first := l.next()
	if got := names(first); len(got) != 2 || !strings.Contains(first, `<tbody id="rows"`) {
		t.Fatalf("the first message lists %v", got)
	}
	w.Updates.Changed(key("elsewhere"))
	failed := rejected("no")
	failed.Account, failed.Start = "b", w.now
	w.History.Add(failed)
	w.Updates.Changed(key("b"))
	message := l.next()
	if got := names(message); len(got) != 1 || got[0] != "b" || strings.Contains(message, "<tbody") || !strings.Contains(message, "auth/rejected") {
		t.Errorf("the message has %v, want the changed row alone:\n%s", got, message)
	}
	if message = l.next(); len(names(message)) != 0 || !strings.Contains(message, `data-failing="1"`) {
		t.Errorf("then comes %s, want the summary", message)
	}
}

func TestAccountIsKeptUpToDate(t *testing.T) {
	w, _ := probed()
	url := w.serve(t)
	l := listen(t, url+"/events/accounts/canary?version="+w.Updates.version())
	next := success(777)
	next.Account, next.Start = "canary", w.now
	w.History.Add(next)
	w.Updates.Changed(key("canary"))
	message := l.next()
	assertHas(t, message, `<div id="live"`, "777 ms", `href="./../accounts/canary/probes/`)
	if strings.Contains(message, "<html") || strings.Contains(message, "<form") {
		t.Error("the message has more than what changes")
	}
}

func TestStreamsAreBounded(t *testing.T) {
	w := newFixture()
	url := w.serve(t)
	for range maxWatchers {
		listen(t, url+"/events/")
	}
	answer := request(w.Options, http.MethodGet, "/events/", "")
	if answer.Code != http.StatusServiceUnavailable || answer.Header().Get("Retry-After") == "" {
		t.Errorf("status %d for one page too many", answer.Code)
	}
	w.Updates.close()
}

// An open page doesn't delay the shutdown, and a disconnected browser is forgotten.
func TestStreamsEnd(t *testing.T) {
	w := newFixture()
	server := httptest.NewUnstartedServer(nil)
	server.Config = NewServer(w.Options).Server
	server.Start()
	defer server.Close()
	gone := listen(t, server.URL+"/events/?version=none")
	gone.next()
	stays := listen(t, server.URL+"/events/?version=none")
	stays.next()
	ctx, cancel := context.WithTimeout(t.Context(), soon)
	defer cancel()
	if err := server.Config.Shutdown(ctx); err != nil {
		t.Error(err)
	}
	for range stays.lines { // Until it ends.
	}
	if n := w.Updates.count(); n != 0 {
		t.Errorf("%d pages are still watched", n)
	}
}

// Accounts that no page shows cost nothing, and many changes in a short time are one message.
func TestChangesAreCollected(t *testing.T) {
	u := NewUpdates()
	w := u.register()
	u.setAccounts(w, []account.Key{key("a")})
	for range 100 {
		u.Changed(key("a"))
		u.Changed(key("b"))
	}
	if changed := u.takeChanged(w); len(changed) != 1 || !changed[key("a")] {
		t.Errorf("changed: %v", changed)
	}
	if changed := u.takeChanged(w); len(changed) != 0 {
		t.Errorf("changed again: %v", changed)
	}
}

// A patient writer notes by when it should have written.
type patient struct {
	http.ResponseWriter
	deadlines []time.Time
}

func (s *patient) SetWriteDeadline(t time.Time) error {
	s.deadlines = append(s.deadlines, t)
	return nil
}

// Unwrap lets the messages through.
func (s *patient) Unwrap() http.ResponseWriter { return s.ResponseWriter }

func TestEveryMessageHasADeadline(t *testing.T) {
	w := &patient{ResponseWriter: httptest.NewRecorder()}
	s, err := openStream(w)
	if err != nil {
		t.Fatal(err)
	}
	for range 3 {
		if err := s.send([]byte("<p>")); err != nil {
			t.Fatal(err)
		}
	}
	if len(w.deadlines) != 4 {
		t.Fatalf("%d deadlines for 4 messages", len(w.deadlines))
	}
	for _, at := range w.deadlines {
		if left := time.Until(at); left > messageWriteTimeout || left < messageWriteTimeout-soon {
			t.Errorf("a message may take %v", left)
		}
	}
}

// What was taken is the taker's own: what changes afterwards is for the next time.
func TestTake(t *testing.T) {
	u := NewUpdates()
	w := u.register()
	u.setAccounts(w, []account.Key{key("canary")})
	for _, want := range []int{0, 1, 0} {
		taken := u.takeChanged(w)
		u.Changed(key("another"))
		if want == 0 {
			u.Changed(key("canary"))
		}
		if len(taken) != want {
			t.Errorf("%d changes were taken, want %d", len(taken), want)
		}
	}
}
