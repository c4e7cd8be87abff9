package main

import (
	"context"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"imap-exporter/internal/mailtest"
	"imap-exporter/internal/realtest"
)

const (
	// waitTimeout bounds every wait for an expected state.
	waitTimeout = time.Minute
	// stopTimeout is how long the program may take to stop, as docs/security.md promises.
	stopTimeout = 5 * time.Second
)

// An inProcess is the program in the test's own process, where the race detector sees it and goroutines that it leaves
// behind are found. internal/e2e has the tests that need a process of its own.
type inProcess struct {
	t *testing.T
	// Address is where it listens, URL the same with http://.
	Address, URL string
	// Log is its stderr.
	Log *realtest.Buffer

	cancel context.CancelFunc
	status chan int
	leaks  goleak.Option
}

// serve runs the program with a configuration file until the end of the test, on a free port of 127.0.0.1.
func serve(t *testing.T, file string, flags ...string) *inProcess {
	t.Helper()
	return serveOn(t, "127.0.0.1", file, flags...)
}

// serveOn runs the program on a free port of a host; "0.0.0.0" is all of IPv4. It must stop in time, with status 0, and leave
// no goroutine.
func serveOn(t *testing.T, host, file string, flags ...string) *inProcess {
	t.Helper()
	port, err := realtest.FreePort()
	if err != nil {
		t.Fatal(err)
	}
	p := &inProcess{t: t, Address: "127.0.0.1:" + port, Log: &realtest.Buffer{}, status: make(chan int, 1), leaks: goleak.IgnoreCurrent()}
	p.URL = "http://" + p.Address
	var ctx context.Context
	ctx, p.cancel = context.WithCancel(t.Context())
	args := append([]string{"--config.file=" + file, "--web.listen-address=" + host + ":" + port}, flags...)
	go func() { p.status <- run(ctx, args, io.Discard, p.Log) }()
	t.Cleanup(func() {
		p.stop()
		realtest.Capture(t, "exporter.log", []byte(p.Log.String()))
	})
	if !await(func() bool {
		conn, err := net.Dial("tcp", p.Address)
		if err == nil {
			conn.Close()
		}
		return err == nil || len(p.status) > 0
	}) || len(p.status) > 0 {
		t.Fatalf("it doesn't listen:\n%s", p.Log)
	}
	return p
}

// stop stops the program, unless the test has already done so.
func (p *inProcess) stop() {
	p.t.Helper()
	if p.cancel == nil {
		return
	}
	p.cancel()
	p.cancel = nil
	select {
	case s := <-p.status:
		if s != 0 {
			p.t.Errorf("status %d:\n%s", s, p.Log)
		}
	case <-time.After(stopTimeout):
		p.t.Fatal("it doesn't stop")
	}
	goleak.VerifyNone(p.t, p.leaks)
}

// startServer starts a scripted server.
func startServer(t *testing.T, o mailtest.Options) *mailtest.Server {
	t.Helper()
	server, err := mailtest.Start(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { server.Close() })
	return server
}

func write(t *testing.T, file, text string) {
	t.Helper()
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// await calls condition until it is true, and reports whether that was within waitTimeout.
func await(condition func() bool) bool {
	deadline := time.After(waitTimeout)
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for !condition() {
		select {
		case <-tick.C:
		case <-deadline:
			return false
		}
	}
	return true
}

// fetch gets a page once. user is name:password, or "".
func fetch(url, user string) (status int, page string, err error) {
	return request(http.MethodGet, url, user)
}

// request asks once.
func request(method, url, user string) (status int, page string, err error) {
	r, err := http.NewRequest(method, url, nil)
	if err != nil {
		return 0, "", err
	}
	if name, password, ok := strings.Cut(user, ":"); ok {
		r.SetBasicAuth(name, password)
	}
	r.Close = true // Leave no idle connection behind.
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		return 0, "", err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	return response.StatusCode, string(body), err
}
