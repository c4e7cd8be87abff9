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
	hangup := make(chan os.Signal, 1) // One pending signal is enough: the reload that it causes reads the newest files.
	signal.Notify(hangup, syscall.SIGHUP)
	defer signal.Stop(hangup)
	signal.Ignore(syscall.SIGPIPE) // Else the exporter would die with the reader of its log.
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

// readOptions returns the options that only flags set.
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
	if opts.ProbeMaxAge, err = flags.GetDuration("probe-max-age"); err != nil {
		return opts, err
	}
	if opts.ProbeMaxAge < 0 {
		return opts, errors.New("--probe-max-age: must not be negative")
	}
	if opts.AutoReload, err = flags.GetDuration("config.auto-reload-interval"); err != nil {
		return opts, err
	}
	if opts.AutoReload != 0 && opts.AutoReload < time.Second {
		return opts, errors.New("--config.auto-reload-interval: must be 0s, or at least 1s")
	}
	return opts, nil
}
