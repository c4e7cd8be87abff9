// Command demostack runs the exporter with the shipped demo, a Prometheus that has our rules and eight days of past, and
// an Alertmanager, on loopback, until it is interrupted. It is for looking at rules and queries while working on them;
// `make stack` runs it. Grafana is not among Debian's packages: deploy/compose has it, and any Grafana can be pointed at
// the Prometheus that this one starts.
package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"

	"imap-exporter/internal/realtest"
	"imap-exporter/internal/realtest/demohistory"
)

// address is where the exporter listens, and its label instance.
const address = "127.0.0.1:10993"

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx)
	stop()
	if err != nil && !errors.Is(err, context.Canceled) {
		fmt.Fprintln(os.Stderr, "demostack:", err)
		os.Exit(1)
	}
}

// run starts all of it, from the repository's root, and waits for the end of ctx, or of the exporter.
func run(ctx context.Context) error {
	dir, err := os.MkdirTemp("", "demostack-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	exporter, stop, err := startExporter(ctx, dir)
	if err != nil {
		return err
	}
	defer stop()

	fmt.Println("making eight days of past: this takes half a minute")
	promtool, err := realtest.FindTool("prometheus", "promtool")
	if err != nil {
		return fmt.Errorf("%w: `make servers` installs it", err)
	}
	past := demohistory.Options{Config: "config.yaml", Job: "imap", Instance: address, End: time.Now()}
	if err := demohistory.Backfill(ctx, promtool, filepath.Join(dir, "data"), past); err != nil {
		return err
	}
	alertmanager, stop, err := realtest.StartAlertmanager(ctx, "route: {receiver: nobody}\nreceivers: [{name: nobody}]\n")
	defer stop()
	if err != nil {
		return err
	}
	rules, err := filepath.Abs("dashboards/rules")
	if err != nil {
		return err
	}
	prometheus, stop, err := realtest.StartPrometheus(ctx, dir, fmt.Sprintf(prometheusConfig,
		filepath.Join(rules, "*.yaml"), alertmanager.URL[len("http://"):], address))
	defer stop()
	if err != nil {
		return err
	}
	fmt.Printf("exporter      http://%s\nPrometheus    %s\nAlertmanager  %s\nCtrl-C ends them.\n",
		address, prometheus.URL, alertmanager.URL)
	select {
	case <-ctx.Done():
		return nil
	case err := <-exporter:
		return fmt.Errorf("the exporter ended: %w", err)
	}
}

const prometheusConfig = `
global: {scrape_interval: 15s, evaluation_interval: 15s}
rule_files: [%q]
alerting: {alertmanagers: [{static_configs: [{targets: [%q]}]}]}
scrape_configs:
  - {job_name: imap, static_configs: [{targets: [%q]}]}
`

// startExporter builds the program, runs it, and waits until it is ready. ended tells when it has ended by itself.
func startExporter(ctx context.Context, dir string) (ended <-chan error, stop func(), err error) {
	binary := filepath.Join(dir, "exporter")
	if out, err := exec.CommandContext(ctx, "go", "build", "-o", binary, "./cmd/exporter").CombinedOutput(); err != nil {
		return nil, nil, fmt.Errorf("building the exporter: %w\n%s", err, out)
	}
	ctx, cancel := context.WithCancel(ctx)
	cmd := exec.CommandContext(ctx, binary, "--web.listen-address="+address)
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
	cmd.Stderr = os.Stderr
	if err := cmd.Start(); err != nil {
		cancel()
		return nil, nil, err
	}
	exit := make(chan error, 1)
	done := make(chan struct{})
	go func() {
		exit <- cmd.Wait()
		close(done)
	}()
	stop = func() {
		cancel()
		<-done
	}
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for !ready(ctx) {
		select {
		case err := <-exit:
			cancel()
			return nil, nil, fmt.Errorf("the exporter doesn't start: %w", err)
		case <-tick.C:
		}
	}
	return exit, stop, nil
}

func ready(ctx context.Context) bool {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+address+"/-/ready", nil)
	if err != nil {
		return false
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return false
	}
	_ = resp.Body.Close()
	return resp.StatusCode == http.StatusOK
}
