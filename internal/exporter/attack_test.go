package exporter

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httptrace"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"

	"imap-exporter/internal/account"
	"imap-exporter/internal/mailtest"
	"imap-exporter/internal/web"
)

const (
	// attackScrapeTimeout is Prometheus' default, within which each scrape must succeed during an attack.
	attackScrapeTimeout = 10 * time.Second
	// attackMemory is how much more memory an attack may take, most of which are our own end of its connections.
	attackMemory = 300 << 20
	// rightPassword is that of the user prometheus, and rightPasswordHash its bcrypt hash with the usual cost of 10.
	rightPassword     = "canary-scraper-secret"
	rightPasswordHash = "$2a$10$2OEvCYm4pAi2WAAfbegLCu5S2cRWVBZ.lxgfM4f4GdlSbTWs3yrY6"
)

// A target is the real server, toolkit included, with one of its configurations.
type target struct {
	address string
	url     string
	dial    func(ctx context.Context) (net.Conn, error)
	// authorization is the header line with the right password; "" where none is needed.
	authorization string
	client        *http.Client
	// steps are those of the last scrape.
	steps string
}

// startTarget starts a server of some accounts, over TLS if protocols isn't nil, which are those that clients offer.
func startTarget(t *testing.T, protocols []string, password bool) *target {
	t.Helper()
	target := &target{}
	folder := t.TempDir()
	var config strings.Builder
	transport := &http.Transport{}
	dialer := &net.Dialer{}
	target.dial = func(ctx context.Context) (net.Conn, error) { return dialer.DialContext(ctx, "tcp", target.address) }
	scheme := "http"
	if protocols != nil {
		scheme = "https"
		roots := writeCertificate(t, folder)
		config.WriteString("tls_server_config: {cert_file: cert.pem, key_file: key.pem}\n")
		client := &tls.Config{RootCAs: roots, ServerName: "127.0.0.1", NextProtos: protocols}
		transport.TLSClientConfig, transport.ForceAttemptHTTP2 = client, len(protocols) > 1
		tlsDialer := &tls.Dialer{NetDialer: dialer, Config: client}
		target.dial = func(ctx context.Context) (net.Conn, error) { return tlsDialer.DialContext(ctx, "tcp", target.address) }
	}
	if password {
		fmt.Fprintf(&config, "basic_auth_users: {prometheus: %q}\n", rightPasswordHash)
		r := &http.Request{Header: http.Header{}}
		r.SetBasicAuth("prometheus", rightPassword)
		target.authorization = "Authorization: " + r.Header.Get("Authorization")
	}
	file := ""
	if config.Len() > 0 {
		file = filepath.Join(folder, "web.yaml")
		if err := os.WriteFile(file, []byte(config.String()), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	target.address = listener.Addr().String()
	server := web.NewServer(attackedOptions())
	done := make(chan error, 1)
	go func() { done <- serveWeb(listener, server, file, slog.New(slog.DiscardHandler)) }()
	t.Cleanup(func() {
		transport.CloseIdleConnections()
		server.Close()
		<-done
	})
	target.client = &http.Client{Transport: transport, Timeout: attackScrapeTimeout}
	target.url = scheme + "://" + target.address + "/metrics"
	return target
}

// scrape scrapes as Prometheus does, and returns how long that took.
func (a *target) scrape(ctx context.Context) (time.Duration, error) {
	begun := time.Now()
	var steps []string
	note := func(step string) {
		steps = append(steps, fmt.Sprintf("%s %v", step, time.Since(begun).Round(time.Millisecond)))
	}
	defer func() { a.steps = strings.Join(steps, ", ") }()
	ctx = httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{
		GotConn:              func(i httptrace.GotConnInfo) { note(fmt.Sprintf("connected (reused %t)", i.Reused)) },
		WroteRequest:         func(httptrace.WroteRequestInfo) { note("sent") },
		GotFirstResponseByte: func() { note("answered") },
	})
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, a.url, nil)
	if err != nil {
		return 0, err
	}
	if _, value, ok := strings.Cut(a.authorization, ": "); ok {
		r.Header.Set("Authorization", value)
	}
	r.Header.Set("X-Prometheus-Scrape-Timeout-Seconds", "10")
	r.Header.Set("Accept-Encoding", "gzip")
	response, err := a.client.Do(r)
	if err != nil {
		return time.Since(begun), err
	}
	defer response.Body.Close()
	if _, err := io.Copy(io.Discard, response.Body); err != nil {
		return time.Since(begun), err
	}
	if response.StatusCode != http.StatusOK || response.ProtoMajor != 1 {
		return time.Since(begun), fmt.Errorf("%s, %s", response.Status, response.Proto)
	}
	return time.Since(begun), nil
}

// attackedOptions are those of an exporter with many accounts, whose servers say nothing.
func attackedOptions() web.Options {
	lines := make([]*dto.Metric, 20_000)
	for i := range lines {
		lines[i] = &dto.Metric{
			Label: []*dto.LabelPair{{Name: new("account"), Value: new(fmt.Sprintf("account%d-%x", i, rand.Uint64()))}},
			Gauge: &dto.Gauge{Value: new(rand.Float64())},
		}
	}
	family := &dto.MetricFamily{Name: new("imap_probe_duration_seconds"), Help: new("Seconds."), Type: dto.MetricType_GAUGE.Enum(), Metric: lines}
	gatherer := prometheus.GathererFunc(func() ([]*dto.MetricFamily, error) { return []*dto.MetricFamily{family}, nil })
	targets := make([]web.TargetGroup, 20_000)
	for i := range targets {
		name := fmt.Sprintf("account%d", i)
		targets[i] = web.TargetGroup{Targets: []string{name}, Labels: map[string]string{
			"__meta_imap_account": name, "__meta_imap_server": "imap.example.org:993", "__meta_imap_module": "default",
		}}
	}
	accounts := make([]account.Account, 1000)
	for i := range accounts {
		accounts[i] = account.Account{Name: fmt.Sprintf("account%d", i), Server: "imap.example.org:993", Interval: time.Minute}
	}
	registry := new(account.Registry)
	registry.Set(accounts)
	return web.Options{
		Gatherer:   prometheus.ToTransactionalGatherer(gatherer),
		Registerer: prometheus.NewRegistry(),
		Accounts:   registry,
		Ready:      func() bool { return true },
		Discover:   func() []web.TargetGroup { return targets },
		ProbeMetrics: func(ctx context.Context, _ web.ProbeRequest) (web.ProbeAnswer, error) {
			<-ctx.Done()
			return web.ProbeAnswer{}, ctx.Err()
		},
		Logger: slog.New(slog.DiscardHandler),
	}
}

// attack has so many attackers at work until ctx ends. Those whose connection is closed come again.
func (a *target) attack(ctx context.Context, n int, what attacker) (wait func()) {
	var group sync.WaitGroup
	for range n {
		group.Go(func() {
			for ctx.Err() == nil {
				conn, err := a.dial(ctx)
				if err != nil {
					continue
				}
				stop := context.AfterFunc(ctx, func() { conn.Close() })
				what(ctx, conn)
				stop()
				conn.Close()
			}
		})
	}
	return group.Wait
}

// writeCertificate writes one for 127.0.0.1, and returns who is to be trusted for it.
func writeCertificate(t *testing.T, folder string) *x509.CertPool {
	t.Helper()
	ca, err := mailtest.NewCA()
	if err != nil {
		t.Fatal(err)
	}
	cert, err := ca.Issue(mailtest.CertOptions{Names: []string{"127.0.0.1"}})
	if err != nil {
		t.Fatal(err)
	}
	key, err := x509.MarshalPKCS8PrivateKey(cert.PrivateKey)
	if err != nil {
		t.Fatal(err)
	}
	for name, block := range map[string]*pem.Block{"cert.pem": {Type: "CERTIFICATE", Bytes: cert.Certificate[0]}, "key.pem": {Type: "PRIVATE KEY", Bytes: key}} {
		if err := os.WriteFile(filepath.Join(folder, name), pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return ca.Pool()
}

// Whatever clients do, scrapes succeed within Prometheus' timeout, and the memory stays bounded: over plain HTTP, TLS, and TLS
// with clients that offer HTTP/2, with and without a password.
func TestAttacks(t *testing.T) {
	for name, protocols := range map[string][]string{"HTTP": nil, "TLS": {"http/1.1"}, "TLS, HTTP2 offered": {"h2", "http/1.1"}} {
		for _, password := range []bool{false, true} {
			if password {
				name += ", password"
			}
			t.Run(name, func(t *testing.T) {
				target := startTarget(t, protocols, password)
				kinds := attacks(target.authorization)
				if soaking {
					for kind, what := range kinds {
						t.Run(kind, func(t *testing.T) { target.withstands(t, attackTime/10, map[string]attacker{kind: what}) })
					}
				}
				target.withstands(t, attackTime, kinds)
			})
		}
	}
}

// withstands scrapes while attackers of these kinds are at work.
func (a *target) withstands(t *testing.T, duration time.Duration, kinds map[string]attacker) {
	t.Helper()
	if _, err := a.scrape(t.Context()); err != nil {
		t.Fatal(err)
	}
	memory := startMemoryWatch(t)
	ctx, cancel := context.WithTimeout(t.Context(), duration)
	defer cancel()
	var waits []func()
	for _, what := range kinds {
		waits = append(waits, a.attack(ctx, attackers/len(kinds), what))
	}
	scrapes := 0
	var slowest time.Duration
	tick := time.NewTicker(250 * time.Millisecond)
	defer tick.Stop()
	for ; ctx.Err() == nil || scrapes == 0; <-tick.C {
		took, err := a.scrape(t.Context())
		if err != nil {
			t.Errorf("a scrape failed after %v: %v", took, err)
			break
		}
		scrapes++
		t.Logf("%v: %s", took.Round(time.Millisecond), a.steps)
		slowest = max(slowest, took)
	}
	cancel()
	for _, wait := range waits {
		wait()
	}
	most := memory()
	t.Logf("%d scrapes, the slowest took %v; %d MiB more memory at most", scrapes, slowest, most>>20)
	if most > attackMemory {
		t.Errorf("%d MiB more memory", most>>20)
	}
}

// startMemoryWatch looks at the memory from now on, and returns what returns by how much it rose at most.
func startMemoryWatch(t *testing.T) (rose func() uint64) {
	t.Helper()
	used := func() uint64 {
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return m.HeapAlloc + m.StackInuse
	}
	runtime.GC()
	before, most := used(), uint64(0)
	stop, done := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		tick := time.NewTicker(100 * time.Millisecond)
		defer tick.Stop()
		for {
			most = max(most, used())
			select {
			case <-stop:
				return
			case <-tick.C:
			}
		}
	}()
	return func() uint64 {
		close(stop)
		<-done
		return most - min(most, before)
	}
}
