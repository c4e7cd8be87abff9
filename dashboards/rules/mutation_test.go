package rules_test

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"testing"

	"golang.org/x/sync/errgroup"
)

// TestMutants breaks each rule in every way that mutants knows, and wants promtool's unit tests to notice. A mutant that
// they don't notice is a guard that nothing guards.
func TestMutants(t *testing.T) {
	all := load(t)
	tests := loadTests(t)
	slices.SortStableFunc(tests, func(a, b testFile) int { return cmp.Compare(a.cost(), b.cost()) })
	var workers errgroup.Group
	workers.SetLimit(2)
	for g := range all {
		for i := range all[g].Rules {
			original := &all[g].Rules[i]
			for _, m := range original.mutants() {
				if isTolerated(original.Record+original.Alert, m.what) {
					continue
				}
				workers.Go(func() error {
					broken := slices.Clone(all)
					broken[g].Rules = slices.Clone(all[g].Rules)
					broken[g].Rules[i] = m.rule
					if !noticed(t.Context(), t, broken, tests, original.Record+original.Alert) {
						t.Errorf("%s: no test notices: %s\n%s", original.Record+original.Alert, m.what, m.rule.Expr)
					}
					return nil
				})
			}
		}
	}
	if err := workers.Wait(); err != nil {
		t.Error(err)
	}
}

// noticed says whether a test fails that the rule is needed for.
func noticed(ctx context.Context, t *testing.T, broken []group, tests []testFile, name string) bool {
	for _, f := range tests {
		if needed(broken, f)[name] {
			if _, ok := promtoolTest(ctx, t, broken, f); !ok {
				return true
			}
		}
	}
	return false
}

// cost is how long a test takes, more or less: the longer ones come last.
func (f *testFile) cost() int { return len(f.text) }

// tolerated are mutants that are no faults: by rule, by what was broken, and why that is no matter.
var tolerated = []struct{ rule, what, why string }{
	{"account:imap_latency_seconds:usual", "label_replace", "one of seven days more or less"},
}

func isTolerated(name, what string) bool {
	for _, t := range tolerated {
		if t.rule == name && strings.Contains(what, t.what) {
			return true
		}
	}
	return false
}
