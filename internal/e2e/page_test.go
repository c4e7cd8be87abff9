package e2e

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"

	"imap-exporter/internal/mailtest/hostile"
)

// A page is /metrics, read as Prometheus does.
type page struct {
	text    string
	samples []pageSample
	sums    map[string]float64 // by metric, and by metric and account
}

type pageSample struct {
	name   string
	labels map[string]string
	value  float64
}

// parsePage reads a page in the text format. Of histograms it has _sum and _count.
func parsePage(text string) (page, error) {
	parser := expfmt.NewTextParser(model.LegacyValidation)
	families, err := parser.TextToMetricFamilies(strings.NewReader(text))
	if err != nil {
		return page{}, err
	}
	p := page{text: text, sums: map[string]float64{}}
	for name, family := range families {
		for _, m := range family.GetMetric() {
			labels := map[string]string{}
			for _, l := range m.GetLabel() {
				labels[l.GetName()] = l.GetValue()
			}
			add := func(suffix string, value float64) {
				p.samples = append(p.samples, pageSample{name + suffix, labels, value})
				p.sums[name+suffix] += value
				p.sums[name+suffix+" "+labels["account"]] += value
			}
			switch family.GetType() {
			case dto.MetricType_HISTOGRAM:
				add("_sum", m.GetHistogram().GetSampleSum())
				add("_count", float64(m.GetHistogram().GetSampleCount()))
			case dto.MetricType_SUMMARY:
				add("_sum", m.GetSummary().GetSampleSum())
			default:
				add("", m.GetGauge().GetValue()+m.GetCounter().GetValue()+m.GetUntyped().GetValue())
			}
		}
	}
	return p, nil
}

// sum adds up all samples of a metric.
func (p page) sum(name string) float64 { return p.sums[name] }

// value adds up all samples of a metric of one account.
func (p page) value(name, account string) float64 { return p.sums[name+" "+account] }

// where adds up all samples of a metric with a label.
func (p page) where(name, label, value string) (sum float64) {
	for _, s := range p.samples {
		if s.name == name && s.labels[label] == value {
			sum += s.value
		}
	}
	return sum
}

// has reports whether an account has a metric.
func (p page) has(name, account string) bool {
	_, ok := p.sums[name+" "+account]
	return ok
}

// outcome is what the last probe of an account came to, as the table of hostile servers words it.
func (p page) outcome(account string) string {
	if p.value("imap_probe_success", account) == 1 {
		return hostile.Success
	}
	for _, s := range p.samples {
		if s.name == "imap_probe_last_failure_info" && s.labels["account"] == account {
			return s.labels["phase"] + "/" + s.labels["reason"]
		}
	}
	return "nothing"
}

// series are the series whose names begin with prefix.
func (p page) series(prefix string) []string {
	return p.list(func(s pageSample) bool { return strings.HasPrefix(s.name, prefix) })
}

// seriesOf are those of one account.
func (p page) seriesOf(account string) []string {
	return p.list(func(s pageSample) bool { return s.labels["account"] == account })
}

func (p page) list(which func(pageSample) bool) []string {
	var all []string
	for _, s := range p.samples {
		if !which(s) {
			continue
		}
		var b strings.Builder
		b.WriteString(s.name)
		for _, name := range slices.Sorted(maps.Keys(s.labels)) {
			fmt.Fprintf(&b, " %s=%q", name, s.labels[name])
		}
		all = append(all, b.String())
	}
	slices.Sort(all)
	return all
}
