package dashboards

import (
	"flag"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.yaml.in/yaml/v3"
)

var update = flag.Bool("update", false, "write the JSON files")

// TestFiles compares the JSON files with what the package generates. With -update it writes them.
func TestFiles(t *testing.T) {
	for _, d := range All() {
		made, err := d.JSON()
		if err != nil {
			t.Fatal(err)
		}
		if *update {
			if err := os.WriteFile(d.File(), made, 0o644); err != nil {
				t.Fatal(err)
			}
		}
		there, err := os.ReadFile(d.File())
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(string(there), string(made)); diff != "" {
			t.Errorf("%s is not what the code makes; go test ./dashboards -update writes it:\n%s", d.File(), diff)
		}
	}
}

// TestKustomization checks that each dashboard has its own ConfigMap, below the size limit of Kubernetes.
func TestKustomization(t *testing.T) {
	text, err := os.ReadFile("kustomization.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var k struct {
		Kind               string
		ConfigMapGenerator []struct {
			Name  string
			Files []string
		} `yaml:"configMapGenerator"`
		GeneratorOptions struct {
			DisableNameSuffixHash bool `yaml:"disableNameSuffixHash"`
			Labels                map[string]string
		} `yaml:"generatorOptions"`
	}
	if err := yaml.Unmarshal(text, &k); err != nil {
		t.Fatal(err)
	}
	if k.Kind != "Kustomization" || k.GeneratorOptions.Labels["grafana_dashboard"] != "1" || !k.GeneratorOptions.DisableNameSuffixHash {
		t.Errorf("Grafana's sidecar would not find the ConfigMaps: %+v", k)
	}
	var listed, made []string
	for _, g := range k.ConfigMapGenerator {
		listed = append(listed, g.Files...)
		if len(g.Files) != 1 || g.Name != "imap-dashboard-"+strings.TrimSuffix(g.Files[0], ".json") {
			t.Errorf("%s holds %v", g.Name, g.Files)
		}
	}
	for _, d := range All() {
		made = append(made, d.File())
		if info, err := os.Stat(d.File()); err != nil || info.Size() > 1<<20 {
			t.Errorf("%s doesn't fit into a ConfigMap: %v", d.File(), err)
		}
	}
	if diff := cmp.Diff(made, listed); diff != "" {
		t.Errorf("the ConfigMaps hold other files than there are dashboards:\n%s", diff)
	}
}
