package exporter

import (
	"bufio"
	"context"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/common/expfmt"
	"go.uber.org/goleak"

	"imap-exporter/internal/account"
	"imap-exporter/internal/config"
	"imap-exporter/internal/mailtest"
	"imap-exporter/internal/web"
	"imap-exporter/probe"
)

// toy is a protocol of three steps that nothing but this test knows: the server answers HELLO with a line.
var toy = &probe.Protocol{
	Name:    "toy",
	Phases:  []probe.Phase{probe.PhaseConnect, "hello", "quit"},
	Reasons: []probe.Reason{probe.ReasonRefused, probe.ReasonTimeout, "grumpy"},
	Steps: func(s *probe.Session) []probe.Step {
		ask := func(line string) (string, error) {
			if err := s.Conn.Begin(line, line); err != nil {
				return "", s.Conn.Fail(err)
			}
			answer, err := s.Conn.ReadLine()
			s.Conn.Answered()
			return string(answer), err
		}
		return []probe.Step{
			{Phase: probe.PhaseConnect, Run: func(ctx context.Context) error {
				if err := s.Resolve(ctx); err != nil {
					return err
				}
				return s.Connect(ctx)
			}},
			{Phase: "hello", Run: func(context.Context) error {
				answer, err := ask("HELLO")
				if err == nil && !strings.HasPrefix(answer, "hello") {
					err = probe.Errorf("grumpy", "it said %q", answer)
				}
				return err
			}},
			{Phase: "quit", AtEnd: true, Run: func(context.Context) error {
				_, err := ask("QUIT")
				return err
			}},
		}
	},
}

// startToy starts a server that answers HELLO with the next of these lines, then with the last one.
func startToy(t *testing.T, answers ...string) (address string) {
	t.Helper()
	var mu sync.Mutex
	next := func() string {
		mu.Lock()
		defer mu.Unlock()
		answer := answers[0]
		if len(answers) > 1 {
			answers = answers[1:]
		}
		return answer
	}
	server, err := mailtest.StartRaw(func(conn net.Conn) {
		defer conn.Close()
		for lines := bufio.NewScanner(conn); lines.Scan(); {
			answer := "bye"
			if lines.Text() == "HELLO" {
				answer = next()
			}
			_, _ = io.WriteString(conn, answer+"\r\n")
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { server.Close() })
	return server.Addr()
}

// Another protocol goes the whole way without a line that knows it: schedule, probe, history, metrics, pages.
func TestAnotherProtocol(t *testing.T) {
	before := goleak.IgnoreCurrent()
	t.Cleanup(func() { goleak.VerifyNone(t, before) })
	cfg := &config.Config{
		Log: config.Log{Level: "info", Format: "logfmt"}, MaxConcurrentPerServer: 1,
		Accounts: []config.Account{{Account: account.Account{
			Name: "a", Server: "toy.example.org:1", Interval: time.Hour, RetryInterval: time.Hour,
			Target: &probe.Target{
				Protocol: toy, Account: "a", Server: "toy.example.org:1", Address: startToy(t, "hello", "go away"),
				Timeout: 5 * time.Second, IPFamily: probe.IPAuto, TLSMode: probe.TLSNone,
			},
		}}},
	}
	stderr := newLogWriter(io.Discard)
	defer stderr.Close()
	e, err := newEngine(cfg, Options{Load: func() (*config.Config, error) { return cfg, nil }}, stderr)
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	var running sync.WaitGroup
	running.Go(func() { e.schedule.Run(ctx) })
	defer running.Wait()
	defer stop()

	key := account.Key{Account: "a", Service: "toy"}
	for _, ok := range []bool{true, false} {
		p := onDemandProbe{account: cfg.Accounts[0].Account}
		p.request.Name, p.request.EndedAfter = key.Job(), time.Now() // Not the first one again.
		result, err := e.runOnDemand(ctx, p)
		if err != nil || result.OK() != ok {
			t.Fatalf("%v, %v", result, err)
		}
	}
	summaries := e.history.Summaries(key)
	if len(summaries) != 2 || summaries[1].Phase != "hello" || summaries[1].Reason != "grumpy" {
		t.Errorf("summaries %+v", summaries)
	}
	assertHas(t, metricsOf(t, e),
		`toy_probe_success{account="a",server="toy.example.org:1"} 0`,
		`toy_probes_total{account="a",server="toy.example.org:1"} 2`,
		`toy_probe_last_failure_info{account="a",phase="hello",reason="grumpy",server="toy.example.org:1"} 1`,
		`toy_probe_last_phase_duration_seconds{account="a",phase="quit",server="toy.example.org:1"} `,
		`toy_probe_duration_seconds_count{server="toy.example.org:1"} 1`,
		`toy_probe_failure_reasons_total{phase="connect",reason="refused",server="toy.example.org:1"} 0`,
		`toy_probe_failure_reasons_total{phase="hello",reason="grumpy",server="toy.example.org:1"} 1`,
		`toy_probe_next_run_timestamp_seconds{account="a",server="toy.example.org:1"} `,
	)
	if page := metricsOf(t, e); strings.Contains(page, "imap_probe_") || strings.Contains(page, `phase="fetch"`) {
		t.Errorf("there are metrics of IMAP:\n%s", page)
	}
	handler := web.NewServer(e.pages()).Handler
	list := get(t, handler, "/")
	assertHas(t, list, "toy.example.org:1", "hello", "grumpy")
	_, link, _ := strings.Cut(list, `href="./accounts/`)
	link, _, _ = strings.Cut(link, `"`)
	assertHas(t, get(t, handler, "/accounts/"+link), "hello", "quit", "grumpy", "go away")
}

// metricsOf returns what e.metrics would add to /metrics.
func metricsOf(t *testing.T, e *engine) string {
	t.Helper()
	families, done, err := e.metrics.Gather()
	if err != nil {
		t.Fatal(err)
	}
	defer done()
	var text strings.Builder
	for _, f := range families {
		if err := expfmt.NewEncoder(&text, expfmt.NewFormat(expfmt.TypeTextPlain)).Encode(f); err != nil {
			t.Fatal(err)
		}
	}
	return text.String()
}

func get(t *testing.T, handler http.Handler, path string) string {
	t.Helper()
	answer := httptest.NewRecorder()
	handler.ServeHTTP(answer, httptest.NewRequest(http.MethodGet, path, nil))
	if answer.Code != http.StatusOK {
		t.Fatalf("%s: status %d", path, answer.Code)
	}
	return answer.Body.String()
}

func assertHas(t *testing.T, text string, wants ...string) {
	t.Helper()
	for _, want := range wants {
		if !strings.Contains(text, want) {
			t.Errorf("there is no %s in:\n%s", want, text)
		}
	}
}
