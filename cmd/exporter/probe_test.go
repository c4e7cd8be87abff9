package main

import (
	"bytes"
	"context"
	"strings"
	"sync/atomic"
	"testing"

	"go.uber.org/goleak"

	"imap-exporter/internal/config"
	"imap-exporter/internal/demo"
	"imap-exporter/internal/mailtest"
	"imap-exporter/internal/realtest/leak"
)

// The shipped configuration has an account that fails: every format shows all accounts, and exits as it should.
func TestProbeShippedConfiguration(t *testing.T) {
	defer goleak.VerifyNone(t, goleak.IgnoreCurrent())
	demoServers, err := demo.New()
	if err != nil {
		t.Fatal(err)
	}
	cfg, err := config.Load(config.Options{File: shipped, Demo: idleDemo{demoServers}})
	if err != nil {
		t.Fatal(err)
	}
	for format, want := range map[string]int{"text": 1, "json": 1, "prom": 1, "nagios": 2} {
		var stdout, stderr bytes.Buffer
		status := run(t.Context(), []string{"probe", "--all", "--transcript", "--config.file=" + shipped, "-o", format}, &stdout, &stderr)
		if status != want || stderr.Len() > 0 {
			t.Errorf("%s: status %d, want %d: %s", format, status, want, &stderr)
		}
		for _, a := range cfg.Accounts {
			if !strings.Contains(stdout.String(), a.Name) {
				t.Errorf("%s doesn't show %s", format, a.Name)
			}
		}
		if password, line := leak.Find(stdout.Bytes()); line > 0 {
			t.Errorf("%s shows a password: %s", format, password)
		}
		if err := parseNagios(stdout.String(), "CRITICAL"); (err == nil) != (format == "nagios") {
			t.Errorf("%s: %v", format, err)
		}
	}
}

// Ctrl-C ends what runs, at once, and says what wasn't probed.
func TestProbeIsCanceled(t *testing.T) {
	defer goleak.VerifyNone(t, goleak.IgnoreCurrent())
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var count atomic.Int64
	server, err := mailtest.Start(connections(&count, map[string]mailtest.Handler{"EXAMINE": func(c *mailtest.Conn, _ mailtest.Command) error {
		cancel()
		return c.Hang()
	}}))
	if err != nil {
		t.Fatal(err)
	}
	defer server.Close()
	file := stormFile{t.TempDir(), server.Addr()}
	if err := file.write(file.text("2s", "")); err != nil {
		t.Fatal(err)
	}
	var stdout, stderr bytes.Buffer
	status := run(ctx, []string{"probe", "--all", "--config.file=" + file.folder + "/config.yaml"}, &stdout, &stderr)
	if n := strings.Count(stdout.String(), "  not probed: canceled\n"); status != 1 || n != stormAccounts {
		t.Errorf("status %d, %d accounts not probed:\n%s%s", status, n, &stdout, &stderr)
	}
}
