package exporter

import (
	"bytes"
	"context"
	"crypto/tls"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"imap-exporter/internal/config"
	"imap-exporter/internal/demo"
	"imap-exporter/internal/realtest/leak"
)

// A fault of the exporter's own, while it holds the password, is logged without it.
func TestPanicIsLoggedWithoutTheSecret(t *testing.T) {
	const secret = "canary-panic-secret"
	file := filepath.Join(t.TempDir(), "config.yaml")
	text := "log: {level: debug}\naccounts:\n  - {name: canary, server: demo, username: demo@example.org, password: " + secret + "}\ndemo: {enabled: true}\n"
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	demoServers, err := demo.New()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { demoServers.Close() })
	var log bytes.Buffer
	stderr := newLogWriter(&log)
	cfg, err := config.Load(config.Options{File: file, Demo: demoServers})
	if err != nil {
		t.Fatal(err)
	}
	e, err := newEngine(cfg, Options{}, stderr)
	if err != nil {
		t.Fatal(err)
	}
	target := *e.config.Load().Accounts[0].Target
	target.TLSConfig = target.TLSConfig.Clone()
	for _, value := range []any{"the password is " + secret, fmt.Errorf("the password is %q", secret), []byte(secret), struct{ Password string }{secret}} {
		target.TLSConfig.VerifyConnection = func(tls.ConnectionState) error { panic(value) }
		if e.probe(t.Context(), &target, true, target.Timeout).OK {
			t.Error("the probe succeeded")
		}
	}
	target.Secret = func(context.Context) (string, error) { panic("the password is " + secret) }
	e.probe(t.Context(), &target, true, target.Timeout)
	stderr.Close()
	if n := strings.Count(log.String(), "reason=internal"); n < 5 {
		t.Errorf("%d panics in the log:\n%s", n, &log)
	}
	if found, line := leak.Find(log.Bytes()); line > 0 {
		t.Errorf("line %d of the log has a password: %s", line, found)
	}
}
