package config_test

import (
	"crypto/tls"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"imap-exporter/internal/account"
	"imap-exporter/internal/config"
	"imap-exporter/probe"
)

func TestEveryKeyArrives(t *testing.T) {
	inTestdata(t)
	c, err := load(t, "every-key.good.yaml")
	if err != nil {
		t.Fatal(err)
	}
	if len(c.Accounts) != 2 || c.Accounts[1].Target.Account != "second" {
		t.Fatalf("accounts: %v", c.Accounts)
	}
	canary := c.Accounts[0]
	target := *canary.Target
	secret, err := target.Secret(t.Context())
	if err != nil || secret != "correct horse battery staple" {
		t.Errorf("secret %q, %v", secret, err)
	}
	if s := target.TLSConfig; s.ServerName != "mail.example.org" || s.MinVersion != tls.VersionTLS13 || s.RootCAs == nil ||
		len(s.Certificates) != 1 || s.InsecureSkipVerify || s.ClientSessionCache != nil || s.NextProtos != nil {
		t.Errorf("TLS configuration: %+v", s)
	}
	target.Secret, target.TLSConfig = nil, nil
	if diff := cmp.Diff(probe.Target{
		Account: "canary", Server: "imap.example.org:1143", Address: "imap.example.org:1143", Timeout: 90 * time.Second,
		IPFamily: probe.IPv6, TLSMode: probe.TLSStartTLS, Auth: probe.AuthSCRAMSHA256, AllowPlaintextAuth: true,
		Username: "canary@example.org", SendID: true, Select: "INBOX", Fetch: probe.FetchFull, FetchBytes: 1 << 20,
		Mailboxes: []string{"INBOX", "Archive/*"},
	}, target); diff != "" {
		t.Errorf("target (-want +got):\n%s", diff)
	}
	canary.Target, canary.Fingerprint, c.Accounts, c.Sources = nil, nil, nil, nil
	if diff := cmp.Diff(config.Account{Account: account.Account{
		Name: "canary", Server: "imap.example.org:1143", Interval: 5 * time.Minute, RetryInterval: 2 * time.Minute, Module: "slow", Labels: map[string]string{"team": "mail"},
	}}, canary, cmpopts.IgnoreUnexported(config.Account{})); diff != "" {
		t.Errorf("account (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(&config.Config{
		Web: config.Web{
			ListenAddress: "127.0.0.1:10993", ConfigFile: "web.yaml", AllowedHosts: []string{"exporter.example.org", "192.0.2.1"},
			DebugListenAddress: "localhost:10994", PrometheusURL: "https://prometheus.example.org", GrafanaURL: "https://grafana.example.org",
		}, Log: config.Log{Level: "debug", Format: "json"},
		MaxConcurrent: 8, MaxConcurrentPerServer: 4, Histograms: "native", Demo: true,
		Shard: config.Shard{Total: 1}, AllAccounts: 2,
	}, c, cmpopts.IgnoreUnexported(config.Config{})); diff != "" {
		t.Errorf("configuration (-want +got):\n%s", diff)
	}
}

func TestServers(t *testing.T) {
	inTestdata(t)
	for _, c := range []struct{ file, account, label, address, name string }{
		{"minimal.good.yaml", "canary", "imap.example.org:993", "imap.example.org:993", "imap.example.org"},
		{"starttls.good.yaml", "canary", "imap.example.org:143", "imap.example.org:143", "imap.example.org"},
		{"tls-none.good.yaml", "canary", "imap.example.org:143", "imap.example.org:143", ""},
		{"ipv6.good.yaml", "bare", "[2001:db8::1]:993", "[2001:db8::1]:993", "2001:db8::1"},
		{"ipv6.good.yaml", "brackets", "[2001:db8::1]:993", "[2001:db8::1]:993", "2001:db8::1"},
		{"ipv6.good.yaml", "port", "[2001:db8::1]:1993", "[2001:db8::1]:1993", "2001:db8::1"},
		{"ipv6.good.yaml", "zone", "[fe80::1%eth0]:993", "[fe80::1%eth0]:993", "fe80::1"},
		{"ipv6.good.yaml", "ipv4", "192.0.2.1:993", "192.0.2.1:993", "192.0.2.1"},
		{"demo.good.yaml", "healthy", "demo:993", "localhost:40000", "demo"},
		{"demo.good.yaml", "upgraded", "demo-starttls:143", "localhost:40004", "demo-starttls"},
	} {
		target := loadAccount(t, c.file, c.account).Target
		name := ""
		if target.TLSConfig != nil {
			name = target.TLSConfig.ServerName
		}
		if target.Server != c.label || target.Address != c.address || name != c.name {
			t.Errorf("%s %s: %s, %s, %s", c.file, c.account, target.Server, target.Address, name)
		}
	}
}

func TestDemoAuthorityIsForDemoServersAlone(t *testing.T) {
	file := writeFile(t, "config.yaml", `
demo: {enabled: true}
accounts:
  - {name: practice, server: demo, username: u, password: p}
  - {name: real, server: imap.example.org, username: u, password: p}
`)
	demo := newDemo()
	c, err := config.Load(config.Options{File: file, Demo: demo})
	if err != nil {
		t.Fatal(err)
	}
	if roots := c.Accounts[0].Target.TLSConfig.RootCAs; roots != demo.roots {
		t.Error("the demo server is not trusted by the demo's authority")
	}
	if c.Accounts[1].Target.TLSConfig.RootCAs != nil {
		t.Error("a real server is trusted by another authority than the system's")
	}
}

func TestOnDemandAndRetry(t *testing.T) {
	inTestdata(t)
	if a := loadAccount(t, "on-demand.good.yaml", "canary"); a.Interval != 0 || a.RetryInterval != 0 {
		t.Errorf("on demand: every %s, after a failure %s", a.Interval, a.RetryInterval)
	}
	if a := loadAccount(t, "default-module.good.yaml", "canary"); a.Interval != 30*time.Second || a.RetryInterval != a.Interval {
		t.Errorf("every %s, after a failure %s", a.Interval, a.RetryInterval)
	}
}

func TestAuthNoneStopsBeforeTheMailbox(t *testing.T) {
	inTestdata(t)
	target := loadAccount(t, "auth-none.good.yaml", "canary").Target
	if target.Select != "" || target.Fetch != probe.FetchNone || target.Mailboxes != nil || target.Quota {
		t.Errorf("%+v", target)
	}
}

// TestShippedFile loads config.yaml, and again with its example of an own server.
func TestShippedFile(t *testing.T) {
	const file = "../../config.yaml"
	c, err := load(t, file)
	if err != nil {
		t.Fatal(err)
	}
	if len(c.Accounts) < 8 || len(c.Warnings) > 0 || !c.Demo {
		t.Errorf("%d accounts, demo %v, warnings %v", len(c.Accounts), c.Demo, c.Warnings)
	}
	for _, a := range c.Accounts {
		if a.Interval != 10*time.Second || a.Target.Timeout != 3*time.Second || a.Target.ReadOnly {
			t.Errorf("%s: every %s, at most %s, read-only %v", a.Target.Account, a.Interval, a.Target.Timeout, a.Target.ReadOnly)
		}
	}
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	before, own, found := strings.Cut(string(data), "#  - name: canary")
	if !found {
		t.Fatal("no example of an own server")
	}
	copied := writeFile(t, "config.yaml", before+"  - name: canary"+strings.ReplaceAll(own, "\n#", "\n"))
	if err = os.WriteFile(filepath.Join(filepath.Dir(copied), "canary.password"), []byte("secret\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if a := loadAccount(t, copied, "canary"); a.Target.Server != "imap.example.org:993" {
		t.Errorf("server %s", a.Target.Server)
	}
}

func TestDescribe(t *testing.T) {
	file := writeFile(t, "config.yaml", `
demo: {enabled: true}
modules:
  - {name: default, mailboxes: [INBOX, Archive/*]}
  - {name: bare, tls: none, auth: none, interval: 0s, timeout: 1m}
accounts:
  - {name: canary, server: imap.example.org, username: u, password: hunter2}
  - {name: greeting, server: demo, module: bare}
`)
	c, err := load(t, file)
	if err != nil {
		t.Fatal(err)
	}
	var out strings.Builder
	if err := c.Describe(&out); err != nil {
		t.Fatal(err)
	}
	want := `ACCOUNT   SERVER                TLS       AUTH  INTERVAL   TIMEOUT  MAILBOXES
canary    imap.example.org:993  implicit  auto  1m         20s      INBOX, Archive/*
greeting  demo:143              none      none  on demand  1m       -
`
	if diff := cmp.Diff(want, out.String()); diff != "" {
		t.Errorf("table (-want +got):\n%s", diff)
	}
}
