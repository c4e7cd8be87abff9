package web

import (
	"bufio"
	"bytes"
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"net"
	"net/http"
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

// serve serves until the end of the test.
func serve(t *testing.T, opts Options) *pipes {
	t.Helper()
	p := &pipes{conns: make(chan net.Conn), closed: make(chan struct{})}
	server := NewServer(opts)
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

// Clients that ask and never read get no more than their time, and no more than four of them fit in.
func TestAClientThatNeverReads(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		metrics := &manyMetrics{done: make(chan struct{}, 100)}
		registry := prometheus.NewRegistry()
		var log bytes.Buffer
		opts := testOptions()
		opts.Gatherer, opts.Registerer = metrics, registry
		opts.Logger = slog.New(slog.NewTextHandler(&log, nil))
		p := serve(t, opts)

		start := time.Now()
		defer p.dial(t).Close()
		if r := p.scrape(t); r.StatusCode != http.StatusOK || time.Since(start) > 0 {
			t.Errorf("beside one that never reads, a scrape got %s after %v", r.Status, time.Since(start))
		}
		<-metrics.done

		for _, encoding := range []string{"identity", "gzip", "zstd"} {
			defer p.dial(t, "X-Prometheus-Scrape-Timeout-Seconds: 3", "Accept-Encoding: "+encoding).Close()
		}
		if r := p.scrape(t); r.StatusCode != http.StatusServiceUnavailable {
			t.Errorf("beside four that never read, a scrape got %s, want 503", r.Status)
		}
		for range scrapesInFlight - 1 {
			<-metrics.done
		}
		if waited := time.Since(start); waited != 3*time.Second {
			t.Errorf("those that wait 3 s were cut off after %v", waited)
		}
		if r := p.scrape(t); r.StatusCode != http.StatusOK {
			t.Errorf("after they were cut off, a scrape got %s", r.Status)
		}
		<-metrics.done
		<-metrics.done
		if waited := time.Since(start); waited != defaultScrapeTimeout {
			t.Errorf("one that doesn't say how long it waits was cut off after %v", waited)
		}
		synctest.Wait()
		if got := strings.Count(log.String(), "i/o timeout"); got == 0 || strings.Count(log.String(), "\n") > scrapesInFlight {
			t.Errorf("want no more than one line for each that was cut off, the log is:\n%s", log.String())
		}
	})
}

func TestScrapeTimeout(t *testing.T) {
	for header, want := range map[string]time.Duration{
		"": time.Minute, "x": time.Minute, "-1": time.Minute, "0": time.Minute, "NaN": time.Minute,
		"2.5": 2500 * time.Millisecond, "3600": time.Hour, "3601": time.Hour, "+Inf": time.Hour, "1e300": time.Hour,
	} {
		r, err := http.NewRequestWithContext(context.Background(), http.MethodGet, "/metrics", nil)
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("X-Prometheus-Scrape-Timeout-Seconds", header)
		if got := scrapeTimeout(r, time.Minute, time.Hour); got != want {
			t.Errorf("of a client that waits %q s the timeout is %v, want %v", header, got, want)
		}
	}
}

func TestCompression(t *testing.T) {
	for accepted, want := range map[string]string{
		"": "", "identity": "", "gzip": "gzip", "zstd": "zstd", "gzip, zstd": "zstd", "zstd;q=0.5, gzip": "gzip", "br": "",
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
