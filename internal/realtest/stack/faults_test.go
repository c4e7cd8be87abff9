package stack

import (
	"context"
	"crypto/tls"
	"encoding/pem"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"imap-exporter/internal/mailtest"
	"imap-exporter/internal/realtest/program"
)

// faults are exporters with something to alert on.
type faults struct {
	main, doomed *program.Process
	twins        [2]*program.Process // both say that they are the first of two
	file         string              // main's configuration
	accounts     map[string]string   // by server, each of which has one
}

// startFaults runs an exporter with the shipped demo and three faulty servers more, and three that are faulty themselves.
func startFaults(t *testing.T) *faults {
	t.Helper()
	shipped, err := os.ReadFile(filepath.Join(root, "config.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	f := &faults{file: filepath.Join(t.TempDir(), "config.yaml"), accounts: map[string]string{
		"demo:993": "demo-healthy", "demo-starttls:143": "demo-starttls",
	}}
	for _, name := range []string{"slow", "quota", "growing", "certificate", "rejected", "hanging", "busy"} {
		f.accounts["demo-"+name+":993"] = "demo-" + name
	}
	modules, accounts := f.added(t)
	write(t, f.file, strings.NewReplacer("interval: 10s", "interval: 5s", "timeout: 3s", "timeout: 5s",
		"\nmodules:\n", "\nmodules:\n"+modules, "\naccounts:\n", "\naccounts:\n"+accounts).Replace(string(shipped)))
	f.main = program.Start(t, program.Command(t, f.file, "--web.enable-lifecycle"))

	small := filepath.Join(t.TempDir(), "small.yaml")
	write(t, small, `
demo: {enabled: true}
modules:
  - {name: quick, interval: 5s, timeout: 5s}
accounts:
  - {name: one, server: demo, username: demo@example.org, password: canary-demo-secret, module: quick}
  - {name: two, server: demo, username: demo@example.org, password: canary-demo-secret, module: quick}
`)
	for i := range f.twins {
		f.twins[i] = program.Start(t, program.Command(t, small, "--shard=0", "--total-shards=2"))
	}
	f.doomed = program.Start(t, program.Command(t, small))
	return f
}

// added returns accounts on servers with faults that the demo has none of, and modules for them.
func (f *faults) added(t *testing.T) (modules, accounts string) {
	t.Helper()
	ca, err := mailtest.NewCA()
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "ca.pem")
	write(t, file, string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: ca.Certificate().Raw})))
	expired, err := ca.Issue(mailtest.CertOptions{Names: []string{"localhost"}, NotBefore: time.Now().Add(-48 * time.Hour), NotAfter: time.Now().Add(-time.Hour)})
	if err != nil {
		t.Fatal(err)
	}
	const account = "  - {name: %s, server: %q, username: demo@example.org, password: canary-demo-secret, module: %s}\n"
	const module = "  - {name: %s, interval: 5s, timeout: 5s, tls: %s, tls_config: {ca_file: %q, server_name: localhost}}\n"
	modules = fmt.Sprintf(module+module, "implicit", "implicit", file, "starttls", "starttls", file) +
		"  - {name: misnamed, interval: 5s, timeout: 5s, select: Nowhere}\n"
	accounts = fmt.Sprintf(account+account, "refused", "127.0.0.1:1", "implicit", "misnamed", "demo", "misnamed")
	f.accounts["127.0.0.1:1"] = "refused"

	start := func(name, mode string, o mailtest.Options) string {
		server, err := mailtest.Start(o)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = server.Close() })
		address := fmt.Sprintf("127.0.0.1:%d", server.Port())
		f.accounts[address] = name
		return fmt.Sprintf(account, name, address, mode)
	}
	valid, err := ca.Issue(mailtest.CertOptions{Names: []string{"localhost"}})
	if err != nil {
		t.Fatal(err)
	}
	old := mailtest.Data{Users: []*mailtest.User{mailtest.NewUser(time.Now().Add(-36 * time.Hour))}}
	accounts += start("expired", "implicit", mailtest.Options{TLS: serverTLS(expired)})
	accounts += start("stripped", "starttls", mailtest.Options{Mode: mailtest.ModePlain})
	accounts += strings.Replace(start("quiet", "implicit", mailtest.Options{TLS: serverTLS(valid), Data: old}),
		"}\n", ", labels: {expect_mail: daily}}\n", 1)
	return modules, accounts
}

func serverTLS(certificate tls.Certificate) *tls.Config {
	return &tls.Config{Certificates: []tls.Certificate{certificate}, MinVersion: tls.VersionTLS12}
}

// reloadNonsense has the main exporter reload a configuration that is none.
func (f *faults) reloadNonsense(ctx context.Context, t *testing.T) {
	t.Helper()
	write(t, f.file, "accounts: nonsense\n")
	status, err := f.main.Post(ctx, "/-/reload")
	if err != nil || status == http.StatusOK {
		t.Fatalf("reload: %d, %v, want an error", status, err)
	}
}

func write(t *testing.T, file, text string) {
	t.Helper()
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}
