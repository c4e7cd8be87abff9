package web

import (
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"imap-exporter/probe"
)

// What is written to an answer is sent as it is, packed or not, in pieces of any size.
func TestAnswer(t *testing.T) {
	for _, packed := range []bool{false, true} {
		a, want := newAnswer(packed), new(bytes.Buffer)
		a.Header().Set("X-Test", "yes")
		a.WriteHeader(http.StatusTeapot)
		for _, size := range []int{0, 1, 4000, 5000, chunkSize, 3 * chunkSize, 7} {
			piece := bytes.Repeat([]byte{byte(rand.IntN(256))}, size)
			want.Write(piece)
			if n, err := a.Write(piece); n != size || err != nil {
				t.Errorf("Write: %d, %v", n, err)
			}
		}
		a.finish()
		if packed == (a.size >= want.Len()) {
			t.Errorf("packed %t: %d bytes are %d", packed, want.Len(), a.size)
		}
		for range 2 { // It may be sent to several.
			w := httptest.NewRecorder()
			a.send(w)
			if w.Code != http.StatusTeapot || w.Header().Get("X-Test") != "yes" || !bytes.Equal(w.Body.Bytes(), want.Bytes()) {
				t.Errorf("packed %t: status %d, %v, %d bytes", packed, w.Code, w.Header(), w.Body.Len())
			}
		}
	}
}

// More requests than may be worked on at a time are answered with 503, and the others as ever.
func TestLimitInFlight(t *testing.T) {
	finish, entered := make(chan struct{}), make(chan struct{}, 2)
	answers := &answerLimiter{limit: maxAnswerBytes}
	handler := answers.limitInFlight(2, busyText)(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		entered <- struct{}{}
		<-finish
	}))
	ask := func() int {
		w := httptest.NewRecorder()
		handler.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/", nil))
		return w.Code
	}
	statuses := make(chan int, 3)
	for range 2 {
		go func() { statuses <- ask() }()
		<-entered
	}
	if got := ask(); got != http.StatusServiceUnavailable {
		t.Errorf("a third one got %d", got)
	}
	close(finish)
	for range 2 {
		if got := <-statuses; got != http.StatusOK {
			t.Errorf("one of two got %d", got)
		}
	}
	go func() { statuses <- ask() }()
	<-entered
	<-statuses
}

// Clients that don't read take no place: others are answered meanwhile.
func TestSlowReadersTakeNoPlace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		opts := testOptions()
		p := serve(t, opts)
		for range 2 * pagesInFlight {
			p.open(t, "/docs/metrics")
		}
		if got := answerOn(t, p.open(t, "/")); !strings.Contains(got, "canary") {
			t.Errorf("the list is %.100q", got)
		}
	})
}

// The answers that nobody reads don't fill the memory: the oldest are cut off. One alone may be as large as it is.
func TestAnswersAreBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const size = 1 << 20
		answers := &answerLimiter{limit: 2 * size}
		handler := answers.limitInFlight(10, busyText)(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			n := size
			if r.URL.Path == "/huge" {
				n = 3 * size
			}
			w.Write(make([]byte, n))
		}))
		p := pipeServer(t, 10, handler.ServeHTTP)
		first, second := p.open(t, "/"), p.open(t, "/")
		if isClosedNow(first) || answers.used != 2*size {
			t.Errorf("the first is closed though there is room; %d bytes are counted", answers.used)
		}
		third := p.open(t, "/")
		if !isClosedNow(first) || isClosedNow(second) {
			t.Error("it is not the oldest that was cut off")
		}
		if got := answerOn(t, p.open(t, "/huge")); len(got) != 3*size {
			t.Errorf("of the huge one came %d bytes", len(got))
		}
		if !isClosedNow(second) || !isClosedNow(third) {
			t.Error("the others are still there")
		}
		if answers.used != 0 || answers.oldest.Len() != 0 {
			t.Errorf("%d bytes in %d answers are still counted", answers.used, answers.oldest.Len())
		}
	})
}

// Requests of one kind that come while an answer is made share the next one. At most as many are made at a time as was said.
func TestSharedMaker(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		answers := &answerLimiter{limit: maxAnswerBytes}
		maker := newSharedMaker(answers, 1)
		made, atATime := 0, 0
		ask := func(kind string) (body func() string) {
			w := httptest.NewRecorder()
			done := make(chan struct{})
			go func() {
				defer close(done)
				maker.serve(w, httptest.NewRequest(http.MethodGet, "/", nil), kind, func() *answer {
					made++
					atATime++
					if atATime > 1 {
						t.Errorf("%d are made at a time", atATime)
					}
					number := made
					<-time.After(time.Second)
					atATime--
					a := newAnswer(true)
					fmt.Fprint(a, kind, number)
					return a
				})
			}()
			synctest.Wait()
			return func() string {
				<-done
				return w.Body.String()
			}
		}
		bodies := []func() string{ask("a"), ask("a"), ask("b"), ask("a"), ask("b")}
		for i, want := range []string{"a1", "a3", "b2", "a3", "b2"} {
			if got := bodies[i](); got != want {
				t.Errorf("request %d got %s, want %s", i, got, want)
			}
		}
		if answers.used != 0 || len(maker.waiting)+len(maker.newest) != 0 {
			t.Errorf("%d bytes and %d answers are left", answers.used, len(maker.waiting)+len(maker.newest))
		}
	})
}

// Where making an answer fails, all who wait for it are told.
func TestSharedMakerFails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		maker := newSharedMaker(&answerLimiter{limit: maxAnswerBytes}, 1)
		maker.turns <- struct{}{} // So that both wait for one answer.
		failed := make(chan any, 1)
		w := httptest.NewRecorder()
		r := httptest.NewRequest(http.MethodGet, "/", nil)
		go func() {
			defer func() { failed <- recover() }()
			maker.serve(httptest.NewRecorder(), r, "", func() *answer { panic("broken") })
		}()
		synctest.Wait()
		go maker.serve(w, r, "", nil)
		synctest.Wait()
		<-maker.turns
		synctest.Wait()
		if got := <-failed; got != "broken" {
			t.Errorf("panic %v", got)
		}
		if w.Code != http.StatusInternalServerError {
			t.Errorf("the other one got %d", w.Code)
		}
		if len(maker.turns) != 0 {
			t.Error("its turn isn't over")
		}
	})
}

// Asking for targets many times at once lists them twice.
func TestDiscoveryIsShared(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		listed, release := 0, make(chan struct{})
		opts := testOptions()
		opts.Discover = func() []TargetGroup {
			listed++
			<-release
			return []TargetGroup{{Targets: []string{"canary"}}}
		}
		handler := NewServer(opts).Handler
		for range 20 {
			go func() {
				w := httptest.NewRecorder()
				handler.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/sd", nil))
				if !strings.Contains(w.Body.String(), "canary") {
					t.Errorf("%s", w.Body)
				}
			}()
			synctest.Wait()
		}
		close(release)
		synctest.Wait()
		if listed != 2 {
			t.Errorf("listed %d times", listed)
		}
	})
}

// Whoever asks for probes by the button doesn't keep all connections.
func TestButtonsAreBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, _ := probed()
		w.Reload = func(context.Context) (string, error) { return "", nil }
		w.Probe = func(ctx context.Context, _ ProbeRequest) (*probe.Result, error) {
			<-ctx.Done()
			return nil, ctx.Err()
		}
		handler := NewServer(w.Options).Handler
		press := func() int {
			answer := httptest.NewRecorder()
			handler.ServeHTTP(answer, httptest.NewRequest(http.MethodPost, "/accounts/canary/probe", nil))
			return answer.Code
		}
		for range buttonsInFlight {
			go press()
		}
		synctest.Wait()
		if got := press(); got != http.StatusServiceUnavailable {
			t.Errorf("one more got %d", got)
		}
		<-time.After(onDemandTimeout)
	})
}
