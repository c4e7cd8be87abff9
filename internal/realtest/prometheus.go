package realtest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
)

// A PromServer is a running Prometheus.
type PromServer struct {
	// Version is such as "2.42.0".
	Version string
	// URL is where it answers, without a slash at the end.
	URL string
	// Log returns what it has logged so far.
	Log func() string
}

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
	binary := prometheusTool(t, "prometheus")
	ctx, cancel := context.WithTimeout(t.Context(), startTimeout)
	defer cancel()
	dir := t.TempDir()
	file := filepath.Join(dir, "prometheus.yml")
	if err := os.WriteFile(file, []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	version, err := prometheusVersion(ctx, binary)
	if err != nil {
		t.Fatal(err)
	}
	port, err := freePort()
	if err != nil {
		t.Fatal(err)
	}
	proc, err := startProcess("", append([]string{
		binary, "--config.file=" + file, "--storage.tsdb.path=" + filepath.Join(dir, "data"),
		"--web.listen-address=" + loopback(port),
	}, flags...)...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(proc.stop)
	p := &PromServer{Version: version, URL: "http://" + loopback(port), Log: proc.log.String}
	ready := func() error { return p.get(ctx, "/-/ready", nil) }
	if err := proc.await(ctx, ready); err != nil {
		t.Fatalf("Prometheus: %v\nits log:\n%s", err, p.Log())
	}
	t.Logf("really running Prometheus %s", p.Version)
	return p
}

// Promtool returns the path of promtool.
func Promtool(t testing.TB) string {
	t.Helper()
	return prometheusTool(t, "promtool")
}

// prometheusTool finds a program of Prometheus' package, which needs no root to run.
func prometheusTool(t testing.TB, name string) string {
	t.Helper()
	path := filepath.Join(installed("prometheus"), "usr/bin", name)
	if _, err := os.Stat(path); err == nil {
		return path
	}
	path, err := exec.LookPath(name)
	if err != nil {
		Unavailable(t, name, fmt.Errorf("%w, nor is it in %s", err, installed("prometheus")))
	}
	return path
}

func prometheusVersion(ctx context.Context, binary string) (string, error) {
	out, err := exec.CommandContext(ctx, binary, "--version").CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("%s --version: %w: %s", binary, err, out)
	}
	words := strings.Fields(string(out)) // prometheus, version 2.42.0+ds (branch: …
	if len(words) < 3 {
		return "", fmt.Errorf("%s --version: no version in %q", binary, out)
	}
	version, _, _ := strings.Cut(words[2], "+")
	return version, nil
}

// Query evaluates a PromQL expression, now, to an instant vector.
func (p *PromServer) Query(ctx context.Context, promql string) ([]Sample, error) {
	var data struct {
		Result []struct {
			Metric map[string]string
			Value  [2]any
		}
	}
	if err := p.get(ctx, "/api/v1/query?query="+url.QueryEscape(promql), &data); err != nil {
		return nil, fmt.Errorf("query %s: %w", promql, err)
	}
	samples := make([]Sample, 0, len(data.Result))
	for _, r := range data.Result {
		text, ok := r.Value[1].(string)
		if !ok { // A native histogram has no value: query histogram_count(x) and the like.
			continue
		}
		value, err := strconv.ParseFloat(text, 64)
		if err != nil {
			return nil, fmt.Errorf("query %s: %w", promql, err)
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

// get decodes the field "data" of an API's answer, or only looks at the status when data is nil.
func (p *PromServer) get(ctx context.Context, path string, data any) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, p.URL+path, nil)
	if err != nil {
		return err
	}
	req.Close = true // An idle connection would outlive the test.
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if data == nil {
		if resp.StatusCode != http.StatusOK {
			return errors.New(resp.Status)
		}
		return nil
	}
	answer := struct {
		Error string
		Data  any
	}{Data: data}
	if err := json.NewDecoder(resp.Body).Decode(&answer); err != nil {
		return fmt.Errorf("%s: %w", resp.Status, err)
	}
	if answer.Error != "" {
		return errors.New(answer.Error)
	}
	return nil
}
