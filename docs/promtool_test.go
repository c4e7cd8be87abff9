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

// checkConfig checks a configuration with promtool.
func checkConfig(t *testing.T, promtool, config string) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "prometheus.yml")
	if err := os.WriteFile(file, []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.CommandContext(t.Context(), promtool, "check", "config", file).CombinedOutput(); err != nil {
		t.Errorf("%v: %s\n%s", err, out, config)
	}
}

// TestReadmeScrapeConfig checks that Prometheus 2 accepts README's example, and that its lines for Prometheus 3 are YAML that
// belongs where it is.
func TestReadmeScrapeConfig(t *testing.T) {
	promtool := realtest.Promtool(t)
	found := 0
	for _, example := range yamlFence.FindAllStringSubmatch(read(t, "README.md"), -1) {
		if !strings.HasPrefix(example[1], "scrape_configs:") {
			continue
		}
		found++
		checkConfig(t, promtool, example[1])
		var config struct {
			ScrapeConfigs []struct {
				Native  bool `yaml:"scrape_native_histograms"`
				Classic bool `yaml:"always_scrape_classic_histograms"`
			} `yaml:"scrape_configs"`
		}
		if err := yaml.Unmarshal([]byte(regexp.MustCompile(`(?m)# (\w+: true)$`).ReplaceAllString(example[1], "$1")), &config); err != nil {
			t.Fatal(err)
		}
		if job := config.ScrapeConfigs[0]; !job.Native || !job.Classic {
			t.Errorf("without the comment signs, the example doesn't scrape both kinds of histogram:\n%s", example[1])
		}
	}
	if found != 1 {
		t.Errorf("README.md has %d examples", found)
	}
}

// TestPrometheusExamples checks with promtool every Prometheus configuration on the page about probes on demand, and that
// the Operator's objects parse.
func TestPrometheusExamples(t *testing.T) {
	promtool := realtest.Promtool(t)
	kinds := map[string]int{}
	for _, found := range yamlFence.FindAllStringSubmatch(read(t, "docs/on-demand.md"), -1) {
		if strings.HasPrefix(found[1], "scrape_configs:") {
			kinds["scrape_configs"]++
			checkConfig(t, promtool, found[1])
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
	if kinds["scrape_configs"] < 5 || kinds["Probe"] != 1 || kinds["ScrapeConfig"] != 1 || kinds[""] != 2 {
		t.Errorf("the page has other examples: %v", kinds)
	}
}
