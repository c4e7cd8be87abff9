// Package rules_test holds the alerts to what is promised of them: by promtool's own tests, by what every alert must
// have, and by breaking each rule to see a test fail.
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

// files are the rule files, in the order in which they build on one another.
var files = []string{"imap-thresholds.yaml", "imap-recording.yaml", "imap-alerts.yaml"}

type ruleFile struct {
	Groups []group `yaml:"groups"`
}

type group struct {
	Name     string `yaml:"name"`
	Interval string `yaml:"interval,omitempty"`
	Rules    []rule `yaml:"rules"`
}

// A rule records or alerts. The keys are Prometheus' own.
type rule struct {
	Record        string            `yaml:"record,omitempty"`
	Alert         string            `yaml:"alert,omitempty"`
	Expr          string            `yaml:"expr"`
	For           string            `yaml:"for,omitempty"`
	KeepFiringFor string            `yaml:"keep_firing_for,omitempty"`
	Labels        map[string]string `yaml:"labels,omitempty"`
	Annotations   map[string]string `yaml:"annotations,omitempty"`
}

// A testFile is what we need to know of a file of promtool's unit tests.
type testFile struct {
	name  string
	text  string
	Tests []struct {
		Alerts []struct {
			Name   string      `yaml:"alertname"`
			Firing []yaml.Node `yaml:"exp_alerts"`
		} `yaml:"alert_rule_test"`
		Expressions []struct {
			Expr string `yaml:"expr"`
		} `yaml:"promql_expr_test"`
	} `yaml:"tests"`
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

// loadTests returns promtool's unit tests.
func loadTests(t testing.TB) (all []testFile) {
	t.Helper()
	names, err := filepath.Glob("tests/*.yaml")
	if err != nil || len(names) == 0 {
		t.Fatalf("tests: %v, %v", names, err)
	}
	for _, name := range names {
		f := testFile{name: filepath.Base(name), text: read(t, name)}
		if err := yaml.Unmarshal([]byte(f.text), &f); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		all = append(all, f)
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

// metric matches names of metrics that are ours, recorded ones too. Nothing else in an expression looks like one.
var metric = regexp.MustCompile(`\b(?:[a-z]+:)?imap[_:][a-z0-9_]+(?::[a-z0-9_]+)?\b`)

// asked returns the names of our metrics that a rule asks for, in its annotations too.
func (r *rule) asked() []string {
	names := metric.FindAllString(r.Expr, -1)
	for _, text := range r.Annotations {
		names = append(names, metric.FindAllString(text, -1)...)
	}
	return names
}

// needed returns what a test file needs: the alerts that it tests, and what these ask for, in turn.
func needed(all []group, f testFile) map[string]bool {
	wanted := map[string]bool{}
	for _, test := range f.Tests {
		for _, a := range test.Alerts {
			wanted[a.Name] = true
		}
		for _, e := range test.Expressions {
			for _, name := range metric.FindAllString(e.Expr, -1) {
				wanted[name] = true
			}
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

// What a test file says of the rules.
var (
	ruleFiles = regexp.MustCompile(`(?m)^rule_files: .*$`)
	evalOrder = regexp.MustCompile(`(?m)^group_eval_order:\n.*$`)
)

// promtoolTest lets promtool run a test file, in dir, on the rules that it needs, and returns what promtool has to complain
// of. Without the other rules it takes a fifth of the time.
func promtoolTest(ctx context.Context, promtool, dir string, all []group, f testFile) (complaint string, err error) {
	wanted := needed(all, f)
	var kept ruleFile
	var order []string
	for _, g := range all {
		g.Rules = slices.DeleteFunc(slices.Clone(g.Rules), func(r rule) bool { return !wanted[r.Record+r.Alert] })
		if len(g.Rules) > 0 {
			kept.Groups = append(kept.Groups, g)
			order = append(order, g.Name)
		}
	}
	rules, err := yaml.Marshal(kept)
	if err != nil {
		return "", err
	}
	test := ruleFiles.ReplaceAllString(f.text, "rule_files: [rules.yaml]")
	test = evalOrder.ReplaceAllString(test, "group_eval_order: ["+strings.Join(order, ", ")+"]")
	for name, content := range map[string]string{"rules.yaml": string(rules), "test.yaml": test} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600); err != nil {
			return "", err
		}
	}
	out, err := exec.CommandContext(ctx, promtool, "test", "rules", filepath.Join(dir, "test.yaml")).CombinedOutput()
	if exit := (*exec.ExitError)(nil); errors.As(err, &exit) {
		return exit.Error() + "\n" + string(out), nil
	}
	return "", err
}

// TestCheck lets promtool check and lint the rules.
func TestCheck(t *testing.T) {
	args := append([]string{"check", "rules", "--lint=all", "--lint-fatal"}, files...)
	if out, err := exec.CommandContext(t.Context(), realtest.Promtool(t), args...).CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}

// TestUnits lets promtool run its unit tests.
func TestUnits(t *testing.T) {
	promtool := realtest.Promtool(t)
	all := load(t)
	for _, f := range loadTests(t) {
		t.Run(f.name, func(t *testing.T) {
			complaint, err := promtoolTest(t.Context(), promtool, t.TempDir(), all, f)
			if err != nil || complaint != "" {
				t.Error(err, complaint)
			}
		})
	}
}
