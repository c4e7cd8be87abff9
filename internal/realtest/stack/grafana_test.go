package stack

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// A dashboard is what matters to a query in a dashboard's JSON.
type dashboard struct {
	UID        string `json:"uid"`
	Title      string
	Panels     []panel
	Templating struct{ List []variable }
}

type panel struct {
	Title   string
	Panels  []panel // of a collapsed row
	Targets []target
}

type target struct {
	RefID   string `json:"refId"`
	Expr    string
	Instant bool
}

type variable struct {
	Name    string
	Type    string
	Current struct{ Value any }
	Query   any
	// AllValue is what "All" stands for.
	AllValue string
}

// query returns the text of a variable's query.
func (v *variable) query() string {
	switch q := v.Query.(type) {
	case string:
		return q
	case map[string]any:
		text, _ := q["query"].(string)
		return text
	}
	return ""
}

// dashboards reads those of the repository.
func dashboards(t *testing.T) (all []*dashboard) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(root, "dashboards", "*.json"))
	if err != nil || len(files) < 4 {
		t.Fatalf("dashboards %q, %v, want four", files, err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		d := &dashboard{}
		if err := json.Unmarshal(text, d); err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		all = append(all, d)
	}
	return all
}

// A query is a panel's target.
type query struct {
	dashboard *dashboard
	panel     string
	target
}

func (q *query) String() string { return fmt.Sprintf("%s/%s/%s", q.dashboard.UID, q.panel, q.RefID) }

// queries returns those of all panels.
func (d *dashboard) queries() (all []*query) {
	var walk func(panels []panel)
	walk = func(panels []panel) {
		for _, p := range panels {
			walk(p.Panels)
			for _, t := range p.Targets {
				all = append(all, &query{d, p.Title, t})
			}
		}
	}
	walk(d.Panels)
	return all
}

// ranges are the variables that Grafana has by itself: those of a view of an hour of something scraped every 15 s.
var ranges = map[string]string{
	"__rate_interval": "1m", "__interval": "15s", "__interval_ms": "15000", "__range": "1h", "__range_s": "3600", "__range_ms": "3600000",
}

// choices returns every way to choose the dashboard's variables that matters to the demo: each server with each of its
// accounts, where there is a choice of one.
func (d *dashboard) choices(subjects []subject) (all []map[string]string) {
	for _, s := range subjects {
		values := maps.Clone(ranges)
		for _, v := range d.Templating.List {
			switch {
			case v.AllValue != "":
				values[v.Name] = v.AllValue
			case v.Name == "server":
				values[v.Name] = escaped(s.server)
			case v.Name == "account":
				values[v.Name] = escaped(s.account)
			default:
				values[v.Name] = fmt.Sprint(v.Current.Value)
			}
		}
		if !slices.ContainsFunc(all, func(other map[string]string) bool { return maps.Equal(values, other) }) {
			all = append(all, values)
		}
	}
	return all
}

// A subject is an account of the demo.
type subject struct{ account, server string }

// escaped is a value as Grafana puts it into a regular expression in a string of PromQL.
func escaped(value string) string {
	return strings.ReplaceAll(regexp.QuoteMeta(value), `\`, `\\`)
}

var reference = regexp.MustCompile(`\$(\w+)|\$\{(\w+)(?::\w+)?\}`)

// filled returns a text with its variables replaced. It fails the test if a variable has no value.
func filled(t *testing.T, text string, values map[string]string) string {
	t.Helper()
	return reference.ReplaceAllStringFunc(text, func(found string) string {
		m := reference.FindStringSubmatch(found)
		value, ok := values[m[1]+m[2]]
		if !ok {
			t.Errorf("%s in %s has no value", found, text)
		}
		return value
	})
}
