package main

import (
	"errors"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"imap-exporter/internal/config"
	"imap-exporter/internal/demo"
	"imap-exporter/internal/exporter"
)

// runServe is the command without a subcommand.
func runServe(cmd *cobra.Command, _ []string) error {
	hangup := make(chan os.Signal, 1) // Signals that come while one waits ask for the same.
	signal.Notify(hangup, syscall.SIGHUP)
	defer signal.Stop(hangup)
	signal.Ignore(syscall.SIGPIPE) // Else the end of whoever reads the log would be ours.
	defer signal.Reset(syscall.SIGPIPE)

	demoServers, err := demo.New()
	if err != nil {
		return err
	}
	defer demoServers.Close()
	opts, err := readOptions(cmd)
	if err != nil {
		return err
	}
	opts.Stderr, opts.Hangup = cmd.ErrOrStderr(), hangup
	opts.Load = func() (*config.Config, error) { return loadConfig(cmd, demoServers) }
	return exporter.Run(cmd.Context(), opts)
}

// readOptions returns what only flags say.
func readOptions(cmd *cobra.Command) (opts exporter.Options, err error) {
	flags := cmd.Flags()
	if opts.Lifecycle, err = flags.GetBool("web.enable-lifecycle"); err != nil {
		return opts, err
	}
	if opts.SpreadSeed, err = flags.GetString("spread-seed"); err != nil {
		return opts, err
	}
	if opts.TimeoutOffset, err = flags.GetDuration("timeout-offset"); err != nil {
		return opts, err
	}
	if opts.TimeoutOffset < 0 {
		return opts, errors.New("--timeout-offset: must not be negative")
	}
	if opts.AutoReload, err = flags.GetDuration("config.auto-reload-interval"); err != nil {
		return opts, err
	}
	if opts.AutoReload != 0 && opts.AutoReload < time.Second {
		return opts, errors.New("--config.auto-reload-interval: must be 0s, or at least 1s")
	}
	return opts, nil
}
