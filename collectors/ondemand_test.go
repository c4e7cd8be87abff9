package collectors

import (
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil/promlint"
	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"

	"imap-exporter/internal/account"
	"imap-exporter/internal/schedule"
)

// gatherOnDemand returns the page, which a registry would accept.
func gatherOnDemand(t *testing.T, probes ...OnDemand) []*dto.MetricFamily {
	t.Helper()
	families := Gather(probes...)
	strict := prometheus.Gatherers{prometheus.GathererFunc(func() ([]*dto.MetricFamily, error) { return families, nil })}
	if _, err := strict.Gather(); err != nil {
		t.Fatalf("the page is broken: %v", err)
	}
	return families
}

// everyOutcome is a probe on demand of each kind.
func everyOutcome() []OnDemand {
	other := accountA()
	other.Name, other.Labels = "neighbour", map[string]string{"site": "fra1"}
	result := failed(noon)
	result.Account = "neighbour"
	login := schedule.State{NextRun: noon.Add(time.Minute), Suspended: true, NextLogin: noon.Add(5 * time.Minute)}
	return []OnDemand{
		{Account: account.Account{Name: "unfinished", Server: serverA}, Waited: 9500 * time.Millisecond},
		{Account: accountA(), Result: healthy(noon), State: schedule.State{NextRun: noon.Add(time.Minute)}},
		{Account: other, Result: result, State: login},
		{Account: account.Account{Name: "suspended", Server: serverA}, Blocked: "backoff", State: login},
		{Account: account.Account{Name: "waiting", Server: serverA}, Blocked: "quiet"},
		{Account: account.Account{Server: "any.example.net:993"}, Result: healthy(noon)},
	}
}

func TestOnDemandGolden(t *testing.T) {
	const golden = "testdata/ondemand.prom"
	got := exposition(t, gatherOnDemand(t, everyOutcome()...), expfmt.NewFormat(expfmt.TypeTextPlain))
	if *update {
		if err := os.WriteFile(golden, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s (-want +got):\n%s", golden, diff)
	}
}

// The page has gauges alone: those of /metrics, with the same values, and its own.
func TestOnDemandIsAsMetrics(t *testing.T) {
	m, _ := newTestMetrics(accountA())
	state := schedule.State{NextRun: noon.Add(time.Minute)}
	m.Changed(key("canary"), state)
	m.Observe(healthy(noon))
	all := strings.Split(page(t, m), "\n")
	families := gatherOnDemand(t, OnDemand{Account: accountA(), Result: healthy(noon), State: state})
	own := map[string]bool{}
	for _, metric := range OnDemandCatalogue() {
		own[metric.Name] = true
	}
	seen := map[string]bool{}
	for _, f := range families {
		seen[f.GetName()] = true
		if f.GetType() != dto.MetricType_GAUGE {
			t.Errorf("%s is a %s", f.GetName(), f.GetType())
		}
		if own[f.GetName()] {
			continue
		}
		for line := range strings.Lines(exposition(t, []*dto.MetricFamily{f}, expfmt.NewFormat(expfmt.TypeTextPlain))) {
			if line = strings.TrimSuffix(line, "\n"); !slices.Contains(all, line) {
				t.Errorf("/metrics has no %s", line)
			}
		}
	}
	for _, metric := range Catalogue() {
		perProgram := strings.HasPrefix(metric.Name, "imap_exporter_")
		absent := metric.Name == "imap_probe_last_failure_info" || metric.Name == "imap_probe_next_login_timestamp_seconds"
		if want := metric.Type == Gauge && !perProgram && !absent; want != seen[metric.Name] {
			t.Errorf("%s is there: %v, want %v", metric.Name, seen[metric.Name], want)
		}
	}
}

func TestOnDemandCatalogue(t *testing.T) {
	families := gatherOnDemand(t, everyOutcome()...)
	for _, metric := range OnDemandCatalogue() {
		i := slices.IndexFunc(families, func(f *dto.MetricFamily) bool { return f.GetName() == metric.Name })
		if i < 0 || families[i].GetHelp() != metric.Help || families[i].GetUnit() != metric.Unit {
			t.Errorf("%s is not as in the catalogue", metric.Name)
			continue
		}
		for _, sample := range families[i].GetMetric() {
			if n := len(sample.GetLabel()); n != len(metric.Labels) {
				t.Errorf("%s has %d labels, want %v", metric.Name, n, metric.Labels)
			}
		}
	}
	problems, err := promlint.NewWithMetricFamilies(families).Lint()
	if err != nil || len(problems) > 0 {
		t.Errorf("%v, %v", problems, err)
	}
}
