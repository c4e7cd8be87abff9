package demohistory

import (
	"bytes"
	"context"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"testing"
	"time"

	"go.uber.org/goleak"

	"imap-exporter/collectors"
	"imap-exporter/internal/realtest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const shipped = "../../../config.yaml"

// noon is a Wednesday's.
var noon = time.Date(2026, 3, 4, 12, 0, 0, 0, time.UTC)

// The same end gives the same past, though each time all accounts are really probed.
func TestSamePast(t *testing.T) {
	var pasts [2]bytes.Buffer
	for i := range pasts {
		o := Options{Config: shipped, Job: "imap", Instance: "a:1", End: noon, Age: time.Hour, Dense: time.Minute}
		if err := Write(t.Context(), &pasts[i], o); err != nil {
			t.Fatal(err)
		}
	}
	first, second := bytes.Split(pasts[0].Bytes(), []byte("\n")), bytes.Split(pasts[1].Bytes(), []byte("\n"))
	if len(first) != len(second) || len(first) < 10_000 {
		t.Fatalf("%d and %d lines", len(first), len(second))
	}
	for i := range first {
		if !bytes.Equal(first[i], second[i]) {
			t.Fatalf("%s\n%s", first[i], second[i])
		}
	}
}

// Scrapes are near to one another where panels and rules look closely, and never so far apart that a series ends.
func TestScrapes(t *testing.T) {
	o := Options{End: noon}
	o.setDefaults()
	scrapes := 0
	for at := noon.Add(-o.Age); at.Before(noon); scrapes++ {
		next, dense := o.next(at)
		if step := next.Sub(at); step <= 0 || step > 5*time.Minute || dense != (step == denseStep) {
			t.Fatalf("at %s the step is %s (dense: %v)", at, step, dense)
		}
		for _, offset := range []time.Duration{0, day, 7 * day} {
			if near := at.Sub(noon.Add(-offset)).Abs() < o.Dense; near && !dense {
				t.Fatalf("%s is not dense", at)
			}
		}
		at = next
	}
	if scrapes > 4000 {
		t.Errorf("%d scrapes", scrapes)
	}
}

// A real Prometheus that starts on a past has all metrics of the exporter in it, with rates as the configuration makes
// them, however seldom it was scraped.
func TestBackfill(t *testing.T) {
	dir := t.TempDir()
	end := time.Now().Truncate(time.Second)
	if err := Backfill(t.Context(), realtest.Promtool(t), filepath.Join(dir, "data"), Options{
		Config: shipped, Job: "imap", Instance: "a:1", End: end, Step: time.Hour, Dense: 5 * time.Minute,
	}); err != nil {
		t.Fatal(err)
	}
	prometheus := realtest.PrometheusOn(t, dir, "global: {}\n")
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	ago := func(d time.Duration) string { return fmt.Sprintf("@ %d", end.Add(-d).Unix()) }
	for _, metric := range collectors.Catalogue() {
		name := metric.Name
		if metric.Type == collectors.Histogram {
			name += "_bucket"
		}
		if metric.Name == "imap_mailbox_recent_messages" { // Servers tell it to EXAMINE only; the demo uses SELECT.
			continue
		}
		for _, offset := range []time.Duration{time.Minute, day, 7 * day} {
			query := fmt.Sprintf(`last_over_time(%s{job="imap", instance="a:1"}[5m] %s)`, name, ago(offset))
			if samples, err := prometheus.Query(ctx, query); err != nil || len(samples) == 0 {
				t.Errorf("%s: %d series, %v", query, len(samples), err)
			}
		}
	}
	for query, want := range map[string]float64{
		`rate(imap_probes_total{account="demo-healthy"}[4m] ` + ago(0) + `)`:                                   0.1,
		`rate(imap_probes_total{account="demo-healthy"}[6h] ` + ago(4*day) + `)`:                               0.1,
		`rate(imap_exporter_probes_scheduled_total[4m] ` + ago(0) + `)`:                                        0.9,
		`rate(imap_exporter_probes_scheduled_total[6h] ` + ago(4*day) + `)`:                                    0.9,
		`rate(imap_probe_phase_duration_seconds_count{server="demo:993",phase="auth"}[1d] ` + ago(4*day) + `)`: 0.1,
		`rate(imap_probe_failures_total{account="demo-hanging"}[6h] ` + ago(4*day) + `)`:                       0.033,
		`count_over_time(imap_probe_success{account="demo-healthy"}[6h] ` + ago(4*day) + `)`:                   6,
		`avg_over_time(imap_probe_success{account="demo-healthy"}[3d] ` + ago(2*day) + `)`:                     1,
		`avg_over_time(imap_probe_success{account="demo-hanging"}[3d] ` + ago(2*day) + `)`:                     0.667,
		`imap_quota_storage_used_bytes{account="demo-quota"} / imap_quota_storage_limit_bytes ` + ago(0):       0.93,
	} {
		samples, err := prometheus.Query(ctx, query)
		if err != nil || len(samples) != 1 || math.Abs(samples[0].Value/want-1) > 0.15 {
			t.Errorf("%s: %v, %v, want %v", query, samples, err, want)
		}
	}
}

// The busiest hour of a working day is far slower than its night, and than a Sunday.
func TestLoad(t *testing.T) {
	if day, night, sunday := load(noon.Add(-2*time.Hour)), load(noon.Add(-10*time.Hour)), load(noon.AddDate(0, 0, -3).Add(-2*time.Hour)); day < 1.7 || night > 1.05 || sunday > 1.2 {
		t.Errorf("load %v by day, %v at night, %v on Sunday", day, night, sunday)
	}
}

func BenchmarkWrite(b *testing.B) {
	for b.Loop() {
		file, err := os.CreateTemp(b.TempDir(), "past")
		if err != nil {
			b.Fatal(err)
		}
		if err := Write(b.Context(), file, Options{Config: shipped, Job: "imap", Instance: "a:1", End: noon}); err != nil {
			b.Fatal(err)
		}
		file.Close()
	}
}
