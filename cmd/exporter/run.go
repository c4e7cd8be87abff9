package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/prometheus/common/version"
	"github.com/spf13/cobra"

	"imap-exporter/internal/config"
	"imap-exporter/internal/exporter"
)

// run is the program: it carries out what args ask for until that is done or ctx ends, and returns the exit status.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	cmd := newCommand()
	cmd.SetArgs(args)
	cmd.SetOut(stdout)
	cmd.SetErr(stderr)
	err := checkDashes(cmd, args)
	if err == nil {
		err = cmd.ExecuteContext(ctx)
	}
	if err != nil {
		status, silent := statusOf(err)
		if !silent {
			printError(stderr, err)
		}
		return status
	}
	return 0
}

// printError prints an error line by line. Problems of the configuration begin with file:line, which editors follow;
// everything else begins with the program's name.
func printError(stderr io.Writer, err error) {
	prefix := "imap-exporter: "
	if _, ok := errors.AsType[*configError](err); ok {
		prefix = ""
	}
	for line := range strings.Lines(err.Error()) {
		fmt.Fprintf(stderr, "%s%s\n", prefix, strings.TrimSuffix(line, "\n"))
	}
}

// newCommand returns the command with its flags and subcommands.
func newCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "imap-exporter",
		Short: "Measure IMAP servers, and serve the results to Prometheus",
		Long: "imap-exporter logs in to the accounts of its configuration on a schedule, measures each step of the\n" +
			"conversation on the wire, and serves the results at /metrics.",
		Version:       version.Print("imap-exporter"),
		Args:          noCommandArgs,
		RunE:          runServe,
		SilenceErrors: true,
		SilenceUsage:  true,
	}
	cmd.SetVersionTemplate("{{.Version}}\n")
	cmd.SuggestionsMinimumDistance = 2
	cmd.SetFlagErrorFunc(explainFlagError)
	flags := cmd.PersistentFlags()
	flags.String("config.file", config.DefaultFile, "configuration `file`")
	flags.Duration("config.auto-reload-interval", 0, "`time` between looks for a changed configuration, such as 30s; 0s: never")
	config.AddFlags(flags)
	flags.Bool("web.enable-lifecycle", false, "reload the configuration on POST /-/reload, too, not only on SIGHUP")
	flags.String("shard", "0", "which `number` of --total-shards this one is, from 0 on; auto: as the host name ends, imap-exporter-0")
	flags.String("total-shards", "1", "`number` of exporters that share the accounts of one configuration")
	flags.String("spread-seed", "", "`text` that makes probes start at other moments than those of another exporter with the same accounts")
	flags.SortFlags = false
	cmd.Flags().Duration("timeout-offset", 500*time.Millisecond, "`time` that a probe for Prometheus ends before the scrape does, at /probe")
	cmd.AddCommand(newCheckCommand(), newProbeCommand(), newInitCommand(), newHealthcheckCommand(), newManCommand())
	return cmd
}

// loadConfig loads the configuration that the flags of a command name, and validates what it refers to.
func loadConfig(cmd *cobra.Command, demo config.Demo) (*config.Config, error) {
	cfg, err := config.Load(config.Options{Flags: cmd.Flags(), Demo: demo})
	if err != nil {
		return nil, &configError{err}
	}
	if err := exporter.ValidateWebConfig(cfg.Web.ConfigFile); err != nil {
		return nil, err
	}
	return cfg, nil
}

// A configError is what is wrong with the configuration.
type configError struct{ error }
