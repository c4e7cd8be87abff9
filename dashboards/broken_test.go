package dashboards

import (
	"slices"
	"strings"
	"testing"
)

// TestBroken breaks the overview in one place at a time, and checks that the rule against that finds it.
func TestBroken(t *testing.T) {
	made, err := overview().JSON()
	if err != nil {
		t.Fatal(err)
	}
	timeRange := string(made)
	for _, c := range []struct{ rule, old, new string }{
		{"dashboard", `"editable": false`, `"editable": true`},
		{"dashboard", `"title": "IMAP / Overview"`, `"title": "Overview"`},
		{"dashboard", `"uid": "imap-overview"`, `"uid": "overview"`},
		{"dashboard", `"schemaVersion": 39`, `"schemaVersion": 36`},
		{"dashboard", `"annotations"`, `"__inputs": [{"name": "DS_PROMETHEUS"}], "annotations"`},
		{"dashboard", `"tags": [
    "imap"
  ]`, `"tags": []`},
		{"variables", `"refresh": 2`, `"refresh": 1`},
		{"variables", `"allValue": ".+"`, `"allValue": ""`},
		{"variables", `"label": "Data source"`, `"label": ""`},
		{"variable use", `server=~\"$server\"`, `server=~\"$servers\"`},
		{"variable use", `"name": "slo"`, `"name": "target"`},
		{"data source", `"uid": "${datasource}"`, `"uid": "prometheus"`},
		{"texts", `"title": "Unsteady"`, `"title": ""`},
		{"texts", `"title": "Unsteady"`, `"title": "Failing"`},
		{"texts", `"description": "Accounts whose last probe failed.`, `"description": "", "help": "`},
		{"texts", `"unit": "short"`, `"unit": ""`},
		{"texts", `"noValue": "no account"`, `"noValue": ""`},
		{"texts", `"pluginVersion"`, `"repeat": "server", "pluginVersion"`},
		{"legend", `"legendFormat": "{{phase}}"`, `"legendFormat": ""`},
		{"legend", `"format": "table"`, `"format": "time_series"`},
		{"numbers", `"id": 2,`, `"id": 1,`},
		{"grid", `"x": 3,`, `"x": 2,`},
		{"grid", `"w": 3,`, `"w": 2,`},
		{"selectors", `imap_probe_success{job=~\"$job\", instance=~\"$instance\", server=~\"$server\"}`, `imap_probe_success{job=~\"$job\", server=~\"$server\"}`},
		{"selectors", `imap_probe_success{job=~\"$job\", instance=~\"$instance\", server=~\"$server\"}`, `imap_probe_success`},
		{"selectors", `imap_probe_success{job=~\"$job\", instance=~\"$instance\", server=~\"$server\"}`, `imap_probe_success{job=~\"$job\", instance=~\"$instance\"}`},
		{"counters", `increase(imap_probe_failure_reasons_total`, `sum(imap_probe_failure_reasons_total`},
		{"counters", `[$__rate_interval]`, `[5m]`},
		{"joins", `on (job, instance, account, server)`, `on (instance, account, server)`},
		{"metrics", `imap_probe_suspended{`, `imap_probe_suspended_total{`},
		{"metrics", `label_values(imap_probe_interval_seconds`, `label_values(imap_probe_interval`},
		{"metrics", `imap_probe_success{`, `imap:availability:ratio{`},
		{"links", `/d/imap-account/imap-account?`, `/d/imap-accounts/imap-accounts?`},
		{"links", `&var-account=`, `&var-user=`},
	} {
		t.Run(c.rule+" "+c.new, func(t *testing.T) {
			if !strings.Contains(timeRange, c.old) {
				t.Fatalf("the overview has no %s", c.old)
			}
			broken := parse(t, strings.Replace(timeRange, c.old, c.new, 1))
			i := slices.IndexFunc(rules, func(r rule) bool { return r.name == c.rule })
			if problems := rules[i].check(broken); len(problems) == 0 {
				t.Errorf("the rule %q sees nothing", c.rule)
			}
		})
	}
}
