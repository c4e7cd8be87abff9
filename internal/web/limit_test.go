package web

import (
	"bufio"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"strconv"
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
func listenTLS(t *testing.T, server *http.Server, config *tls.Config) (address string) {
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

// hold opens connections and sends the same incomplete request on each.
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

// isClosed waits until the server closes a connection, but not for as long as it leaves a silent one alone.
func isClosed(conn net.Conn) bool {
	_ = conn.SetReadDeadline(time.Now().Add(10 * time.Second))
	_, err := io.Copy(io.Discard, conn)
	return !errors.Is(err, os.ErrDeadlineExceeded)
}

// A connection more closes the one that has waited longest, and no other: least of all one that is being answered.
func TestTheLongestWaitingMakesRoom(t *testing.T) {
	answer, entered := make(chan struct{}), make(chan struct{})
	server := &http.Server{
		ReadHeaderTimeout: time.Minute,
		Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path == "/slow" {
				entered <- struct{}{}
				<-answer
			}
			io.WriteString(w, "answered")
		}),
	}
	limitConnections(server, 3)
	address := listenTLS(t, server, nil)
	slow := hold(t, address, "GET /slow HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", 1)[0]
	<-entered
	busy := hold(t, address, "GET / HTTP/1.1\r\nHost: x\r\n\r\n", 1)[0]
	if _, err := http.ReadResponse(bufio.NewReader(busy), nil); err != nil {
		t.Fatal(err)
	}
	half := hold(t, address, "GET /half HTTP/1.1\r\nHost: x\r\n\r\nG", 1)[0]
	if _, err := http.ReadResponse(bufio.NewReader(half), nil); err != nil { // So it is known by now.
		t.Fatal(err)
	}
	ask := func() error {
		if _, err := io.WriteString(busy, "GET / HTTP/1.1\r\nHost: x\r\n\r\n"); err != nil {
			return err
		}
		_, err := http.ReadResponse(bufio.NewReader(busy), nil)
		return err
	}
	if err := ask(); err != nil { // Older, but not waiting for so long.
		t.Fatal(err)
	}
	third := hold(t, address, "GET / HTTP/1.1\r\nHost: x\r\n\r\n", 1)[0]
	if _, err := http.ReadResponse(bufio.NewReader(third), nil); err != nil {
		t.Errorf("the newest has no answer: %v", err)
	}
	if !isClosed(half) {
		t.Error("the one that waited longest is still there")
	}
	if err := ask(); err != nil {
		t.Errorf("one that waited less was closed: %v", err)
	}
	close(answer)
	response, err := http.ReadResponse(bufio.NewReader(slow), nil)
	if err != nil {
		t.Fatalf("the one that was being answered: %v", err)
	}
	if body, err := io.ReadAll(response.Body); err != nil || string(body) != "answered" {
		t.Errorf("the one that was being answered: %q, %v", body, err)
	}
}

// Where all connections are being answered, one more is closed at once.
func TestNoRoom(t *testing.T) {
	answer, entered := make(chan struct{}), make(chan struct{}, 2)
	server := &http.Server{ReadHeaderTimeout: time.Minute, Handler: http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		entered <- struct{}{}
		<-answer
	})}
	limitConnections(server, 2)
	address := listenTLS(t, server, nil)
	hold(t, address, "GET / HTTP/1.1\r\nHost: x\r\n\r\n", 2)
	<-entered
	<-entered
	if !isClosed(hold(t, address, "", 1)[0]) {
		t.Error("it was not closed")
	}
	close(answer)
}

// More requests than may be served at a time are answered with 503, and the others as ever.
func TestLimitInFlight(t *testing.T) {
	answer, entered := make(chan struct{}), make(chan struct{}, 2)
	handler := limitInFlight(2, busyText)(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		entered <- struct{}{}
		<-answer
	}))
	ask := func() int {
		w := httptest.NewRecorder()
		handler.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/", nil))
		return w.Code
	}
	statuses := make(chan int, 2)
	for range 2 {
		go func() { statuses <- ask() }()
		<-entered
	}
	if got := ask(); got != http.StatusServiceUnavailable {
		t.Errorf("a third one got %d", got)
	}
	close(answer)
	for range 2 {
		if got := <-statuses; got != http.StatusOK {
			t.Errorf("one of two got %d", got)
		}
	}
	go ask()
	<-entered
}

// A client that doesn't read the response is disconnected, on every path.
func TestSlowReaderOfAPage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		opts := testOptions()
		accounts := make([]testAccount, 10_000)
		for i := range accounts {
			accounts[i].Name = strconv.Itoa(i)
		}
		opts.Accounts = registry(accounts...)
		p := serve(t, opts)
		client, server := net.Pipe()
		p.conns <- server
		if _, err := io.WriteString(client, "GET / HTTP/1.1\r\nHost: exporter\r\n\r\n"); err != nil {
			t.Fatal(err)
		}
		begin := time.Now()
		synctest.Wait()
		<-time.After(defaultScrapeTimeout)
		synctest.Wait()
		if _, err := io.Copy(io.Discard, client); err != nil {
			t.Error(err)
		}
		if took := time.Since(begin); took > defaultScrapeTimeout {
			t.Errorf("cut off after %v", took)
		}
	})
}
