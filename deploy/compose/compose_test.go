// Package compose tests what can be tested of the stack without a container engine.
package compose

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.yaml.in/yaml/v3"

	"imap-exporter/internal/realtest"
)

// A stack is compose.yaml, with the keys of the Compose specification that we use.
type stack struct {
	Name     string
	Services map[string]*service
	Volumes  map[string]*struct{}
}

type service struct {
	Image       string
	Build       *struct{ Context, Dockerfile string }
	Command     []string
	Environment map[string]string
	Volumes     []string
	Ports       []string
	User        string
	ReadOnly    bool     `yaml:"read_only"`
	CapDrop     []string `yaml:"cap_drop"`
	SecurityOpt []string `yaml:"security_opt"`
	NetworkMode string   `yaml:"network_mode"`
	Tmpfs       []string
	Healthcheck *struct {
		Test              []string
		Interval, Timeout string
		Retries           int
		StartPeriod       string `yaml:"start_period"`
	}
	DependsOn yaml.Node `yaml:"depends_on"`
	Restart   string
}

// decode reads a file into a value, and knows no keys but the value's.
func decode(t *testing.T, file string, into any) {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	d := yaml.NewDecoder(bytes.NewReader(text))
	d.KnownFields(true)
	if err := d.Decode(into); err != nil {
		t.Fatalf("%s: %v", file, err)
	}
}

func compose(t *testing.T) *stack {
	t.Helper()
	s := &stack{}
	decode(t, "compose.yaml", s)
	return s
}

var pinned = regexp.MustCompile(`^[a-z/]+:v?\d+\.\d+\.\d+$`)

func TestServices(t *testing.T) {
	s := compose(t)
	for name, v := range s.Services {
		if (v.Build == nil) == (v.Image == "") || v.Image != "" && !pinned.MatchString(v.Image) {
			t.Errorf("%s: the image %q is not one that is built here or pinned to a version", name, v.Image)
		}
		if !v.ReadOnly || strings.Join(v.CapDrop, ",") != "ALL" || strings.Join(v.SecurityOpt, ",") != "no-new-privileges:true" {
			t.Errorf("%s may do more than it needs", name)
		}
		for _, port := range v.Ports {
			if p := strings.Split(port, ":"); len(p) != 3 || p[0] != "127.0.0.1" || p[1] != p[2] {
				t.Errorf("%s: port %s, want 127.0.0.1:port:port", name, port)
			}
		}
		for _, other := range dependencies(t, v) {
			if s.Services[other] == nil {
				t.Errorf("%s depends on %s, which isn't there", name, other)
			}
		}
		for _, volume := range v.Volumes {
			source, _, _ := strings.Cut(volume, ":")
			if !strings.HasPrefix(source, ".") {
				if _, ok := s.Volumes[source]; !ok {
					t.Errorf("%s: there is no volume %s", name, source)
				}
			} else if _, err := os.Stat(source); err != nil || !strings.HasSuffix(volume, ":ro") {
				t.Errorf("%s: %s is not there, or not mounted to be read only: %v", name, volume, err)
			}
		}
	}
	if got := strings.Join(s.Services["exporter"].Healthcheck.Test, " "); got != "CMD /imap-exporter healthcheck" {
		t.Errorf("health check %q", got)
	}
}

// dependencies returns the services that one waits for, which are a list or a mapping.
func dependencies(t *testing.T, v *service) (names []string) {
	t.Helper()
	var err error
	switch v.DependsOn.Kind {
	case yaml.SequenceNode:
		err = v.DependsOn.Decode(&names)
	case yaml.MappingNode:
		conditions := map[string]struct{ Condition string }{}
		err = v.DependsOn.Decode(&conditions)
		for name, c := range conditions {
			if c.Condition != "service_healthy" && c.Condition != "service_completed_successfully" {
				t.Errorf("there is no condition %q", c.Condition)
			}
			names = append(names, name)
		}
	default: // It waits for none.
	}
	if err != nil {
		t.Error(err)
	}
	return names
}

// Each service is called by the name and the port that the others know it by.
func TestAddresses(t *testing.T) {
	s := compose(t)
	for _, file := range []string{"prometheus.yml", "grafana/datasources/prometheus.yaml"} {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		found := regexp.MustCompile(`\b([a-z]+):(\d{4,5})\b`).FindAllStringSubmatch(string(text), -1)
		if len(found) == 0 {
			t.Errorf("%s names no address", file)
		}
		for _, m := range found {
			if v := s.Services[m[1]]; v == nil || !strings.HasSuffix(strings.Join(v.Ports, " "), ":"+m[2]) {
				t.Errorf("%s: nothing listens at %s", file, m[0])
			}
		}
	}
}

// Prometheus takes its configuration with the rules as set-urls.sh makes them, and of the placeholders none is left.
func TestPrometheusConfiguration(t *testing.T) {
	rules := t.TempDir()
	cmd := exec.CommandContext(t.Context(), "sh", "set-urls.sh", "../../dashboards/rules", rules)
	cmd.Env = append(os.Environ(), "GRAFANA_URL=http://localhost:3000", "RUNBOOKS_URL=https://git.example.net/runbooks")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	files, err := filepath.Glob(filepath.Join(rules, "*.yaml"))
	if err != nil || len(files) < 3 {
		t.Fatalf("rules %q, %v", files, err)
	}
	var all strings.Builder
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		all.Write(text)
	}
	for word, want := range map[string]bool{
		"_url: https://grafana.example.org": false, "_url: https://runbooks.example.org": false, "http://localhost:3000/d/imap-": true, "runbook_url: https://git.example.net/runbooks/ImapExporterDown.md\n": true,
	} {
		if strings.Contains(all.String(), word) != want {
			t.Errorf("the rules have %s: %v, want %v", word, !want, want)
		}
	}

	text, err := os.ReadFile("prometheus.yml")
	if err != nil {
		t.Fatal(err)
	}
	mounted := "/etc/prometheus/rules/"
	if !strings.Contains(string(text), mounted) {
		t.Fatalf("prometheus.yml has no rules in %s", mounted)
	}
	file := filepath.Join(t.TempDir(), "prometheus.yml")
	if err := os.WriteFile(file, bytes.ReplaceAll(text, []byte(mounted), []byte(rules+"/")), 0o600); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.CommandContext(t.Context(), realtest.Promtool(t), "check", "config", file).CombinedOutput(); err != nil {
		t.Errorf("%v: %s", err, out)
	}
}

func TestAlertmanagerConfiguration(t *testing.T) {
	out, err := exec.CommandContext(t.Context(), realtest.Amtool(t), "check-config", "alertmanager.yml").CombinedOutput()
	if err != nil {
		t.Errorf("%v: %s", err, out)
	}
	// It is the example of docs/alerting.md, and each alert that it names exists.
	text, err := os.ReadFile("alertmanager.yml")
	if err != nil {
		t.Fatal(err)
	}
	docs, err := os.ReadFile("../../docs/alerting.md")
	if err != nil {
		t.Fatal(err)
	}
	settings := func(text []byte) string {
		begin, end := bytes.Index(text, []byte("\nroute:\n")), bytes.Index(text, []byte("\nreceivers:\n"))
		if begin < 0 || end < begin {
			t.Fatal("it has no route, or no receivers after it")
		}
		return string(text[begin:end])
	}
	if diff := cmp.Diff(settings(docs), settings(text)); diff != "" {
		t.Errorf("docs/alerting.md has another example:\n%s", diff)
	}
	rules, err := os.ReadFile("../../dashboards/rules/imap-alerts.yaml")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range regexp.MustCompile(`Imap\w+`).FindAllString(string(text), -1) {
		if !strings.Contains(string(rules), "- alert: "+name) {
			t.Errorf("there is no alert %s", name)
		}
	}
}

// Grafana's provisioning has no keys but those of its documentation, and finds the dashboards where compose.yaml puts them.
func TestGrafanaProvisioning(t *testing.T) {
	var sources struct {
		APIVersion  int `yaml:"apiVersion"`
		Datasources []struct {
			Name, UID, Type, Access, URL string
			IsDefault                    bool `yaml:"isDefault"`
			Editable                     bool
			JSONData                     struct {
				HTTPMethod   string `yaml:"httpMethod"`
				TimeInterval string `yaml:"timeInterval"`
			} `yaml:"jsonData"`
		}
	}
	decode(t, "grafana/datasources/prometheus.yaml", &sources)
	if d := sources.Datasources; len(d) != 1 || d[0].UID != "prometheus" || d[0].Type != "prometheus" || d[0].JSONData.TimeInterval != "15s" {
		t.Errorf("data sources %+v", d)
	}
	var dashboards struct {
		APIVersion int `yaml:"apiVersion"`
		Providers  []struct {
			Name, Folder, Type string
			DisableDeletion    bool `yaml:"disableDeletion"`
			AllowUIUpdates     bool `yaml:"allowUiUpdates"`
			Options            struct{ Path string }
		}
	}
	decode(t, "grafana/dashboards/imap.yaml", &dashboards)
	grafana := compose(t).Services["grafana"]
	path := dashboards.Providers[0].Options.Path
	if want := "../../dashboards:" + path + ":ro"; !strings.Contains(strings.Join(grafana.Volumes, " "), want) {
		t.Errorf("no dashboards at %s", path)
	}
	home, ok := strings.CutPrefix(grafana.Environment["GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH"], path)
	if _, err := os.Stat("../../dashboards" + home); err != nil || !ok {
		t.Errorf("no home dashboard %s: %v", home, err)
	}
}
