package realtest

import (
	"context"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// An AlertServer is a running Alertmanager.
type AlertServer struct{ Tool }

// An Alert is an unresolved alert in an Alertmanager.
type Alert struct {
	Labels      map[string]string
	Annotations map[string]string
	StartsAt    time.Time
}

// Alertmanager runs Alertmanager with the given alertmanager.yml, on a fresh directory and without a cluster.
func Alertmanager(t testing.TB, config string) *AlertServer {
	t.Helper()
	require(t, "Alertmanager", "alertmanager")
	a, stop, err := StartAlertmanager(t.Context(), config)
	t.Cleanup(stop)
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("really running Alertmanager %s", a.Version)
	return a
}

// StartAlertmanager is Alertmanager for programs that are no tests. Call the returned stop even after an error.
// It runs in a copy of its root directory, as the mail servers do, because Debian's looks for its templates in /usr/share.
func StartAlertmanager(ctx context.Context, config string) (a *AlertServer, stop func(), err error) {
	root, remove, err := newRoot(ctx, "alertmanager")
	if err != nil {
		return nil, remove, err
	}
	if err := os.WriteFile(filepath.Join(root, "alertmanager.yml"), []byte(config), 0o600); err != nil {
		return nil, remove, err
	}
	s, err := startTool(ctx, root, "/usr/bin/prometheus-alertmanager", "/-/ready", []string{
		"--config.file=/alertmanager.yml", "--storage.path=/alerts", "--cluster.listen-address=",
	})
	return &AlertServer{s}, func() { s.stop(); remove() }, err
}

// Amtool returns the path of amtool.
func Amtool(t testing.TB) string {
	t.Helper()
	return findTool(t, "alertmanager", "amtool")
}

// Alerts returns the alerts that are active: neither resolved, nor silenced, nor inhibited.
func (a *AlertServer) Alerts(ctx context.Context) ([]Alert, error) {
	var alerts []Alert
	err := a.get(ctx, "/api/v2/alerts?active=true&silenced=false&inhibited=false", &alerts)
	return alerts, err
}
