package main

import (
	"crypto/x509"
	"fmt"

	"github.com/spf13/cobra"

	"imap-exporter/internal/config"
	"imap-exporter/internal/demo"
	"imap-exporter/internal/format"
)

// newCheckCommand returns the subcommand that validates a configuration. Without --live it uses no network.
func newCheckCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "check",
		Short: "Validate the configuration, and print what would be probed",
		Long: "check validates the configuration and prints what would be probed, without probing. With --live it also probes\n" +
			"each account once and prints how each probe went. It exits with 0 if all is well, else with 1.",
		Args: cobra.NoArgs,
		RunE: runCheck,
	}
	cmd.Flags().Bool("live", false, "also probe each account once")
	return cmd
}

func runCheck(cmd *cobra.Command, _ []string) error {
	live, err := cmd.Flags().GetBool("live")
	if err != nil {
		return err
	}
	demoServers, err := demo.New()
	if err != nil {
		return err
	}
	defer demoServers.Close()
	var servers config.Demo = idleDemo{demoServers}
	if live {
		servers = demoServers
	}
	cfg, err := loadConfig(cmd, servers)
	if err != nil {
		return err
	}
	for _, warning := range cfg.Warnings {
		fmt.Fprintf(cmd.ErrOrStderr(), "warning: %s\n", warning)
	}
	if live {
		return checkLive(cmd, cfg)
	}
	return cfg.Describe(cmd.OutOrStdout())
}

// checkLive probes each account once and prints a line for each.
func checkLive(cmd *cobra.Command, cfg *config.Config) error {
	probes := make([]format.Probe, len(cfg.Accounts))
	for i := range cfg.Accounts {
		probes[i] = newProbe(&cfg.Accounts[i], cfg.Accounts[i].Target)
	}
	failed := 0
	progress := newProgress(cmd, len(probes))
	err := probeOnce(cmd, probes, concurrency{cfg.MaxConcurrent, cfg.MaxConcurrentPerServer}, func(p *format.Probe) error {
		if !p.OK() {
			failed++
		}
		return progress.step(p.OK(), func() error { return format.Summary(cmd.OutOrStdout(), *p) })
	})
	switch {
	case err != nil:
		return err
	case failed > 0:
		return fmt.Errorf("%d of %d accounts failed", failed, len(probes))
	}
	return nil
}

// An idleDemo knows the names of the embedded mail servers, and starts none of them.
type idleDemo struct{ *demo.Servers }

// Lookup returns an address that nothing listens on.
func (idleDemo) Lookup(string) (address string, roots *x509.CertPool, err error) {
	return "localhost:0", x509.NewCertPool(), nil
}
