package realtest

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"testing"
	"time"
)

// A PromServer is a running Prometheus.
type PromServer struct{ Tool }

// A Sample is one series of an instant vector.
type Sample struct {
	Labels map[string]string
	Value  float64
}

// A Target is one active scrape target. Health is "up", "down" or "unknown".
type Target struct {
	Labels    map[string]string
	ScrapeURL string
	Health    string
	LastError string
}

// Prometheus runs Prometheus with the given prometheus.yml, on a fresh directory. Relative paths in the configuration are
// relative to that directory, so name rule files by absolute paths. The flags are added to its command line, such as
// --enable-feature=native-histograms, with which it scrapes protobuf.
func Prometheus(t testing.TB, config string, flags ...string) *PromServer {
	t.Helper()
	return PrometheusOn(t, t.TempDir(), config, flags...)
}

// PrometheusOn runs Prometheus as [Prometheus] does, on a directory whose folder data may hold blocks that promtool made.
func PrometheusOn(t testing.TB, dir, config string, flags ...string) *PromServer {
	t.Helper()
	prometheusTool(t, "prometheus")
	p, stop, err := StartPrometheus(t.Context(), dir, config, flags...)
	t.Cleanup(stop)
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("really running Prometheus %s", p.Version)
	return p
}

// StartPrometheus is PrometheusOn for a program that is no test. The returned stop ends it, after an error too.
func StartPrometheus(ctx context.Context, dir, config string, flags ...string) (p *PromServer, stop func(), err error) {
	stop = func() {}
	binary, err := FindTool("prometheus", "prometheus")
	if err != nil {
		return nil, stop, err
	}
	file := filepath.Join(dir, "prometheus.yml")
	if err := os.WriteFile(file, []byte(config), 0o600); err != nil {
		return nil, stop, err
	}
	s, err := startTool(ctx, "", binary, "/-/ready", append([]string{
		"--config.file=" + file, "--storage.tsdb.path=" + filepath.Join(dir, "data"),
	}, flags...))
	return &PromServer{s}, s.stop, err
}

// Promtool returns the path of promtool.
func Promtool(t testing.TB) string {
	t.Helper()
	return prometheusTool(t, "promtool")
}

// prometheusTool finds a program of Prometheus' package, which needs no root to run.
func prometheusTool(t testing.TB, name string) string {
	t.Helper()
	return findTool(t, "prometheus", name)
}

// Query evaluates a PromQL expression, now, to an instant vector.
func (p *PromServer) Query(ctx context.Context, promql string) ([]Sample, error) {
	return p.query(ctx, "/api/v1/query", url.Values{"query": {promql}})
}

// QueryRange evaluates a PromQL expression over time, and returns the last value of each series.
func (p *PromServer) QueryRange(ctx context.Context, promql string, start, end time.Time, step time.Duration) ([]Sample, error) {
	return p.query(ctx, "/api/v1/query_range", url.Values{
		"query": {promql}, "start": {start.Format(time.RFC3339Nano)}, "end": {end.Format(time.RFC3339Nano)},
		"step": {strconv.FormatFloat(step.Seconds(), 'f', -1, 64)},
	})
}

func (p *PromServer) query(ctx context.Context, path string, parameters url.Values) ([]Sample, error) {
	var data struct {
		Result []struct {
			Metric map[string]string
			Value  *[2]any
			Values [][2]any
		}
	}
	if err := p.get(ctx, path+"?"+parameters.Encode(), &data); err != nil {
		return nil, fmt.Errorf("query %s: %w", parameters.Get("query"), err)
	}
	samples := make([]Sample, 0, len(data.Result))
	for _, r := range data.Result {
		if r.Value != nil {
			r.Values = append(r.Values, *r.Value)
		}
		if len(r.Values) == 0 { // A native histogram has no value: query histogram_count(x) and the like.
			continue
		}
		text, _ := r.Values[len(r.Values)-1][1].(string)
		value, err := strconv.ParseFloat(text, 64)
		if err != nil {
			return nil, fmt.Errorf("query %s: %w", parameters.Get("query"), err)
		}
		samples = append(samples, Sample{r.Metric, value})
	}
	return samples, nil
}

// Await evaluates an expression until it gives at least one sample, which the first scrape may take a while to do.
func (p *PromServer) Await(ctx context.Context, promql string) ([]Sample, error) {
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for {
		samples, err := p.Query(ctx, promql)
		if err != nil || len(samples) > 0 {
			return samples, err
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return nil, fmt.Errorf("query %s: still nothing: %w", promql, ctx.Err())
		}
	}
}

// Targets returns the active scrape targets.
func (p *PromServer) Targets(ctx context.Context) ([]Target, error) {
	var data struct{ ActiveTargets []Target }
	err := p.get(ctx, "/api/v1/targets?state=active", &data)
	return data.ActiveTargets, err
}

// A Rule is an alerting or recording rule, and how its last evaluation went: Health is "ok", "err" or "unknown".
type Rule struct {
	Name      string
	Health    string
	LastError string
}

// Rules returns all rules.
func (p *PromServer) Rules(ctx context.Context) (rules []Rule, err error) {
	var data struct{ Groups []struct{ Rules []Rule } }
	err = p.get(ctx, "/api/v1/rules", &data)
	for _, g := range data.Groups {
		rules = append(rules, g.Rules...)
	}
	return rules, err
}

// get decodes the field "data" of an API's answer.
func (p *PromServer) get(ctx context.Context, path string, data any) error {
	answer := struct {
		Error string
		Data  any
	}{Data: data}
	if err := p.Tool.get(ctx, path, &answer); err != nil {
		return err
	}
	if answer.Error != "" {
		return errors.New(answer.Error)
	}
	return nil
}
