package dashboards

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"imap-exporter/collectors"
)

// A selector is one use of a metric in a query.
type selector struct {
	metric, matchers string
	// function is the function around it, such as rate, and over the range that follows it; either may be empty.
	function, over string
}

var (
	literal = regexp.MustCompile(`"[^"]*"`)
	// metric matches the names of metrics of this exporter, of any Go program, and of Prometheus itself.
	metric = regexp.MustCompile(`\b(imap_\w+|go_\w+|process_\w+|promhttp_\w+|scrape_\w+|up)\b`)
	braces = regexp.MustCompile(`^\{([^}]*)\}(?:\[([^\]:]*)\])?`)
	opener = regexp.MustCompile(`(\w+)\(\s*$`)
)

// selectors returns all uses of metrics in a query. Those without braces have no matchers.
func selectors(expr string) []selector {
	var list []selector
	bare := literal.ReplaceAllStringFunc(expr, func(s string) string { return strings.Repeat("_", len(s)) })
	for _, at := range metric.FindAllStringIndex(bare, -1) {
		s := selector{metric: expr[at[0]:at[1]]}
		if found := braces.FindStringSubmatch(expr[at[1]:]); found != nil {
			s.matchers, s.over = found[1], found[2]
		}
		if found := opener.FindStringSubmatch(bare[:at[0]]); found != nil {
			s.function = found[1]
		}
		list = append(list, s)
	}
	return list
}

// catalogue returns the exporter's metrics by name; histograms also by the names of their series.
func catalogue() map[string]collectors.Metric {
	named := map[string]collectors.Metric{}
	for _, m := range collectors.Catalogue() {
		named[m.Name] = m
		if m.Type == collectors.Histogram {
			for _, suffix := range []string{"_bucket", "_sum", "_count"} {
				named[m.Name+suffix] = m
			}
		}
	}
	return named
}

// checkSelectors requires the variables in every selector, if the metric has their labels.
func checkSelectors(d model) []string {
	metrics := catalogue()
	return d.each(func(_ modelPanel, q modelTarget) (problems []string) {
		for _, s := range selectors(q.Expr) {
			labels := append([]string{"job", "instance"}, metrics[s.metric].Labels...)
			for _, v := range d.Templating.List {
				want := fmt.Sprintf(`%s=~"$%s"`, v.Name, v.Name)
				problems = append(problems,
					when(slices.Contains(labels, v.Name) && !strings.Contains(s.matchers, want), "%s is asked without %s", s.metric, want)...)
			}
		}
		return problems
	})
}

// checkCounters requires rate or increase for counters, over $__rate_interval, or over the whole time range for instant
// queries.
func checkCounters(d model) []string {
	metrics := catalogue()
	return d.each(func(_ modelPanel, q modelTarget) (problems []string) {
		for _, s := range selectors(q.Expr) {
			climbs := strings.HasSuffix(s.metric, "_total") || metrics[s.metric].Type == collectors.Histogram
			if !climbs {
				continue
			}
			want := rateInterval
			if q.Instant {
				want = timeRange
			}
			problems = slices.Concat(problems,
				when(s.function != "rate" && s.function != "increase", "%s without rate or increase", s.metric),
				when(s.over != want, "%s over [%s], not [%s]", s.metric, s.over, want),
			)
		}
		return problems
	})
}

var on = regexp.MustCompile(`\b(?:on|ignoring)\s*\(([^)]*)\)`)

// checkJoins requires joins on all labels that identify accounts and exporters: two exporters may probe the same account.
func checkJoins(d model) []string {
	return d.each(func(_ modelPanel, q modelTarget) (problems []string) {
		for _, found := range on.FindAllStringSubmatch(q.Expr, -1) {
			part := strings.Contains(found[1], "instance") || strings.Contains(found[1], "job")
			problems = append(problems, when(part && found[1] != key, "a join on (%s), not on (%s)", found[1], key)...)
		}
		return problems
	})
}

// others are the metrics that we use and that are not in the catalogue.
var others = regexp.MustCompile(`^(go_\w+|process_\w+|promhttp_\w+|scrape_\w+|up)$`)

// checkMetrics finds names that nothing exports. Recorded metrics have a colon; the dashboards don't use them.
func checkMetrics(d model) (problems []string) {
	metrics := catalogue()
	for _, v := range d.Templating.List {
		for _, s := range selectors(v.Definition) {
			problems = append(problems, when(metrics[s.metric].Name == "", "variable %s asks %s, which is not exported", v.Name, s.metric)...)
		}
	}
	return append(problems, d.each(func(_ modelPanel, q modelTarget) (problems []string) {
		for _, s := range selectors(q.Expr) {
			known := metrics[s.metric].Name != "" || others.MatchString(s.metric)
			problems = append(problems, when(!known, "%s is not exported", s.metric)...)
		}
		return append(problems, when(recorded.MatchString(literal.ReplaceAllString(q.Expr, "")), "a recorded metric is asked")...)
	})...)
}

var recorded = regexp.MustCompile(`[a-z_]+:[a-z_]+[:{]`)

var (
	ourLink = regexp.MustCompile(`"url": "([^"]*)"`)
	toBoard = regexp.MustCompile(`^/d/([\w-]+)/([\w-]+)(?:\?(.*))?$`)
	setting = regexp.MustCompile(`(?:^|&)var-(\w+)=`)
)

// checkLinks follows each link to its dashboard and to the variables that it sets there.
func checkLinks(d model) (problems []string) {
	known := map[string]Dashboard{}
	for _, other := range All() {
		known[other.UID] = other
	}
	found := ourLink.FindAllStringSubmatch(d.text, -1)
	problems = append(problems, when(len(d.Links) < len(known)-1, "it doesn't lead to all other dashboards")...)
	for _, link := range found {
		parts := toBoard.FindStringSubmatch(link[1])
		if parts == nil || parts[1] != parts[2] || known[parts[1]].UID == "" {
			problems = append(problems, "no such dashboard: "+link[1])
			continue
		}
		for _, set := range setting.FindAllStringSubmatch(parts[3], -1) {
			there := set[1] == "datasource" ||
				slices.ContainsFunc(known[parts[1]].variables, func(v variable) bool { return v.name == set[1] })
			problems = append(problems, when(!there, "%s has no variable %s", parts[1], set[1])...)
		}
	}
	return problems
}
