package web

import (
	"bufio"
	"crypto/tls"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"imap-exporter/internal/mailtest"
)

// tooManyConnections is more than a server takes.
const tooManyConnections = maxConnections + 60

// listenTLS serves on a port of loopback until the end of the test, over TLS if there is a configuration.
func listenTLS(t *testing.T, server *Server, config *tls.Config) (address string) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address = listener.Addr().String()
	if config != nil {
		listener = tls.NewListener(listener, config)
	}
	done := make(chan error, 1)
	go func() { done <- server.Serve(listener) }()
	t.Cleanup(func() {
		server.Close()
		if err := <-done; !errors.Is(err, http.ErrServerClosed) {
			t.Error(err)
		}
	})
	return address
}

// hold opens connections, and sends each the same, to which nobody owes an answer.
func hold(t *testing.T, address, text string, n int) []net.Conn {
	t.Helper()
	conns := make([]net.Conn, n)
	for i := range conns {
		conn, err := net.Dial("tcp", address)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { conn.Close() })
		if _, err := io.WriteString(conn, text); err != nil && text != "" && i < n-maxConnections {
			continue // It has made room already.
		}
		conns[i] = conn
	}
	return conns
}

// Hundreds of clients that never finish what they began keep nobody out, whether they have said nothing, half a request,
// half a handshake, or a whole request before.
func TestHalfOpenRequests(t *testing.T) {
	ca, err := mailtest.NewCA()
	if err != nil {
		t.Fatal(err)
	}
	config, err := ca.ServerConfig(mailtest.CertOptions{Names: []string{"127.0.0.1"}})
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		config *tls.Config
		text   string
	}{
		"silent":              {nil, ""},
		"half a request line": {nil, "GET /metr"},
		"half a header":       {nil, "GET /metrics HTTP/1.1\r\nHost: exporter\r\nX-"},
		"half a body":         {nil, "POST /-/reload HTTP/1.1\r\nHost: exporter\r\nContent-Length: 1000\r\n\r\nx"},
		"idle":                {nil, "GET /-/healthy HTTP/1.1\r\nHost: exporter\r\n\r\n"},
		"silent, TLS":         {config, ""},
		"half a handshake":    {config, "\x16\x03\x01\x02\x00\x01\x00"},
	} {
		t.Run(name, func(t *testing.T) {
			server := NewServer(testOptions())
			states := map[net.Conn]bool{}
			watch := server.ConnState
			open := 0
			server.ConnState = func(conn net.Conn, state http.ConnState) {
				if watch != nil {
					watch(conn, state)
				}
				if state == http.StateNew {
					states[conn] = true // Called by one goroutine, that which accepts.
					open = max(open, len(states))
				}
			}
			address := listenTLS(t, server, c.config)
			held := hold(t, address, c.text, tooManyConnections)
			client := http.Client{
				Timeout: 30 * time.Second, // Less than it would take for all to be timed out, one after the other.
				Transport: &http.Transport{
					DisableKeepAlives: true, TLSClientConfig: &tls.Config{RootCAs: ca.Pool()},
				},
			}
			url := "http://" + address + "/metrics"
			if c.config != nil {
				url = "https://" + address + "/metrics"
			}
			begin := time.Now()
			response, err := client.Get(url)
			if err != nil {
				t.Fatal(err)
			}
			response.Body.Close()
			if took := time.Since(begin); response.StatusCode != http.StatusOK || took > readTimeout/2 {
				t.Errorf("%s after %v", response.Status, took)
			}
			if open < tooManyConnections {
				t.Errorf("%d connections, want more", open)
			}
			if left := stillOpen(held); left > maxConnections {
				t.Errorf("%d connections are still open, want at most %d", left, maxConnections)
			}
		})
	}
}

// stillOpen counts the connections that the server hasn't closed by now.
func stillOpen(conns []net.Conn) int {
	var open atomic.Int64
	var group sync.WaitGroup
	deadline := time.Now().Add(time.Second) // Sooner than the server's own, and late enough for what is on its way.
	for _, conn := range conns {
		if conn == nil {
			continue
		}
		group.Go(func() {
			_ = conn.SetReadDeadline(deadline)
			if _, err := io.Copy(io.Discard, conn); errors.Is(err, os.ErrDeadlineExceeded) {
				open.Add(1)
			}
		})
	}
	group.Wait()
	return int(open.Load())
}

// pipeServer returns a server of a handler with room for so many connections, which come as pipes.
func pipeServer(t *testing.T, room int, handler http.HandlerFunc) *pipes {
	t.Helper()
	server := newServer(handler, newPasswordLimiter(), slog.New(slog.DiscardHandler))
	server.connections = newConnLimiter(room)
	return servePipes(t, server)
}

// open opens a connection and asks for a path, unless it is "".
func (p *pipes) open(t *testing.T, path string) net.Conn {
	t.Helper()
	client, server := net.Pipe()
	t.Cleanup(func() { client.Close() })
	go func() {
		select {
		case p.conns <- server:
		case <-p.closed:
		}
	}()
	if path != "" {
		go io.WriteString(client, "GET "+path+" HTTP/1.1\r\nHost: x\r\n\r\n")
	}
	synctest.Wait()
	return client
}

// answerOn reads an answer.
func answerOn(t *testing.T, conn net.Conn) string {
	t.Helper()
	response, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		t.Error(err)
		return ""
	}
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Error(err)
	}
	synctest.Wait() // Now the server knows that the answer has been taken.
	return string(body)
}

// isClosedNow says whether the server has closed a connection. It reads nothing of what was sent on it.
func isClosedNow(conn net.Conn) bool {
	_ = conn.SetWriteDeadline(time.Now().Add(time.Nanosecond))
	_, err := io.WriteString(conn, "G")
	_ = conn.SetWriteDeadline(time.Time{})
	return errors.Is(err, io.ErrClosedPipe)
}

// Where there is no room, the connection that has kept us waiting longest is closed for a new one, whatever it did in
// between, but none that waits for us.
func TestTheLongestWaitingMakesRoom(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		finish := make(chan struct{})
		p := pipeServer(t, 3, func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path == "/slow" {
				<-finish
			}
			io.WriteString(w, "answered")
		})
		slow := p.open(t, "/slow")
		active := p.open(t, "/")
		answerOn(t, active)
		<-time.After(5 * time.Second)
		idle := p.open(t, "/")
		answerOn(t, idle)
		<-time.After(time.Second)
		go io.WriteString(active, "GET / HTTP/1.1\r\nHost: x\r\n\r\n")
		answerOn(t, active)

		newest := p.open(t, "/")
		if got := answerOn(t, newest); got != "answered" {
			t.Errorf("the newest got %q", got)
		}
		if !isClosedNow(active) || isClosedNow(idle) {
			t.Errorf("closed: %t and %t, want only the one that waited longer", isClosedNow(active), isClosedNow(idle))
		}
		close(finish)
		if got := answerOn(t, slow); got != "answered" {
			t.Errorf("the one that was being answered got %q", got)
		}
	})
}

// A connection has minWait before it has to make room.
func TestEveryConnectionHasTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := pipeServer(t, 2, func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "answered") })
		first, second := p.open(t, ""), p.open(t, "")
		third := p.open(t, "/")
		<-time.After(minWait - time.Millisecond)
		if isClosedNow(first) || isClosedNow(second) {
			t.Error("one was closed at once")
		}
		if got := answerOn(t, third); got != "answered" {
			t.Errorf("the third got %q", got)
		}
		if isClosedNow(first) == isClosedNow(second) {
			t.Error("both are closed, or none")
		}
	})
}

// A client that is never done asking is let go after an answer.
func TestClientThatNeverPauses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		answers := make(chan struct{})
		p := pipeServer(t, 1, func(w http.ResponseWriter, _ *http.Request) {
			<-answers
			io.WriteString(w, "answered")
		})
		restless := p.open(t, "")
		go func() {
			for {
				if _, err := io.WriteString(restless, "GET / HTTP/1.1\r\nHost: x\r\n\r\n"); err != nil {
					return
				}
			}
		}()
		lines := bufio.NewReader(restless)
		read := func() error {
			answers <- struct{}{}
			response, err := http.ReadResponse(lines, nil)
			if err == nil {
				_, err = io.Copy(io.Discard, response.Body)
			}
			synctest.Wait()
			return err
		}
		for range minWait/requestCharge + 1 { // And now it is answering again.
			if err := read(); err != nil {
				t.Fatal(err)
			}
		}
		other := p.open(t, "/")
		<-time.After(makeRoomInterval)
		if err := read(); err != nil {
			t.Errorf("the answer that was being made did not come: %v", err)
		}
		if !isClosedNow(restless) {
			t.Error("it is still there")
		}
		answers <- struct{}{}
		if got := answerOn(t, other); got != "answered" {
			t.Errorf("the other one got %q", got)
		}
	})
}

// A server that is full stops accepting as soon as its listener is closed.
func TestFullServerStops(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		limiter := newConnLimiter(1)
		p := &pipes{conns: make(chan net.Conn), closed: make(chan struct{})}
		listener := limiter.listen(p)
		accepted := make(chan error)
		accept := func() {
			conn, err := listener.Accept()
			if err == nil {
				conn.(*clientConn).beginAnswer()
			}
			accepted <- err
		}
		go accept()
		p.open(t, "")
		if err := <-accepted; err != nil {
			t.Fatal(err)
		}
		go accept()
		p.open(t, "")
		<-time.After(time.Minute)
		listener.Close()
		if err := <-accepted; !errors.Is(err, net.ErrClosed) {
			t.Error(err)
		}
	})
}

// A request ends with its connection, even if the client has sent more than the request.
func TestRequestEndsWithItsConnection(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := pipeServer(t, 1, func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
		conn := p.open(t, "/")
		io.WriteString(conn, "G")
		synctest.Wait() // At the end of the test, the server closes it.
	})
}
