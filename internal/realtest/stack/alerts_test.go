package stack

import (
	"context"
	"fmt"
	"maps"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"imap-exporter/internal/realtest"
)

// raised are the alerts that the demo's faults, and those that the test adds, must raise: the alert and its account, its
// server's account or its job, and the words that its description must have beside these.
var raised = map[string][]string{
	"ImapLoginRejected demo-rejected":          {"auth", "rejected"},
	"ImapQuotaNearFull demo-quota":             {"93%", "storage", "User quota"},
	"ImapCertificateExpiring demo-certificate": {"4d"},
	"ImapErrorBudgetBurnFast demo-hanging":     {"select", "timeout"},

	"ImapServerFailing refused":            {"100%", "connect", "refused"},
	"ImapServerFailing expired":            {"100%", "tls", "certificate_expired"},
	"ImapServerFailing stripped":           {"100%", "starttls", "starttls_refused"},
	"ImapStartTLSLost stripped":            {"starttls", "starttls_refused"},
	"ImapCertificateExpired expired":       {"ago"},
	"ImapMailboxNotReceiving quiet":        {"INBOX", "1d", "daily"},
	"ImapAccountFailing misnamed":          {"select", "mailbox_missing"},
	"ImapNeverSucceeded misnamed":          {"select", "mailbox_missing"},
	"ImapErrorBudgetBurnFast demo-healthy": {"select", "mailbox_missing"}, // whose server misnamed shares
	"ImapExporterReloadFailed imap":        {"configuration"},
	"ImapExporterDown doomed":              {"no metrics"},
	"ImapShardMismatch shards":             {"an exporter for each shard"},
}

// elsewhere are the alerts that only promtool's unit tests raise, each with the reason.
var elsewhere = map[string]string{
	"ImapCapabilityLost":      "must have been offered for half a day",
	"ImapErrorBudgetBurnSlow": "looks at three days",
	"ImapExporterOverloaded":  "takes 20 minutes of too much to do",
	"ImapLatencyHigh":         "no server of the demo is slower than the target",
	"ImapLatencyUnusual":      "compares with three days at least",
	"ImapLoginSuspended":      "waits for an hour",
	"ImapProbeStale":          "an exporter that works doesn't forget an account",
	"ImapQuotaFullSoon":       "looks at a day",
}

// mayFollow are those whose windows are longer than the test, so that it depends on the moment whether they are raised already.
var mayFollow = []string{
	"ImapErrorBudgetBurnSlow demo-hanging", // a third of its probes fail
	"ImapErrorBudgetBurnSlow misnamed",     // all of them
	"ImapErrorBudgetBurnSlow demo-busy",    // throttled is failed, to the account
	"ImapLoginSuspended demo-rejected",     // after an hour
}

// Each fault of the demo raises its alerts, and nothing else does, by the real rules in a real Prometheus, at a real
// Alertmanager with the configuration we ship. Only time is another: the rules' durations are divided by timeScale, and
// what is probed every 10 s in the demo is probed every 5 s, with time enough for a busy machine.
func TestFaultsRaiseTheirAlerts(t *testing.T) {
	t.Parallel()
	f := startFaults(t)
	ctx, cancel := context.WithTimeout(t.Context(), waitTimeout)
	defer cancel()
	shipped, err := os.ReadFile(filepath.Join(root, "deploy/compose/alertmanager.yml"))
	if err != nil {
		t.Fatal(err)
	}
	alertmanager := realtest.Alertmanager(t, string(shipped))
	prometheus := realtest.Prometheus(t, fmt.Sprintf(`
global: {scrape_interval: 1s, evaluation_interval: 1s}
rule_files: [%q]
alerting: {alertmanagers: [{static_configs: [{targets: [%q]}]}]}
scrape_configs:
  - {job_name: imap, static_configs: [{targets: [%q]}]}
  - {job_name: doomed, static_configs: [{targets: [%q]}]}
  - {job_name: shards, static_configs: [{targets: [%q, %q]}]}
`, scaledRules(t), host(alertmanager.URL), host(f.main.URL), host(f.doomed.URL), host(f.twins[0].URL), host(f.twins[1].URL)),
		"--rules.alert.resend-delay=1s")
	if _, err := prometheus.Await(ctx, `imap_exporter_build_info{job="doomed"}`); err != nil {
		t.Fatal(err)
	}
	f.doomed.Kill()
	f.reloadNonsense(ctx, t)

	missing := maps.Clone(raised)
	unexpected := map[string]bool{}
	tick := time.NewTicker(500 * time.Millisecond)
	defer tick.Stop()
	for len(missing) > 0 {
		select {
		case <-tick.C:
		case <-ctx.Done():
			t.Fatalf("not raised: %q; Alertmanager says:\n%s", slices.Sorted(maps.Keys(missing)), alertmanager.Log())
		}
		for name, alert := range f.alerts(ctx, t, alertmanager) {
			text := alert.Annotations["description"]
			words, wanted := raised[name]
			switch {
			case !wanted && !slices.Contains(mayFollow, name) && !unexpected[name]:
				unexpected[name] = true
				t.Errorf("%s is raised: %s", name, text)
			case wanted && missing[name] != nil:
				delete(missing, name)
				t.Logf("%s: %s", name, text)
				assertAnnotations(t, alert, words)
			}
		}
	}
	assertRulesHealthy(ctx, t, prometheus)
}

// Each alert of the rules is raised here, or excused.
func TestAlertsAreAllKnown(t *testing.T) {
	text, err := os.ReadFile(filepath.Join(root, "dashboards/rules/imap-alerts.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	here := map[string]bool{}
	for name := range raised {
		here[strings.Fields(name)[0]] = true
	}
	defined := map[string]bool{}
	for _, m := range regexp.MustCompile(`(?m)^ *- alert: (\w+)$`).FindAllStringSubmatch(string(text), -1) {
		defined[m[1]] = true
		if here[m[1]] == (elsewhere[m[1]] != "") {
			t.Errorf("%s: raised here: %v, excused: %q", m[1], here[m[1]], elsewhere[m[1]])
		}
	}
	for name := range elsewhere {
		if !defined[name] {
			t.Errorf("there is no alert %s", name)
		}
	}
}

// alerts returns the active alerts, each named by itself and by what it is about.
func (f *faults) alerts(ctx context.Context, t *testing.T, alertmanager *realtest.AlertServer) map[string]realtest.Alert {
	t.Helper()
	alerts, err := alertmanager.Alerts(ctx)
	if err != nil {
		t.Fatalf("%v\n%s", err, alertmanager.Log())
	}
	named := map[string]realtest.Alert{}
	for _, a := range alerts {
		about := a.Labels["job"]
		if server := a.Labels["server"]; server != "" {
			about = f.accounts[server]
		}
		if account := a.Labels["account"]; account != "" {
			about = account
		}
		named[a.Labels["alertname"]+" "+about] = a
	}
	return named
}

// assertAnnotations checks what the one who is woken up reads.
func assertAnnotations(t *testing.T, a realtest.Alert, words []string) {
	t.Helper()
	name := a.Labels["alertname"]
	text := a.Annotations["description"]
	for _, label := range []string{"account", "server"} {
		words = append(words, a.Labels[label])
	}
	for _, word := range words {
		if !strings.Contains(text, word) {
			t.Errorf("%s doesn't say %q: %s", name, word, text)
		}
	}
	for key, value := range a.Annotations {
		if strings.ContainsAny(value, "<>{}") || strings.Contains(value, "%!") {
			t.Errorf("%s: %s is badly made: %s", name, key, value)
		}
	}
	if got, want := a.Annotations["runbook_url"], "https://runbooks.example.org/"+name; got != want {
		t.Errorf("%s: runbook_url %s, want %s", name, got, want)
	}
	if _, err := os.Stat(filepath.Join(root, "docs/runbooks", name+".md")); err != nil {
		t.Error(err)
	}
	link, err := url.Parse(a.Annotations["dashboard_url"])
	if err != nil || link.Host != "grafana.example.org" || !strings.HasPrefix(link.Path, "/d/imap-") {
		t.Fatalf("%s: dashboard_url %s, %v", name, a.Annotations["dashboard_url"], err)
	}
	for _, label := range []string{"job", "instance", "account", "server"} {
		if got, want := link.Query().Get("var-"+label), a.Labels[label]; got != want {
			t.Errorf("%s: %s preselects the %s %q, want %q", name, link, label, got, want)
		}
	}
	kind := "exporter"
	if a.Labels["account"] != "" {
		kind = "account"
	} else if a.Labels["server"] != "" {
		kind = "server"
	}
	if want := fmt.Sprintf("/d/imap-%s/imap-%s", kind, kind); link.Path != want {
		t.Errorf("%s: dashboard_url leads to %s, want %s", name, link.Path, want)
	}
}
