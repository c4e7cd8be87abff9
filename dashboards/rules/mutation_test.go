package rules_test

import (
	"cmp"
	"hash/fnv"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"
	"golang.org/x/sync/errgroup"

	"imap-exporter/internal/realtest"
)

// TestMutants checks that promtool's unit tests fail for each mutant of each rule. A mutant that passes shows a condition
// that no test covers. There are some hundreds, which takes minutes: `make soak` tries all, and other runs one of every
// third rule.
func TestMutants(t *testing.T) {
	promtool := realtest.Promtool(t)
	all := load(t)
	tests := loadTests(t)
	// Small tests first: they find most mutants.
	slices.SortStableFunc(tests, func(a, b unitTest) int { return cmp.Compare(size(&a.node), size(&b.node)) })
	for g := range all {
		for i, original := range all[g].Rules {
			name := original.Record + original.Alert
			t.Run(name, func(t *testing.T) {
				var workers errgroup.Group
				workers.SetLimit(2)
				for _, m := range chosen(&original) {
					workers.Go(func() error {
						broken := slices.Clone(all)
						broken[g].Rules = slices.Clone(all[g].Rules)
						broken[g].Rules[i] = m.rule
						noticed, err := notice(t, promtool, broken, tests, name)
						if err == nil && !noticed {
							t.Errorf("no test notices: %s\n%s", m.what, m.rule.Expr)
						}
						return err
					})
				}
				if err := workers.Wait(); err != nil {
					t.Error(err)
				}
			})
		}
	}
}

// chosen returns the mutants of a rule to try. In a soak, all that are not tolerated; otherwise one of every third rule. Which
// one and of which rules depends on the rule's name, so that all kinds occur.
func chosen(r *rule) (all []mutant) {
	name := r.Record + r.Alert
	for _, kind := range r.mutants() {
		all = append(all, slices.DeleteFunc(kind, func(m mutant) bool { return isTolerated(name, m.what) })...)
	}
	if everyMutant || len(all) == 0 {
		return all
	}
	hash := fnv.New32a()
	hash.Write([]byte(name))
	if n := hash.Sum32(); n%3 == 0 {
		i := int(n / 3 % uint32(len(all)))
		return all[i : i+1]
	}
	return nil
}

// notice reports whether any test that needs the rule fails.
func notice(t *testing.T, promtool string, broken []group, tests []unitTest, name string) (bool, error) {
	for _, u := range tests {
		if u.needed(broken)[name] {
			complaint, err := u.run(t.Context(), promtool, t.TempDir(), broken)
			if err != nil || complaint != "" {
				return complaint != "", err
			}
		}
	}
	return false, nil
}

// size returns the number of values in a document.
func size(node *yaml.Node) int {
	n := 1
	for _, child := range node.Content {
		n += size(child)
	}
	return n
}

// tolerated are mutants for which no unit test has to fail: by rule and mutation, with the reason.
var tolerated = []struct{ rule, what, why string }{
	{"account:imap_latency_seconds:usual", "label_replace", "one of seven days more or less"},
	{"ImapExporterOverloaded", "_seconds[10m]", "native histograms, which TestNative has"},
	{"ImapExporterOverloaded", "[10m])) ) > ", "the same"},
	{"account:imap_latency_seconds:usual", "[2h] offset 3d", "it bridges gaps of Prometheus' own"},
	{"ImapShardMismatch", "max by (job) (imap_exporter_shards) or", "where they differ, the other half fires"},
}

func isTolerated(name, what string) bool {
	return slices.ContainsFunc(tolerated, func(t struct{ rule, what, why string }) bool {
		return t.rule == name && strings.Contains(what, t.what)
	})
}
