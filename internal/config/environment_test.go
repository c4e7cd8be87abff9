package config_test

import (
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/spf13/pflag"

	"imap-exporter/internal/config"
)

// The path of the file comes from the flag, the environment or the default, in this order.
func TestFilePath(t *testing.T) {
	for _, c := range []struct {
		args      []string
		env, want string
	}{
		{nil, "", "config.yaml"},
		{nil, "env.yaml", "env.yaml"},
		{[]string{"--config.file=flag.yaml"}, "", "flag.yaml"},
		{[]string{"--config.file=flag.yaml"}, "env.yaml", "flag.yaml"},
		{[]string{"--config.file="}, "env.yaml", "env.yaml"},
	} {
		t.Setenv("IMAP_EXPORTER_CONFIG_FILE", c.env)
		flags := pflag.NewFlagSet("exporter", pflag.ContinueOnError)
		flags.String("config.file", config.DefaultFile, "")
		if err := flags.Parse(c.args); err != nil {
			t.Fatal(err)
		}
		if got := config.FilePath(flags); got != c.want {
			t.Errorf("%q, %q: %s, want %s", c.args, c.env, got, c.want)
		}
	}
	t.Chdir(t.TempDir())
	replace(t, "env.yaml", oneAccount)
	t.Setenv("IMAP_EXPORTER_CONFIG_FILE", "env.yaml")
	if c, err := config.Load(config.Options{}); err != nil || c.Account("canary") == nil {
		t.Errorf("the environment's file: %v", err)
	}
	if _, err := config.LoadWeb(config.Options{}); err != nil {
		t.Errorf("the environment's file: %v", err)
	}
	t.Setenv("IMAP_EXPORTER_CONFIG_FILE", "nowhere.yaml")
	const want = "nowhere.yaml: no such file or directory: name another file with --config.file, or write one with imap-exporter init"
	if _, err := config.Load(config.Options{}); err == nil || err.Error() != want {
		t.Errorf("%v, want %s", err, want)
	}
}

// Unknown variables with our prefix are warned of, but not what Kubernetes and Docker set for a service named imap-exporter.
func TestUnknownVariables(t *testing.T) {
	for _, variable := range os.Environ() {
		if name, _, _ := strings.Cut(variable, "="); strings.HasPrefix(name, "IMAP_EXPORTER_") {
			t.Setenv(name, "") // It is put back at the end.
			if err := os.Unsetenv(name); err != nil {
				t.Fatal(err)
			}
		}
	}
	for _, name := range []string{
		"IMAP_EXPORTER_WEB_LISTENADDRESS", "IMAP_EXPORTER_LOGLEVEL", "IMAP_EXPORTER_ZEBRA", "IMAP_EXPORTER_CONFIG",
		// All others are in order.
		"IMAP_EXPORTER_LOG_FORMAT", "IMAP_EXPORTER_PASSWORD", "IMAP_EXPORTER_SERVICE_HOST", "IMAP_EXPORTER_SERVICE_PORT_METRICS",
		"IMAP_EXPORTER_PORT", "IMAP_EXPORTER_PORT_10993_TCP_ADDR", "IMAP_EXPORTER_WEB_SERVICE_PORT",
	} {
		t.Setenv(name, "json")
	}
	file := writeFile(t, "config.yaml", strings.Replace(oneAccount, "password: p", "password_env: IMAP_EXPORTER_PASSWORD", 1))
	want := []string{
		"IMAP_EXPORTER_CONFIG: unknown environment variable, which sets nothing: did you mean IMAP_EXPORTER_CONFIG_FILE?",
		"IMAP_EXPORTER_LOGLEVEL: unknown environment variable, which sets nothing: did you mean IMAP_EXPORTER_LOG_LEVEL?",
		"IMAP_EXPORTER_WEB_LISTENADDRESS: unknown environment variable, which sets nothing: did you mean IMAP_EXPORTER_WEB_LISTEN_ADDRESS?",
		"IMAP_EXPORTER_ZEBRA: unknown environment variable, which sets nothing: the known ones are in docs/configuration.md",
	}
	if diff := cmp.Diff(want, warnings(t, file)); diff != "" {
		t.Errorf("warnings (-want +got):\n%s", diff)
	}
}

// Interval, timeout and retry interval of an account win over its module's.
func TestTimesOfAnAccount(t *testing.T) {
	inTestdata(t)
	for name, want := range map[string][3]time.Duration{
		"own":    {10 * time.Second, 5 * time.Second, 10 * time.Second},
		"demand": {0, 30 * time.Second, 0},
		"slow":   {2 * time.Minute, 40 * time.Second, time.Minute},
	} {
		a := loadAccount(t, "account-times.good.yaml", name)
		if got := [3]time.Duration{a.Interval, a.Target.Timeout, a.RetryInterval}; got != want {
			t.Errorf("%s: %s, want %s", name, got, want)
		}
	}
	var shown strings.Builder
	c, err := load(t, "account-times.good.yaml")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.Show(&shown, 1); err != nil || !strings.Contains(shown.String(), "    timeout: 5s\n") {
		t.Errorf("%v\n%s", err, &shown)
	}
}
