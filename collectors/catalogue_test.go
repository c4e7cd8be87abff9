package collectors

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus/testutil/promlint"
	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"

	"imap-exporter/probe"
)

var histogramKinds = []Histograms{{}, both, classic, native}

// TestCatalogueIsTheOutput checks both ways: what is promised comes, and nothing else, with the promised labels.
func TestCatalogueIsTheOutput(t *testing.T) {
	families := make(map[string]*dto.MetricFamily)
	for _, f := range gather(t, full(both)) {
		families[f.GetName()] = f
	}
	for _, m := range Catalogue() {
		f := families[m.Name]
		delete(families, m.Name)
		if f == nil {
			t.Errorf("%s is in the catalogue, but not exported", m.Name)
			continue
		}
		if got := strings.ToLower(f.GetType().String()); got != string(m.Type) {
			t.Errorf("%s is a %s, the catalogue says %s", m.Name, got, m.Type)
		}
		if f.GetHelp() != m.Help {
			t.Errorf("%s has the help %q, the catalogue says %q", m.Name, f.GetHelp(), m.Help)
		}
		if f.GetUnit() != m.Unit {
			t.Errorf("%s has the unit %q, the catalogue says %q", m.Name, f.GetUnit(), m.Unit)
		}
		want := slices.Clone(m.Labels)
		if m.Name == "imap_account_info" {
			want = append(want, "site", "team")
		}
		slices.Sort(want)
		for _, metric := range f.GetMetric() {
			var got []string
			for _, l := range metric.GetLabel() {
				got = append(got, l.GetName())
			}
			if !slices.Equal(got, want) {
				t.Errorf("%s has the labels %v, the catalogue says %v", m.Name, got, want)
			}
		}
	}
	for name := range families {
		t.Errorf("%s is exported, but not in the catalogue", name)
	}
}

func TestCatalogueIsWellFormed(t *testing.T) {
	for i, shape := range catalogue {
		m := shape.of(probe.IMAP.Name)
		if m.Name == "" || m.Help == "" || m.Absent == "" {
			t.Errorf("entry %d is incomplete: %+v", i, m)
		}
		if unit := baseUnit(m.Name); unit != m.Unit {
			t.Errorf("%s has the unit %q, its name says %q", m.Name, m.Unit, unit)
		}
	}
}

// baseUnit is what the suffix of a name says.
func baseUnit(name string) string {
	for _, unit := range []string{"seconds", "bytes"} {
		if strings.HasSuffix(strings.TrimSuffix(name, "_total"), "_"+unit) {
			return unit
		}
	}
	return ""
}

var metricName = regexp.MustCompile(`^imap_[a-z0-9_]+$`)

// namingRules are what promlint doesn't know.
func namingRules(f *dto.MetricFamily) (problems []error) {
	if !metricName.MatchString(f.GetName()) {
		problems = append(problems, fmt.Errorf("name does not match %s", metricName))
	}
	for part := range strings.SplitSeq(f.GetName(), "_") {
		switch part {
		case "kib", "kb", "mib", "mb", "ms", "millis", "micros", "nanos", "minutes", "hours", "days", "percent":
			problems = append(problems, fmt.Errorf("%s is no base unit", part))
		}
	}
	return problems
}

func TestLint(t *testing.T) {
	for _, kinds := range histogramKinds {
		l := promlint.NewWithMetricFamilies(gather(t, full(kinds)))
		l.AddCustomValidations(namingRules)
		problems, err := l.Lint()
		if err != nil {
			t.Fatal(err)
		}
		for _, p := range problems {
			t.Errorf("%v: %s: %s", kinds, p.Metric, p.Text)
		}
	}
}

func TestHistogramss(t *testing.T) {
	for _, kinds := range histogramKinds {
		for _, f := range gather(t, full(kinds)) {
			for _, m := range f.GetMetric() {
				h := m.GetHistogram()
				if h == nil {
					continue
				}
				if has := len(h.GetBucket()) > 0; has != (kinds != native) {
					t.Errorf("%v: %s has classic buckets: %v", kinds, f.GetName(), has)
				}
				if has := h.Schema != nil; has != (kinds != classic) {
					t.Errorf("%v: %s has native buckets: %v", kinds, f.GetName(), has)
				}
			}
		}
	}
}

// TestOpenMetrics reads the OpenMetrics page by the rules of its text format that an exporter can break.
func TestOpenMetrics(t *testing.T) {
	text := exposition(t, gather(t, full(both)), expfmt.NewFormat(expfmt.TypeOpenMetrics),
		expfmt.WithCreatedLines())
	body, ok := strings.CutSuffix(text, "# EOF\n")
	if !ok {
		t.Fatal("the page doesn't end with # EOF")
	}
	meta := regexp.MustCompile(`^# (HELP|TYPE|UNIT) ([a-z0-9_]+) (.+)$`)
	sample := regexp.MustCompile(`^([a-z0-9_]+)(\{[a-z0-9_]+="(?:[^"\\\n]|\\[n"\\])*"(?:,[a-z0-9_]+="(?:[^"\\\n]|\\[n"\\])*")*\})? (\S+)$`)
	suffixes := map[string]string{
		"gauge": "^$", "counter": "^(_total|_created)$", "histogram": "^(_bucket|_sum|_count|_created)$",
	}
	types, seen := map[string]string{}, map[string]bool{}
	family := ""
	for line := range strings.Lines(body) {
		line = strings.TrimSuffix(line, "\n")
		if m := meta.FindStringSubmatch(line); m != nil {
			family = m[2]
			switch m[1] {
			case "TYPE":
				if types[family] != "" {
					t.Errorf("%s comes twice", family)
				}
				types[family] = m[3]
			case "UNIT":
				if !strings.HasSuffix(family, "_"+m[3]) {
					t.Errorf("%s has the unit %s", family, m[3])
				}
			}
			continue
		}
		m := sample.FindStringSubmatch(line)
		if m == nil {
			t.Errorf("not OpenMetrics: %s", line)
			continue
		}
		suffix, ok := strings.CutPrefix(m[1], family)
		if !ok || !regexp.MustCompile(suffixes[types[family]]).MatchString(suffix) {
			t.Errorf("%s stands under the %s %s", line, types[family], family)
		}
		if seen[m[1]+m[2]] {
			t.Errorf("%s%s comes twice", m[1], m[2])
		}
		seen[m[1]+m[2]] = true
	}
	if len(types) != len(Catalogue()) {
		t.Errorf("the page has %d metrics, want %d", len(types), len(Catalogue()))
	}
}
