package config_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/spf13/pflag"

	"imap-exporter/internal/config"
)

const oneAccount = "accounts: [{name: canary, server: imap.example.org, username: u, password: p}]\n"

// newFlags are the program's, with the arguments parsed.
func newFlags(t *testing.T, args ...string) *pflag.FlagSet {
	t.Helper()
	flags := pflag.NewFlagSet("exporter", pflag.ContinueOnError)
	config.AddFlags(flags)
	if err := flags.Parse(args); err != nil {
		t.Fatal(err)
	}
	return flags
}

func TestPrecedence(t *testing.T) {
	const file = "web: {listen_address: ':2000', allowed_hosts: [a.example, b.example], debug_listen_address: 'localhost:2001'}\nlog: {level: warn, format: json}\nmax_concurrent: 20\n" +
		"max_concurrent_per_server: 2\nhistograms: classic\ndemo: {enabled: true}\n" + oneAccount
	env := map[string]string{
		"IMAP_EXPORTER_WEB_LISTEN_ADDRESS": ":3000", "IMAP_EXPORTER_WEB_ALLOWED_HOSTS": "c.example, 192.0.2.1, 2001:0DB8:0::1",
		"IMAP_EXPORTER_WEB_DEBUG_LISTEN_ADDRESS": "127.0.0.1:3001", "IMAP_EXPORTER_LOG_LEVEL": "error", "IMAP_EXPORTER_LOG_FORMAT": "logfmt",
		"IMAP_EXPORTER_MAX_CONCURRENT": "30", "IMAP_EXPORTER_MAX_CONCURRENT_PER_SERVER": "3", "IMAP_EXPORTER_HISTOGRAMS": "native", "IMAP_EXPORTER_DEMO_ENABLED": "false",
	}
	for _, c := range []struct {
		name, file string
		env        map[string]string
		args       []string
		want       config.Config
	}{
		{"defaults", oneAccount, nil, nil, config.Config{
			Web: config.Web{ListenAddress: ":10993"}, Log: config.Log{Level: "info", Format: "logfmt"}, MaxConcurrentPerServer: 16, Histograms: "both",
		}},
		{"file", file, nil, nil, config.Config{
			Web: config.Web{ListenAddress: ":2000", AllowedHosts: []string{"a.example", "b.example"}, DebugListenAddress: "localhost:2001"}, Log: config.Log{Level: "warn", Format: "json"}, MaxConcurrent: 20, MaxConcurrentPerServer: 2, Histograms: "classic", Demo: true,
		}},
		{"environment over file", file, env, nil, config.Config{
			Web: config.Web{ListenAddress: ":3000", AllowedHosts: []string{"c.example", "192.0.2.1", "2001:db8::1"}, DebugListenAddress: "127.0.0.1:3001"}, Log: config.Log{Level: "error", Format: "logfmt"}, MaxConcurrent: 30, MaxConcurrentPerServer: 3, Histograms: "native",
		}},
		{"an empty variable is none", file, map[string]string{"IMAP_EXPORTER_LOG_LEVEL": ""}, nil, config.Config{
			Web: config.Web{ListenAddress: ":2000", AllowedHosts: []string{"a.example", "b.example"}, DebugListenAddress: "localhost:2001"}, Log: config.Log{Level: "warn", Format: "json"}, MaxConcurrent: 20, MaxConcurrentPerServer: 2, Histograms: "classic", Demo: true,
		}},
		{"flags over environment", file, env, []string{"--web.listen-address=:4000", "--log.level=debug", "--web.allowed-hosts=d.example", "--web.debug-listen-address=[::1]:4001"}, config.Config{
			Web: config.Web{ListenAddress: ":4000", AllowedHosts: []string{"d.example"}, DebugListenAddress: "[::1]:4001"}, Log: config.Log{Level: "debug", Format: "logfmt"}, MaxConcurrent: 30, MaxConcurrentPerServer: 3, Histograms: "native",
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			for name, value := range c.env {
				t.Setenv(name, value)
			}
			got, err := config.Load(config.Options{File: writeFile(t, "config.yaml", c.file), Flags: newFlags(t, c.args...)})
			if err != nil {
				t.Fatal(err)
			}
			got.Accounts, got.Sources = nil, nil
			c.want.Shard, c.want.AllAccounts = config.Shard{Total: 1}, 1
			if diff := cmp.Diff(&c.want, got, cmpopts.IgnoreUnexported(config.Config{})); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestWrongFlagsAndVariablesAreNamed(t *testing.T) {
	t.Setenv("IMAP_EXPORTER_MAX_CONCURRENT", "hunter2")
	t.Setenv("IMAP_EXPORTER_DEMO_ENABLED", "hunter2")
	t.Setenv("IMAP_EXPORTER_LOG_FORMAT", "hunter2")
	_, err := config.Load(config.Options{
		File:  writeFile(t, "config.yaml", oneAccount),
		Flags: newFlags(t, "--log.level=hunter2", "--web.listen-address=hunter2", "--web.config.file=/nowhere"),
	})
	if err == nil {
		t.Fatal("accepted")
	}
	want := []string{
		"--web.listen-address: must be host:port or :port, with a port from 0 to 65535",
		"--web.config.file: /nowhere: no such file or directory",
		"--log.level: must be one of debug, info, warn, error",
		"IMAP_EXPORTER_LOG_FORMAT: must be one of logfmt, json",
		"IMAP_EXPORTER_MAX_CONCURRENT: must be a whole number from 0 to 10000",
		"IMAP_EXPORTER_DEMO_ENABLED: must be true or false",
	}
	if diff := cmp.Diff(want, strings.Split(err.Error(), "\n")); diff != "" {
		t.Errorf("errors (-want +got):\n%s", diff)
	}
}
