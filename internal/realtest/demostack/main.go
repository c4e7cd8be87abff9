// Command demostack runs the exporter with the shipped demo, a Prometheus with our rules and eight days of generated history,
// and an Alertmanager, on loopback, until it is interrupted. Use it while working on rules and queries; `make stack` runs
// it. Debian has no package of Grafana: deploy/compose has it, and any Grafana can use the Prometheus that this command
// starts.
package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"

	"imap-exporter/internal/realtest"
	"imap-exporter/internal/realtest/demohistory"
	"imap-exporter/internal/realtest/program"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx)
	interrupted := ctx.Err() != nil
	stop()
	if err != nil && !interrupted {
		fmt.Fprintln(os.Stderr, "demostack:", err)
		os.Exit(1)
	}
}

// run starts all of it, from the repository's root, and waits for the end of ctx.
func run(ctx context.Context) error {
	dir, err := os.MkdirTemp("", "demostack-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	binary, err := program.Build()
	if err != nil {
		return err
	}
	exporter, err := program.Launch(ctx, exec.Command(binary, "--config.file=config.yaml"))
	if err != nil {
		return err
	}
	defer exporter.Kill()
	promtool, err := realtest.FindTool("prometheus", "promtool")
	if err != nil {
		return fmt.Errorf("%w: `make servers` installs it", err)
	}
	fmt.Println("making eight days of past; this takes a minute")
	past := demohistory.Options{Config: "config.yaml", Job: "imap", Instance: host(exporter.URL), End: time.Now()}
	if err := demohistory.Backfill(ctx, promtool, filepath.Join(dir, "data"), past); err != nil {
		return err
	}
	alertmanager, stop, err := realtest.StartAlertmanager(ctx, "route: {receiver: nobody}\nreceivers: [{name: nobody}]\n")
	defer stop()
	if err != nil {
		return err
	}
	rules, err := filepath.Abs("dashboards/rules/*.yaml")
	if err != nil {
		return err
	}
	prometheus, stop, err := realtest.StartPrometheus(ctx, dir,
		fmt.Sprintf(prometheusConfig, rules, host(alertmanager.URL), host(exporter.URL)))
	defer stop()
	if err != nil {
		return err
	}
	fmt.Printf("exporter      %s\nPrometheus    %s\nAlertmanager  %s/api/v2/alerts\nCtrl-C ends them.\n",
		exporter.URL, prometheus.URL, alertmanager.URL)
	<-ctx.Done()
	return nil
}

const prometheusConfig = `
global: {scrape_interval: 15s, evaluation_interval: 15s}
rule_files: [%q]
alerting: {alertmanagers: [{static_configs: [{targets: [%q]}]}]}
scrape_configs:
  - {job_name: imap, static_configs: [{targets: [%q]}]}
`

func host(url string) string { return url[len("http://"):] }
