// Package rules_test tests the alerts: with promtool's unit tests, with checks of what every alert must have, and by
// mutating each rule to see a unit test fail.
package rules_test

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"

	"imap-exporter/internal/realtest"
)

// files are the rule files, in the order in which they use each other.
var files = []string{"imap-thresholds.yaml", "imap-recording.yaml", "imap-alerts.yaml"}

type ruleFile struct {
	Groups []group `yaml:"groups"`
}

type group struct {
	Name     string `yaml:"name"`
	Interval string `yaml:"interval,omitempty"`
	Rules    []rule `yaml:"rules"`
}

// A rule is a recording or alerting rule, with Prometheus' keys.
type rule struct {
	Record        string            `yaml:"record,omitempty"`
	Alert         string            `yaml:"alert,omitempty"`
	Expr          string            `yaml:"expr"`
	For           string            `yaml:"for,omitempty"`
	KeepFiringFor string            `yaml:"keep_firing_for,omitempty"`
	Labels        map[string]string `yaml:"labels,omitempty"`
	Annotations   map[string]string `yaml:"annotations,omitempty"`
}

// A unitTest is one of promtool's unit tests: series, and the expected alerts.
type unitTest struct {
	name     string
	interval string
	node     yaml.Node
	Name     string `yaml:"name"`
	Alerts   []struct {
		Name   string      `yaml:"alertname"`
		Firing []yaml.Node `yaml:"exp_alerts"`
	} `yaml:"alert_rule_test"`
	Expressions []struct {
		Expr string `yaml:"expr"`
	} `yaml:"promql_expr_test"`
}

// load returns the groups of all rule files.
func load(t testing.TB) (all []group) {
	t.Helper()
	for _, name := range files {
		var f ruleFile
		decode(t, name, &f)
		all = append(all, f.Groups...)
	}
	return all
}

// loadTests returns promtool's unit tests, each on its own.
func loadTests(t testing.TB) (all []unitTest) {
	t.Helper()
	names, err := filepath.Glob("tests/*.yaml")
	if err != nil || len(names) == 0 {
		t.Fatalf("tests: %v, %v", names, err)
	}
	for _, name := range names {
		var f struct {
			RuleFiles  []string    `yaml:"rule_files"`
			Interval   string      `yaml:"evaluation_interval"`
			GroupOrder []string    `yaml:"group_eval_order"`
			Tests      []yaml.Node `yaml:"tests"`
		}
		decode(t, name, &f)
		for _, node := range f.Tests {
			u := unitTest{interval: f.Interval, node: node}
			if err := node.Decode(&u); err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			u.name = filepath.Base(name) + ": " + u.Name
			all = append(all, u)
		}
	}
	return all
}

func decode(t testing.TB, name string, into any) {
	t.Helper()
	decoder := yaml.NewDecoder(strings.NewReader(read(t, name)))
	decoder.KnownFields(true)
	if err := decoder.Decode(into); err != nil {
		t.Fatalf("%s: %v", name, err)
	}
}

func read(t testing.TB, name string) string {
	t.Helper()
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// metric matches names of our metrics, including recorded ones. Nothing else in an expression looks like one.
var metric = regexp.MustCompile(`\b(?:[a-z]+:)?imap[_:][a-z0-9_]+(?::[a-z0-9_]+)?\b`)

// asked returns the names of our metrics that a rule uses, including its annotations.
func (r *rule) asked() []string {
	names := metric.FindAllString(r.Expr, -1)
	for _, text := range r.Annotations {
		names = append(names, metric.FindAllString(text, -1)...)
	}
	return names
}

// needed returns the rules that a test needs: the alerts that it checks, and the rules that these use, recursively.
func (u *unitTest) needed(all []group) map[string]bool {
	wanted := map[string]bool{}
	for _, a := range u.Alerts {
		wanted[a.Name] = true
	}
	for _, e := range u.Expressions {
		for _, name := range metric.FindAllString(e.Expr, -1) {
			wanted[name] = true
		}
	}
	for before := -1; len(wanted) > before; {
		before = len(wanted)
		for _, g := range all {
			for _, r := range g.Rules {
				if wanted[r.Record+r.Alert] {
					for _, name := range r.asked() {
						wanted[name] = true
					}
				}
			}
		}
	}
	return wanted
}

// run runs a test with promtool, in dir, with only the rules that it needs, and returns promtool's complaints. With all
// rules it would take many times as long.
func (u *unitTest) run(ctx context.Context, promtool, dir string, all []group) (complaint string, err error) {
	wanted := u.needed(all)
	var kept ruleFile
	var order []string
	for _, g := range all {
		g.Rules = slices.DeleteFunc(slices.Clone(g.Rules), func(r rule) bool { return !wanted[r.Record+r.Alert] })
		if len(g.Rules) > 0 {
			kept.Groups = append(kept.Groups, g)
			order = append(order, g.Name)
		}
	}
	for name, content := range map[string]any{"rules.yaml": kept, "test.yaml": map[string]any{
		"rule_files": []string{"rules.yaml"}, "evaluation_interval": u.interval, "group_eval_order": order, "tests": []*yaml.Node{&u.node},
	}} {
		text, err := yaml.Marshal(content)
		if err != nil {
			return "", err
		}
		if err := os.WriteFile(filepath.Join(dir, name), text, 0o600); err != nil {
			return "", err
		}
	}
	out, err := exec.CommandContext(ctx, promtool, "test", "rules", filepath.Join(dir, "test.yaml")).CombinedOutput()
	if exit := (*exec.ExitError)(nil); errors.As(err, &exit) {
		return exit.Error() + "\n" + string(out), nil
	}
	return "", err
}

// TestCheck checks and lints the rules with promtool.
func TestCheck(t *testing.T) {
	args := append([]string{"check", "rules", "--lint=all", "--lint-fatal"}, files...)
	if out, err := exec.CommandContext(t.Context(), realtest.Promtool(t), args...).CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}

// TestUnits runs promtool's unit tests.
func TestUnits(t *testing.T) {
	promtool := realtest.Promtool(t)
	all := load(t)
	for _, u := range loadTests(t) {
		t.Run(u.name, func(t *testing.T) {
			complaint, err := u.run(t.Context(), promtool, t.TempDir(), all)
			if err != nil || complaint != "" {
				t.Error(err, complaint)
			}
		})
	}
}
