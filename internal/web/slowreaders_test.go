package web

import (
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// Who takes no byte for writeStallTimeout is cut off. Who takes some now and then is not, until sendTimeout.
func TestSlowReaders(t *testing.T) {
	for _, test := range []struct {
		pause time.Duration
		want  time.Duration
	}{
		{time.Hour, writeStallTimeout},
		{writeStallTimeout - time.Millisecond, sendTimeout},
	} {
		synctest.Test(t, func(t *testing.T) {
			answers := &answerLimiter{limit: maxAnswerBytes}
			done := make(chan time.Duration, 1)
			handler := answers.limitInFlight(1, busyText)(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				w.Write(make([]byte, 1<<20))
			}))
			p := pipeServer(t, 1, func(w http.ResponseWriter, r *http.Request) {
				begun := time.Now()
				handler.ServeHTTP(w, r)
				done <- time.Since(begun)
			})
			conn := p.open(t, "/")
			stop := make(chan struct{})
			go func() {
				for {
					select {
					case <-stop:
						return
					case <-time.After(test.pause):
						conn.Read(make([]byte, 1))
					}
				}
			}()
			if took := <-done; took != test.want {
				t.Errorf("reading each %v, it was cut off after %v, want %v", test.pause, took, test.want)
			}
			close(stop)
		})
	}
}

// A client that doesn't read makes room even while it is being answered.
func TestStalledReaderMakesRoom(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := pipeServer(t, 1, func(w http.ResponseWriter, _ *http.Request) { w.Write(make([]byte, 1<<20)) })
		begun := time.Now()
		stalled := p.open(t, "/")
		got := answerOn(t, p.open(t, "/"))
		if took := time.Since(begun); len(got) != 1<<20 || took > minSendWait+makeRoomInterval {
			t.Errorf("the other one got %d bytes after %v", len(got), took)
		}
		if !isClosedNow(stalled) {
			t.Error("the one that doesn't read is still there")
		}
	})
}

// A connection that was idle for long is not cut off in the middle of an answer, nor before its last bytes are sent.
func TestIdleConnectionGetsItsAnswer(t *testing.T) {
	for _, size := range []int{100, 100_000} { // The first is sent when the handler has returned.
		synctest.Test(t, func(t *testing.T) {
			p := pipeServer(t, 1, func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, strings.Repeat("x", size)) })
			kept := p.open(t, "/")
			answerOn(t, kept)
			<-time.After(time.Minute)
			go io.WriteString(kept, "GET / HTTP/1.1\r\nHost: x\r\n\r\n")
			synctest.Wait() // It waits for us to read.
			other := p.open(t, "/")
			<-time.After(minSendWait - 2*makeRoomInterval)
			if got := answerOn(t, kept); len(got) != size {
				t.Errorf("it got %d bytes of %d", len(got), size)
			}
			if got := answerOn(t, other); len(got) != size {
				t.Errorf("the other one got %d bytes of %d", len(got), size)
			}
		})
	}
}
