package realtest

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"
)

// An alert of Prometheus arrives at Alertmanager with its annotations rendered, and amtool rejects an invalid configuration.
func TestAlertmanager(t *testing.T) {
	a := Alertmanager(t, alertmanagerConfig)
	rules := filepath.Join(t.TempDir(), "rules.yml")
	if err := os.WriteFile(rules, []byte(`
groups:
  - name: test
    rules:
      - {alert: Always, expr: vector(7), labels: {severity: info}, annotations: {summary: "it is {{ $value }}"}}
`), 0o600); err != nil {
		t.Fatal(err)
	}
	p := Prometheus(t, fmt.Sprintf(`
global: {evaluation_interval: 1s}
rule_files: [%q]
alerting: {alertmanagers: [{static_configs: [{targets: [%q]}]}]}
`, rules, a.URL[len("http://"):]), "--rules.alert.resend-delay=1s") // It may be told of an alert before it knows of Alertmanager.
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()

	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for {
		alerts, err := a.Alerts(ctx)
		if err != nil {
			t.Fatalf("%v\n%s\n%s", err, a.Log(), p.Log())
		}
		if len(alerts) > 0 {
			if got := alerts[0]; got.Labels["alertname"] != "Always" || got.Annotations["summary"] != "it is 7" || got.StartsAt.IsZero() {
				t.Errorf("alert %+v", got)
			}
			return
		}
		<-tick.C
	}
}

const alertmanagerConfig = `
route: {receiver: nobody}
receivers: [{name: nobody}]
`

func TestAmtool(t *testing.T) {
	tool := Amtool(t)
	for config, ok := range map[string]bool{alertmanagerConfig: true, "route: {receiver: somebody}": false} {
		file := filepath.Join(t.TempDir(), "alertmanager.yml")
		if err := os.WriteFile(file, []byte(config), 0o600); err != nil {
			t.Fatal(err)
		}
		out, err := exec.CommandContext(t.Context(), tool, "check-config", file).CombinedOutput()
		if (err == nil) != ok {
			t.Errorf("%v: %s", err, out)
		}
	}
}
