package stack

import (
	"context"
	"fmt"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"imap-exporter/internal/realtest"
	"imap-exporter/internal/realtest/demohistory"
	"imap-exporter/internal/realtest/program"
)

// root is the repository's.
const root = "../../.."

// waitTimeout is how long a test may wait, most of it for other tests: a login that was rejected is tried again after a minute.
const waitTimeout = 5 * time.Minute

// empty are the panels' queries that have nothing to show of the demo, each with the reason.
var empty = map[string]string{
	"imap-account/Waterfall of phases/B": "connect_failed: the demo's servers listen on all addresses of their host",
	"imap-account/Waterfall of phases/I": "id: no module of the demo asks for it",
}

// Every query of every dashboard, and of every variable, has an answer when a real Prometheus scrapes the shipped demo and
// has stored eight days of it.
func TestEveryPanelHasData(t *testing.T) {
	t.Parallel()
	exporter := program.Start(t, program.Command(t, filepath.Join(root, "config.yaml")))
	ctx, cancel := context.WithTimeout(t.Context(), waitTimeout)
	defer cancel()
	dir := t.TempDir()
	past := demohistory.Options{
		Config: filepath.Join(root, "config.yaml"), Job: "imap", Instance: host(exporter.URL), End: time.Now(),
		Step: time.Hour, Dense: 6 * time.Minute,
	}
	if err := demohistory.Backfill(ctx, realtest.Promtool(t), filepath.Join(dir, "data"), past); err != nil {
		t.Fatal(err)
	}
	rules, err := filepath.Abs(filepath.Join(root, "dashboards/rules/*.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	prometheus := realtest.PrometheusOn(t, dir, fmt.Sprintf(`
global: {scrape_interval: 2s, evaluation_interval: 5s}
rule_files: [%q]
scrape_configs:
  - {job_name: imap, static_configs: [{targets: [%q]}]}
`, rules, host(exporter.URL)))

	subjects := demoSubjects(ctx, t, prometheus)
	var waiting []*question
	for _, d := range dashboards(t) {
		assertVariables(ctx, t, prometheus, d, d.choices(subjects)[0])
		for _, q := range d.queries() {
			waiting = append(waiting, &question{query: q, choices: d.choices(subjects)})
		}
	}
	began := time.Now()
	tick := time.NewTicker(2 * time.Second)
	defer tick.Stop()
	for left := waiting; ; {
		left = ask(ctx, t, prometheus, left)
		if len(left) == 0 {
			t.Logf("%d queries have data, the last of them after %s", len(waiting)-len(empty), time.Since(began).Round(time.Second))
			break
		}
		if time.Since(began) > 90*time.Second {
			for _, q := range left {
				t.Errorf("%s: no data, nor a reason why: %s", q, q.Expr)
			}
			break
		}
		<-tick.C
	}
	excused := 0
	for _, q := range waiting {
		if empty[q.String()] != "" {
			excused++
		}
		if reason := empty[q.String()]; reason != "" && q.answered(ctx, t, prometheus) {
			t.Errorf("%s has data, so it needs no excuse (%s)", q, reason)
		}
	}
	if excused != len(empty) {
		t.Errorf("of %d excuses, %d are for a query that there is", len(empty), excused)
	}
	assertRulesHealthy(ctx, t, prometheus)
}

// A question is a query with all the choices of variables it can be asked with.
type question struct {
	*query
	choices []map[string]string
}

// ask returns the questions that have no answer yet, without those that are excused.
func ask(ctx context.Context, t *testing.T, prometheus *realtest.PromServer, questions []*question) (left []*question) {
	t.Helper()
	for _, q := range questions {
		if empty[q.String()] == "" && !q.answered(ctx, t, prometheus) {
			left = append(left, q)
		}
	}
	return left
}

// answered reports whether some choice brings data: now, or, if it is drawn over time, in the last minute, in which the
// past meets the present.
func (q *question) answered(ctx context.Context, t *testing.T, prometheus *realtest.PromServer) bool {
	t.Helper()
	for _, values := range q.choices {
		expr := filled(t, q.Expr, values)
		var samples []realtest.Sample
		var err error
		if q.Instant {
			samples, err = prometheus.Query(ctx, expr)
		} else {
			now := time.Now()
			samples, err = prometheus.QueryRange(ctx, expr, now.Add(-time.Minute), now, 15*time.Second)
		}
		if err != nil {
			t.Fatalf("%s: %v", q, err)
		}
		if len(samples) > 0 {
			return true
		}
	}
	return false
}

var labelValues = regexp.MustCompile(`^label_values\((.*), *(\w+)\)$`)

// assertVariables asks for the values that a dashboard's variables can have.
func assertVariables(ctx context.Context, t *testing.T, prometheus *realtest.PromServer, d *dashboard, values map[string]string) {
	t.Helper()
	for _, v := range d.Templating.List {
		if v.Type != "query" {
			continue
		}
		m := labelValues.FindStringSubmatch(v.query())
		if m == nil {
			t.Errorf("%s: the variable %s asks %q, of which this test knows nothing", d.UID, v.Name, v.query())
			continue
		}
		samples, err := prometheus.Await(ctx, fmt.Sprintf("count by (%s) (%s)", m[2], filled(t, m[1], values)))
		if err != nil {
			t.Errorf("%s: the variable %s: %v", d.UID, v.Name, err)
		}
		for _, s := range samples {
			if s.Labels[m[2]] == "" {
				t.Errorf("%s: the variable %s can be empty", d.UID, v.Name)
			}
		}
	}
}

// demoSubjects returns the accounts that Prometheus knows.
func demoSubjects(ctx context.Context, t *testing.T, prometheus *realtest.PromServer) (all []subject) {
	t.Helper()
	samples, err := prometheus.Await(ctx, "imap_account_info")
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range samples {
		all = append(all, subject{s.Labels["account"], s.Labels["server"]})
	}
	return all
}

// assertRulesHealthy fails the test if an evaluation of a rule went wrong, as those do that join two series with one.
func assertRulesHealthy(ctx context.Context, t *testing.T, prometheus *realtest.PromServer) {
	t.Helper()
	rules, err := prometheus.Rules(ctx)
	if err != nil || len(rules) == 0 {
		t.Fatalf("rules %v, %v", rules, err)
	}
	for _, r := range rules {
		if r.Health == "err" {
			t.Errorf("rule %s: %s", r.Name, r.LastError)
		}
	}
}

func host(url string) string { return strings.TrimPrefix(url, "http://") }
