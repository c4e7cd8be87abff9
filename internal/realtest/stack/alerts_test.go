package stack

import (
	"context"
	"crypto/tls"
	"encoding/pem"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"imap-exporter/internal/mailtest"
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
	"ImapStartTLSLost stripped":            {"starttls", "starttls_refused"},
	"ImapCertificateExpired expired":       {"ago"},
	"ImapMailboxNotReceiving quiet":        {"INBOX", "1d", "daily"},
	"ImapAccountFailing misnamed":          {"select", "mailbox_missing"},
	"ImapNeverSucceeded misnamed":          {"select", "mailbox_missing"},
	"ImapErrorBudgetBurnFast demo-healthy": {"select", "mailbox_missing"}, // whose server misnamed shares
	"ImapExporterReloadFailed imap":        {"configuration"},
	"ImapExporterDown doomed":              {"no metrics"},
	"ImapShardMismatch shards":             {"not one for each shard"},
}

// mayFollow are those whose windows are longer than the test, so that it depends on the moment whether they are raised already.
var mayFollow = []string{
	"ImapErrorBudgetBurnSlow demo-hanging", // a third of its probes fail
	"ImapErrorBudgetBurnSlow misnamed",
	"ImapErrorBudgetBurnSlow demo-busy", // throttled is failed, to the account
	"ImapLoginSuspended demo-rejected",  // after an hour
}

// mayPrecede are those that are raised until one is that tells why, and inhibits them.
var mayPrecede = []string{"ImapServerFailing expired", "ImapServerFailing stripped"}

// Each fault of the demo raises its alerts, and nothing else does, by the real rules in a real Prometheus, at a real
// Alertmanager with the configuration we ship. Only time is another: the rules' durations are divided by timeScale, and
// what is probed every 10 s in the demo is probed every 5 s, with time enough for a busy machine.
func TestFaultsRaiseTheirAlerts(t *testing.T) {
	t.Parallel()
	f := startFaults(t)
	ctx, cancel := context.WithTimeout(t.Context(), patience)
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
	f.stopDoomed()
	f.reloadNonsense(ctx, t)

	missing := maps.Clone(raised)
	unexpected := map[string]bool{}
	tick := time.NewTicker(500 * time.Millisecond)
	defer tick.Stop()
	for early := true; len(missing) > 0 || early; {
		select {
		case <-tick.C:
		case <-ctx.Done():
			t.Fatalf("not raised: %q; early ones still there: %v; Alertmanager says:\n%s",
				slices.Sorted(maps.Keys(missing)), early, alertmanager.Log())
		}
		early = false
		for name, alert := range f.alerts(ctx, t, alertmanager) {
			text := alert.Annotations["description"]
			words, wanted := raised[name]
			switch {
			case !wanted && slices.Contains(mayPrecede, name):
				early = true
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

// faults are exporters with something to alert on.
type faults struct {
	main, doomed *realtest.Tool
	twins        [2]*realtest.Tool // both say that they are the first of two
	stopDoomed   func()
	file         string            // main's configuration
	accounts     map[string]string // by server, each of which has one
}

// startFaults runs an exporter with the shipped demo and three faulty servers more, and three that are faulty themselves.
func startFaults(t *testing.T) *faults {
	t.Helper()
	binary := program(t)
	shipped, err := os.ReadFile(filepath.Join(root, "config.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	f := &faults{file: filepath.Join(t.TempDir(), "config.yaml"), accounts: map[string]string{
		"demo:993": "demo-healthy", "demo-starttls:143": "demo-starttls",
	}}
	for _, name := range []string{"slow", "quota", "growing", "certificate", "rejected", "hanging", "busy"} {
		f.accounts["demo-"+name+":993"] = "demo-" + name
	}
	modules, accounts := f.added(t)
	write(t, f.file, strings.NewReplacer("interval: 10s", "interval: 5s", "timeout: 3s", "timeout: 5s",
		"\nmodules:\n", "\nmodules:\n"+modules, "\naccounts:\n", "\naccounts:\n"+accounts).Replace(string(shipped)))
	f.main = startExporter(t, binary, f.file, "--web.enable-lifecycle")

	small := filepath.Join(t.TempDir(), "small.yaml")
	write(t, small, `
demo: {enabled: true}
modules:
  - {name: quick, interval: 5s, timeout: 5s}
accounts:
  - {name: one, server: demo, username: demo@example.org, password: canary-demo-secret, module: quick}
  - {name: two, server: demo, username: demo@example.org, password: canary-demo-secret, module: quick}
`)
	for i := range f.twins {
		f.twins[i] = startExporter(t, binary, small, "--shard=0", "--total-shards=2")
	}
	f.doomed, f.stopDoomed, err = realtest.StartExporter(t.Context(), binary, small)
	if err != nil {
		f.stopDoomed()
		t.Fatal(err)
	}
	return f
}

// added returns accounts on servers with faults that the demo has none of, and modules for them.
func (f *faults) added(t *testing.T) (modules, accounts string) {
	t.Helper()
	ca, err := mailtest.NewCA()
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "ca.pem")
	write(t, file, string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: ca.Certificate().Raw})))
	expired, err := ca.Issue(mailtest.CertOptions{Names: []string{"localhost"}, NotBefore: time.Now().Add(-48 * time.Hour), NotAfter: time.Now().Add(-time.Hour)})
	if err != nil {
		t.Fatal(err)
	}
	const account = "  - {name: %s, server: %q, username: demo@example.org, password: canary-demo-secret, module: %s}\n"
	const module = "  - {name: %s, interval: 5s, timeout: 5s, tls: %s, tls_config: {ca_file: %q, server_name: localhost}}\n"
	modules = fmt.Sprintf(module+module, "implicit", "implicit", file, "starttls", "starttls", file) +
		"  - {name: misnamed, interval: 5s, timeout: 5s, select: Nowhere}\n"
	accounts = fmt.Sprintf(account+account, "refused", "127.0.0.1:1", "implicit", "misnamed", "demo", "misnamed")
	f.accounts["127.0.0.1:1"] = "refused"

	start := func(name, mode string, o mailtest.Options) string {
		server, err := mailtest.Start(o)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = server.Close() })
		address := fmt.Sprintf("127.0.0.1:%d", server.Port())
		f.accounts[address] = name
		return fmt.Sprintf(account, name, address, mode)
	}
	valid, err := ca.Issue(mailtest.CertOptions{Names: []string{"localhost"}})
	if err != nil {
		t.Fatal(err)
	}
	old := mailtest.Data{Users: []*mailtest.User{mailtest.NewUser(time.Now().Add(-36 * time.Hour))}}
	accounts += start("expired", "implicit", mailtest.Options{TLS: serverTLS(expired)})
	accounts += start("stripped", "starttls", mailtest.Options{Mode: mailtest.ModePlain})
	accounts += strings.Replace(start("quiet", "implicit", mailtest.Options{TLS: serverTLS(valid), Data: old}),
		"}\n", ", labels: {expect_mail: daily}}\n", 1)
	return modules, accounts
}

func serverTLS(certificate tls.Certificate) *tls.Config {
	return &tls.Config{Certificates: []tls.Certificate{certificate}, MinVersion: tls.VersionTLS12}
}

// reloadNonsense has the main exporter reload a configuration that is none.
func (f *faults) reloadNonsense(ctx context.Context, t *testing.T) {
	t.Helper()
	write(t, f.file, "accounts: nonsense\n")
	status, err := f.main.Post(ctx, "/-/reload")
	if err != nil || status == http.StatusOK {
		t.Fatalf("reload: %d, %v, want an error", status, err)
	}
}

func write(t *testing.T, file, text string) {
	t.Helper()
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}
