package rules_test

import (
	"maps"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"imap-exporter/collectors"
	"imap-exporter/probe"
)

// The two addresses that users replace, and what may follow them.
var (
	runbook   = regexp.MustCompile(`^https://runbooks\.example\.org/(Imap\w+)$`)
	dashboard = regexp.MustCompile(`^https://grafana\.example\.org/d/(imap-(?:account|server|exporter))/(imap-\w+)\?var-`)
	address   = regexp.MustCompile(`https?://[^/\s]+`)
	variable  = regexp.MustCompile(`var-(\w+)=`)
	ownLabel  = regexp.MustCompile(`\$labels\.(\w+)`)
)

// alerts returns all alerting rules.
func alerts(t testing.TB) (all []rule) {
	t.Helper()
	for _, g := range load(t) {
		for _, r := range g.Rules {
			if r.Alert != "" {
				all = append(all, r)
			}
		}
	}
	return all
}

// TestAlerts checks that each alert has what its receiver needs.
func TestAlerts(t *testing.T) {
	for _, a := range alerts(t) {
		want := []string{"dashboard_url", "description", "runbook_url", "summary"}
		if diff := cmp.Diff(want, slices.Sorted(maps.Keys(a.Annotations))); diff != "" {
			t.Errorf("%s: annotations:\n%s", a.Alert, diff)
		}
		if severity := a.Labels["severity"]; !slices.Contains([]string{"critical", "warning", "info"}, severity) {
			t.Errorf("%s: severity %q", a.Alert, severity)
		}
		if a.For == "" {
			t.Errorf("%s: without for", a.Alert)
		}
		if strings.Contains(a.Annotations["summary"], "{{") {
			t.Errorf("%s: the summary is to be the same for all: %s", a.Alert, a.Annotations["summary"])
		}
		if found := runbook.FindStringSubmatch(a.Annotations["runbook_url"]); found == nil || found[1] != a.Alert {
			t.Errorf("%s: runbook_url %q", a.Alert, a.Annotations["runbook_url"])
		}
		if found := dashboard.FindStringSubmatch(a.Annotations["dashboard_url"]); found == nil || found[1] != found[2] {
			t.Errorf("%s: dashboard_url %q", a.Alert, a.Annotations["dashboard_url"])
		}
		for _, found := range variable.FindAllStringSubmatch(a.Annotations["dashboard_url"], -1) {
			if !slices.Contains([]string{"job", "instance", "server", "account"}, found[1]) {
				t.Errorf("%s: no dashboard has a variable %s", a.Alert, found[1])
			}
		}
		for name, text := range a.Annotations {
			for _, found := range address.FindAllString(text, -1) {
				if found != "https://grafana.example.org" && found != "https://runbooks.example.org" {
					t.Errorf("%s: %s has the address %s", a.Alert, name, found)
				}
			}
		}
	}
}

// TestDescriptions requires each description to name the alert's labels, and phase and reason for alerts about failures.
func TestDescriptions(t *testing.T) {
	failing := []string{
		"ImapAccountFailing", "ImapServerFailing", "ImapLoginRejected", "ImapLoginSuspended", "ImapNeverSucceeded", "ImapProbeStale",
		"ImapErrorBudgetBurnFast", "ImapErrorBudgetBurnSlow", "ImapStartTLSLost",
	}
	for _, a := range alerts(t) {
		description := a.Annotations["description"]
		for _, found := range ownLabel.FindAllStringSubmatch(a.Annotations["dashboard_url"], -1) {
			if found[1] != "job" && !strings.Contains(description, "$labels."+found[1]) {
				t.Errorf("%s: the description doesn't name %s", a.Alert, found[1])
			}
		}
		for _, word := range []string{".Labels.phase", ".Labels.reason"} {
			if slices.Contains(failing, a.Alert) && !strings.Contains(description, word) {
				t.Errorf("%s: the description has no %s", a.Alert, word)
			}
		}
		if strings.Contains(description, `="{{`) || strings.Contains(description, `="%s`) {
			t.Errorf("%s: a label is put into a query unquoted", a.Alert)
		}
	}
}

// TestRunbooks requires a page for each alert, an alert for each page, and unit tests in which each fires and stays silent.
func TestRunbooks(t *testing.T) {
	names := map[string]bool{}
	for _, a := range alerts(t) {
		names[a.Alert] = true
	}
	pages, err := filepath.Glob("../../docs/runbooks/Imap*.md")
	if err != nil {
		t.Fatal(err)
	}
	var written []string
	for _, page := range pages {
		name := strings.TrimSuffix(filepath.Base(page), ".md")
		written = append(written, name)
		text := read(t, page)
		for _, part := range []string{"# " + name + "\n", "\n**Impact.** ", "\n## Check\n", "\n## Queries\n", "\n## What to do\n", "\n## When it is a false alarm\n"} {
			if !strings.Contains(text, part) {
				t.Errorf("%s has no %q", page, strings.TrimSpace(part))
			}
		}
	}
	if diff := cmp.Diff(slices.Sorted(maps.Keys(names)), written); diff != "" {
		t.Errorf("runbooks:\n%s", diff)
	}
	overview := read(t, "../../docs/alerting.md")
	for name := range names {
		if !strings.Contains(overview, "| ["+name+"](runbooks/"+name+".md) |") {
			t.Errorf("docs/alerting.md doesn't list %s", name)
		}
	}
	firing, silent := map[string]bool{}, map[string]bool{}
	for _, u := range loadTests(t) {
		for _, a := range u.Alerts {
			firing[a.Name] = firing[a.Name] || len(a.Firing) > 0
			silent[a.Name] = silent[a.Name] || len(a.Firing) == 0
		}
	}
	for name := range names {
		if !firing[name] || !silent[name] {
			t.Errorf("%s: tested firing: %t, silent: %t", name, firing[name], silent[name])
		}
	}
	for name := range firing {
		if !names[name] {
			t.Errorf("a test expects the alert %s, which there is not", name)
		}
	}
}

// TestNames requires that every metric in a rule or a runbook is exported or recorded, and that every threshold is used.
func TestNames(t *testing.T) {
	known := map[string]bool{}
	for _, m := range collectors.Catalogue() {
		known[m.Name] = true
		if m.Type == collectors.Histogram {
			known[m.Name+"_bucket"], known[m.Name+"_count"], known[m.Name+"_sum"] = true, true, true
		}
	}
	unused := map[string]bool{}
	groups := load(t)
	for _, g := range groups {
		for _, r := range g.Rules {
			if r.Record != "" {
				known[r.Record], unused[r.Record] = true, true
			}
		}
	}
	for _, g := range groups {
		for _, r := range g.Rules {
			for _, name := range r.asked() {
				delete(unused, name)
				if !known[name] {
					t.Errorf("%s asks for %s, which nobody exports or records", r.Record+r.Alert, name)
				}
			}
		}
	}
	if diff := cmp.Diff([]string{"server:imap_error_budget_left:ratio"}, slices.Sorted(maps.Keys(unused))); diff != "" {
		t.Errorf("recorded for nobody:\n%s", diff)
	}
	pages, err := filepath.Glob("../../docs/runbooks/*.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, page := range append(pages, "../../docs/alerting.md") {
		for _, name := range metric.FindAllString(read(t, page), -1) {
			if !known[name] {
				t.Errorf("%s names %s, which nobody exports or records", page, name)
			}
		}
	}
}

// closed matches selectors of labels whose values are closed lists.
var closed = regexp.MustCompile(`\b(phase|reason)(?:=|!=|=~|!~)\\?"([^"\\]+)\\?"`)

// TestClosedLists requires that each phase and reason in a selector exists.
func TestClosedLists(t *testing.T) {
	words := map[string]bool{}
	for _, phase := range probe.IMAP.Phases {
		words["phase "+string(phase)] = true
	}
	for _, reason := range probe.IMAP.Reasons {
		words["reason "+string(reason)] = true
	}
	skips := []string{"overload", "backoff", "unavailable", "throttled", "shutdown"}
	names, err := filepath.Glob("../../docs/runbooks/*.md")
	if err != nil {
		t.Fatal(err)
	}
	tests, err := filepath.Glob("tests/*.yaml")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range slices.Concat(files, tests, names) {
		for _, found := range closed.FindAllStringSubmatch(read(t, name), -1) {
			for value := range strings.SplitSeq(found[2], "|") {
				if value != "%q" && value != "starttls_.+" && !words[found[1]+" "+value] && !slices.Contains(skips, value) {
					t.Errorf("%s: there is no %s %q", name, found[1], value)
				}
			}
		}
	}
}

// TestThresholds requires that one file has all thresholds, and nothing else.
func TestThresholds(t *testing.T) {
	for _, g := range load(t) {
		for _, r := range g.Rules {
			isThreshold := strings.HasSuffix(r.Record, ":threshold") || strings.HasSuffix(r.Record, ":target")
			if isThreshold != (g.Name == "imap-thresholds") || isThreshold != strings.HasPrefix(r.Expr, "vector(") {
				t.Errorf("%s is in the group %s", r.Record+r.Alert, g.Name)
			}
		}
	}
}
