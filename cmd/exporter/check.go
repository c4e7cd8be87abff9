package main

import (
	"crypto/x509"
	"fmt"

	"github.com/spf13/cobra"

	"imap-exporter/internal/mailtest"
)

// newCheckCommand returns the subcommand that judges a configuration and touches no network.
func newCheckCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "check",
		Short: "Validate the configuration, and print what would be probed",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			demo, err := mailtest.NewDemo()
			if err != nil {
				return err
			}
			defer demo.Close()
			cfg, err := loadConfig(cmd, idleDemo{demo})
			if err != nil {
				return err
			}
			for _, warning := range cfg.Warnings {
				fmt.Fprintf(cmd.ErrOrStderr(), "warning: %s\n", warning)
			}
			return cfg.Describe(cmd.OutOrStdout())
		},
	}
}

// An idleDemo knows the embedded mail servers, and starts none.
type idleDemo struct{ *mailtest.Demo }

// Lookup returns an address that nothing listens on.
func (idleDemo) Lookup(string) (address string, roots *x509.CertPool, err error) {
	return "localhost:0", x509.NewCertPool(), nil
}
