package dashboards

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"imap-exporter/collectors"
	"imap-exporter/internal/realtest"
)

// notShown are the metrics that no dashboard uses, with the reason.
var notShown = map[string]string{
	"imap_mailbox_recent_messages": "nobody else has seen them, which says more of the clients than of the server",
	"imap_mailbox_highest_modseq":  "it says that something changed, but not what; the messages are shown",
	"imap_mailboxes_truncated":     "it is a matter of the configuration, and in the log",
	"imap_mailboxes_unreadable":    "it is a matter of names, and in the log",
	"imap_names_left_out":          "hardly any server has so many new names",
	"imap_fetch_bytes":             "it explains a slow fetch, and is constant for a mailbox of its own",
}

// TestEveryMetric requires each metric of the catalogue in a dashboard or a rule, or a reason why not.
func TestEveryMetric(t *testing.T) {
	shown := map[string]bool{}
	metrics := catalogue()
	for _, d := range All() {
		made, err := d.JSON()
		if err != nil {
			t.Fatal(err)
		}
		parse(t, string(made)).each(func(_ modelPanel, q modelTarget) []string {
			for _, s := range selectors(q.Expr) {
				shown[metrics[s.metric].Name] = true
			}
			return nil
		})
	}
	files, err := filepath.Glob("rules/*.yaml")
	if err != nil {
		t.Fatal(err)
	}
	ruled := map[string]bool{}
	for _, file := range files {
		content, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, s := range selectors(string(content)) {
			ruled[metrics[s.metric].Name] = true
		}
	}
	for _, m := range collectors.Catalogue() {
		switch reason := notShown[m.Name]; {
		case shown[m.Name] && reason != "":
			t.Errorf("%s is shown; take it from the list of those that aren't", m.Name)
		case !shown[m.Name] && !ruled[m.Name] && reason == "":
			t.Errorf("%s is neither in a dashboard nor in a rule; if that is right, say why in notShown", m.Name)
		}
	}
	for name := range notShown {
		if metrics[name].Name == "" {
			t.Errorf("%s is not exported at all", name)
		}
	}
}

// grafana replaces Grafana's variables by values that parse.
var grafana = strings.NewReplacer("$__rate_interval", "5m", "$__range", "1h", "$slo", "99.5", "$login_target", "2",
	"$probe_target", "5", "$quantile", "0.95")

// TestPromQL checks with promtool that every query parses.
func TestPromQL(t *testing.T) {
	promtool := realtest.Promtool(t)
	if out, err := checkPromQL(t.Context(), promtool, t.TempDir(), []string{"sum(rate(up[5m])"}); err == nil {
		t.Fatalf("promtool takes a query that doesn't parse:\n%s", out)
	}
	var exprs []string
	for _, d := range All() {
		made, err := d.JSON()
		if err != nil {
			t.Fatal(err)
		}
		parse(t, string(made)).each(func(_ modelPanel, q modelTarget) []string {
			exprs = append(exprs, grafana.Replace(q.Expr))
			return nil
		})
	}
	if out, err := checkPromQL(t.Context(), promtool, t.TempDir(), exprs); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}

// checkPromQL makes each query a recording rule, because promtool checks rules, not queries.
func checkPromQL(ctx context.Context, promtool, dir string, exprs []string) (string, error) {
	type rule struct {
		Record string `json:"record"`
		Expr   string `json:"expr"`
	}
	type group struct {
		Name  string `json:"name"`
		Rules []rule `json:"rules"`
	}
	var list []rule
	for i, expr := range exprs {
		list = append(list, rule{fmt.Sprintf("query:%d", i), expr})
	}
	text, err := json.Marshal(map[string][]group{"groups": {{"queries", list}}}) // YAML, as all JSON is.
	if err != nil {
		return "", err
	}
	file := filepath.Join(dir, "rules.yaml")
	if err := os.WriteFile(file, text, 0o600); err != nil {
		return "", err
	}
	out, err := exec.CommandContext(ctx, promtool, "check", "rules", file).CombinedOutput()
	return string(out), err
}
