package web

import (
	"bufio"
	"bytes"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"
)

// pipes are a listener in memory: nothing that the other side doesn't read can be written, and time is the bubble's.
type pipes struct {
	conns  chan net.Conn
	closed chan struct{}
	once   sync.Once
}

func (p *pipes) Accept() (net.Conn, error) {
	select {
	case conn := <-p.conns:
		return conn, nil
	case <-p.closed:
		return nil, net.ErrClosed
	}
}

func (p *pipes) Close() error {
	p.once.Do(func() { close(p.closed) })
	return nil
}

func (p *pipes) Addr() net.Addr { return &net.UnixAddr{Name: "pipe"} }

// dial asks for /metrics and returns the connection, of which nothing has been read.
func (p *pipes) dial(t *testing.T, headers ...string) net.Conn {
	t.Helper()
	client, server := net.Pipe()
	p.conns <- server
	request := "GET /metrics HTTP/1.1\r\nHost: exporter\r\n" + strings.Join(append(headers, "\r\n"), "\r\n")
	if _, err := io.WriteString(client, request); err != nil {
		t.Fatal(err)
	}
	synctest.Wait() // The answer is on its way.
	return client
}

// scrape reads an answer to its end.
func (p *pipes) scrape(t *testing.T, headers ...string) *http.Response {
	t.Helper()
	conn := p.dial(t, append(headers, "Connection: close")...)
	defer conn.Close()
	response, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		t.Fatal(err)
	}
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	response.Body = io.NopCloser(bytes.NewReader(body))
	return response
}

// serve serves all pages until the end of the test.
func serve(t *testing.T, opts Options) *pipes { return servePipes(t, NewServer(opts)) }

// servePipes runs a server until the end of the test.
func servePipes(t *testing.T, server *Server) *pipes {
	t.Helper()
	p := &pipes{conns: make(chan net.Conn), closed: make(chan struct{})}
	done := make(chan error, 1)
	go func() { done <- server.Serve(p) }()
	t.Cleanup(func() {
		server.Close()
		if err := <-done; !errors.Is(err, http.ErrServerClosed) {
			t.Error(err)
		}
	})
	return p
}

// manyMetrics gathers more than the buffers of a connection hold, compressed or not, and tells when nobody reads it any
// more.
type manyMetrics struct{ done chan struct{} }

func (m *manyMetrics) Gather() ([]*dto.MetricFamily, func(), error) {
	families := make([]*dto.MetricFamily, 3)
	for i := range families {
		noise := make([]byte, 50_000)
		rand.NewChaCha8([32]byte{}).Read(noise)
		families[i] = &dto.MetricFamily{
			Name: new(fmt.Sprint("imap_", i)), Help: new(hex.EncodeToString(noise)), Type: dto.MetricType_GAUGE.Enum(),
			Metric: []*dto.Metric{{Gauge: &dto.Gauge{Value: new(1.0)}}},
		}
	}
	return families, func() { m.done <- struct{}{} }, nil
}

// However many clients ask for metrics and never read, a scrape gets its page at once, and they are cut off.
func TestAClientThatNeverReads(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		metrics := &manyMetrics{done: make(chan struct{}, 100)}
		var log bytes.Buffer
		opts := testOptions()
		opts.Gatherer, opts.Registerer = metrics, prometheus.NewRegistry()
		opts.Logger = slog.New(slog.NewTextHandler(&log, nil))
		p := serve(t, opts)
		start := time.Now()
		var silent []net.Conn
		for i := range 30 {
			encoding := []string{"identity", "gzip", "zstd"}[i%3]
			silent = append(silent, p.dial(t, "X-Prometheus-Scrape-Timeout-Seconds: 3600", "Accept-Encoding: "+encoding))
		}
		if r := p.scrape(t); r.StatusCode != http.StatusOK || time.Since(start) > 0 {
			t.Errorf("beside those that never read, a scrape got %s after %v", r.Status, time.Since(start))
		}
		<-time.After(writeStallTimeout)
		synctest.Wait()
		for _, conn := range silent {
			if !isClosedNow(conn) {
				t.Error("one that never reads is still there")
			}
			conn.Close()
		}
		if log.Len() > 0 {
			t.Errorf("the log is:\n%s", log.String())
		}
	})
}

// Scrapes that come together share a page, which is never older than any of them.
func TestScrapesShareAPage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		gathered, release := 0, make(chan struct{})
		opts := testOptions()
		opts.Gatherer = transactional(func() []*dto.MetricFamily {
			gathered++
			value := float64(gathered)
			<-release
			return []*dto.MetricFamily{{
				Name: new("gathered"), Help: new("Times."), Type: dto.MetricType_GAUGE.Enum(),
				Metric: []*dto.Metric{{Gauge: &dto.Gauge{Value: &value}}},
			}}
		})
		handler := NewServer(opts).Handler
		pages := make([]string, 5)
		scrape := func(i int, accept string) {
			r := httptest.NewRequest(http.MethodGet, "/metrics", nil)
			r.Header.Set("Accept", accept)
			w := httptest.NewRecorder()
			handler.ServeHTTP(w, r)
			pages[i] = w.Header().Get("Content-Type") + "\n" + w.Body.String()
		}
		const text = "text/plain;version=0.0.4"
		go scrape(0, text)
		synctest.Wait()
		for i := 1; i < 4; i++ { // They come while a page is made, and get the next one, whatever they say of escaping.
			go scrape(i, text+[]string{"", ";escaping=allow-utf-8", ";escaping=dots", ""}[i])
		}
		synctest.Wait()
		close(release)
		synctest.Wait()
		scrape(4, text)
		for i, want := range []string{"gathered 1", "gathered 2", "gathered 2", "gathered 2", "gathered 3"} {
			if !strings.Contains(pages[i], want+"\n") {
				t.Errorf("scrape %d got %q, want %s", i, pages[i], want)
			}
		}
		for i, want := range []string{"escaping=underscores", "escaping=allow-utf-8", "escaping=dots"} {
			if !strings.Contains(pages[i], want+"\n") {
				t.Errorf("scrape %d got %q, want %s", i, pages[i], want)
			}
		}
	})
}

// transactional gathers what it returns.
type transactional func() []*dto.MetricFamily

func (f transactional) Gather() ([]*dto.MetricFamily, func(), error) { return f(), func() {}, nil }

func TestCompression(t *testing.T) {
	for accepted, want := range map[string]string{
		"": "", "identity": "", "gzip": "gzip", "zstd": "zstd", "gzip, zstd": "zstd", "zstd;q=0.5, gzip": "gzip", "br": "",
		"*": "", "gzip;q=0": "", "gzip; Q=0.1": "gzip", "gzip;q=x, zstd;q=0.1": "zstd",
	} {
		synctest.Test(t, func(t *testing.T) {
			opts := testOptions()
			opts.Gatherer = &manyMetrics{done: make(chan struct{}, 100)}
			r := serve(t, opts).scrape(t, "Accept-Encoding: "+accepted)
			if got := r.Header.Get("Content-Encoding"); r.StatusCode != http.StatusOK || got != want {
				t.Errorf("Accept-Encoding %q: %s, Content-Encoding is %q, want %q", accepted, r.Status, got, want)
			}
		})
	}
}
