package config_test

import (
	"bytes"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"imap-exporter/internal/config"
)

// Show writes the current configuration with defaults, without secrets and personal values.
func TestShow(t *testing.T) {
	t.Setenv("IMAP_EXPORTER_LOG_LEVEL", "debug")
	const file = `
web: {grafana_url: "https://grafana.example.org/"}
modules:
  - {name: quick, timeout: 5s, tls: starttls, tls_config: {min_version: TLS13}}
  - {name: unused}
accounts:
  - {name: canary, server: imap.example.org, username: canary-login-secret, password: canary-config-secret, module: quick, labels: {team: mail}}
  - {name: other, server: imap.example.org, username: canary-login-secret, token_file: token, module: bearer}
  - {name: third, server: imap.example.org, username: canary-login-secret, password_env: CANARY}
`
	t.Setenv("CANARY", "canary-environment-secret")
	dir := t.TempDir()
	for name, text := range map[string]string{"config.yaml": strings.Replace(file, "  - {name: unused}", "  - {name: bearer, auth: xoauth2}\n  - {name: unused}", 1), "token": "canary-token-secret"} {
		if err := os.WriteFile(dir+"/"+name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	c, err := config.Load(config.Options{File: dir + "/config.yaml"})
	if err != nil {
		t.Fatal(err)
	}
	var shown bytes.Buffer
	if left, err := c.Show(&shown, 0); err != nil || left != 0 {
		t.Fatalf("%d left out, %v", left, err)
	}
	if strings.Contains(shown.String(), "-secret") {
		t.Errorf("it has a secret:\n%s", &shown)
	}
	want, err := os.ReadFile("testdata/shown.yaml")
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), shown.String()); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}

	shown.Reset()
	if left, err := c.Show(&shown, 1); err != nil || left != 2 || strings.Contains(shown.String(), "third") {
		t.Errorf("%d left out, %v:\n%s", left, err, &shown)
	}
}

func TestAddressesOfOthers(t *testing.T) {
	for address, want := range map[string]string{
		"https://prometheus.example.org":      "",
		"http://localhost:9090/prometheus/":   "",
		"javascript:alert(1)":                 "web.prometheus_url: must be an address such as",
		"prometheus.example.org":              "web.prometheus_url: must be an address such as",
		"https://u:p@prometheus.example.org":  "web.prometheus_url: must be an address such as",
		"https://prometheus.example.org/?x=1": "web.prometheus_url: must be an address such as",
	} {
		c, err := config.Load(config.Options{File: writeFile(t, "config.yaml", "web: {prometheus_url: \""+address+"\"}\n"+oneAccount)})
		switch {
		case want == "" && (err != nil || c.Web.PrometheusURL != strings.TrimSuffix(address, "/")):
			t.Errorf("%s: %v", address, err)
		case want != "" && (err == nil || !strings.Contains(err.Error(), want)):
			t.Errorf("%s: %v, want %q", address, err, want)
		}
	}
}
