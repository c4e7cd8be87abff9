package docs_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"

	"imap-exporter/internal/realtest"
)

var yamlFence = regexp.MustCompile("(?ms)^```yaml\n(.*?)^```$")

// TestPrometheusExamples checks with promtool every Prometheus configuration on the page about probes on demand, and that
// the Operator's objects parse.
func TestPrometheusExamples(t *testing.T) {
	promtool := realtest.Promtool(t)
	kinds := map[string]int{}
	for _, found := range yamlFence.FindAllStringSubmatch(read(t, "docs/on-demand.md"), -1) {
		if strings.HasPrefix(found[1], "scrape_configs:") {
			kinds["scrape_configs"]++
			file := filepath.Join(t.TempDir(), "prometheus.yml")
			if err := os.WriteFile(file, []byte(found[1]), 0o600); err != nil {
				t.Fatal(err)
			}
			if out, err := exec.CommandContext(t.Context(), promtool, "check", "config", file).CombinedOutput(); err != nil {
				t.Errorf("%v: %s\n%s", err, out, found[1])
			}
			continue
		}
		var object struct {
			APIVersion string `yaml:"apiVersion"`
			Kind       string
			Spec       map[string]any
		}
		if err := yaml.Unmarshal([]byte(found[1]), &object); err != nil {
			t.Errorf("%v:\n%s", err, found[1])
		}
		if object.Kind != "" && (!strings.HasPrefix(object.APIVersion, "monitoring.coreos.com/v1") || len(object.Spec) == 0) {
			t.Errorf("not an object of the Operator:\n%s", found[1])
		}
		kinds[object.Kind]++
	}
	if kinds["scrape_configs"] < 5 || kinds["Probe"] != 1 || kinds["ScrapeConfig"] != 1 || kinds[""] != 1 {
		t.Errorf("the page has other examples: %v", kinds)
	}
}
