package realtest

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os/exec"
	"strings"
	"testing"
	"time"
)

func TestPrometheus(t *testing.T) {
	exporter := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprintln(w, `color{name="red"} 7`)
	}))
	defer exporter.Close()
	host := strings.TrimPrefix(exporter.URL, "http://")
	p := Prometheus(t, fmt.Sprintf(`
global: {scrape_interval: 1s}
scrape_configs:
  - job_name: test
    static_configs: [{targets: ["%s", "127.0.0.1:1"]}]
`, host))
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()

	samples, err := p.Await(ctx, `color{job="test"}`)
	if err != nil {
		t.Fatalf("%v\n%s", err, p.Log())
	}
	if len(samples) != 1 || samples[0].Value != 7 || samples[0].Labels["name"] != "red" {
		t.Errorf("samples %v", samples)
	}
	if _, err := p.Await(ctx, `up{instance="127.0.0.1:1"} == 0`); err != nil {
		t.Errorf("%v\n%s", err, p.Log())
	}
	if _, err := p.Query(ctx, "sum("); err == nil {
		t.Error("a wrong expression is no error")
	}
	targets, err := p.Targets(ctx)
	if err != nil || len(targets) != 2 {
		t.Fatalf("targets %v, %v", targets, err)
	}
	for _, target := range targets {
		if want := map[bool]string{true: "up", false: "down"}[target.Labels["instance"] == host]; target.Health != want {
			t.Errorf("%s is %s (%s), want %s", target.ScrapeURL, target.Health, target.LastError, want)
		}
	}
}

func TestPromtool(t *testing.T) {
	tool := Promtool(t)
	if out, err := exec.CommandContext(t.Context(), tool, "--version").CombinedOutput(); err != nil {
		t.Errorf("%v: %s", err, out)
	}
}
