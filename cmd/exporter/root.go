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

// run runs the command line until it is done or ctx ends, and returns the exit status.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	cmd := newRootCommand()
	cmd.SetArgs(args)
	cmd.SetOut(stdout)
	cmd.SetErr(stderr)
	err := checkDashes(cmd, args)
	if err == nil {
		err = cmd.ExecuteContext(ctx)
	}
	if err != nil {
		status, printed := exitStatusOf(err)
		if !printed {
			printError(stderr, err)
		}
		return status
	}
	return 0
}

// printError prints an error line by line. Mistakes in the configuration begin with file:line, so that editors can jump there;
// other errors begin with the program's name.
func printError(stderr io.Writer, err error) {
	prefix := "imap-exporter: "
	if _, ok := errors.AsType[*configError](err); ok {
		prefix = ""
	}
	for line := range strings.Lines(err.Error()) {
		fmt.Fprintf(stderr, "%s%s\n", prefix, strings.TrimSuffix(line, "\n"))
	}
}

// newRootCommand returns the command without a subcommand, which serves, and its subcommands.
func newRootCommand() *cobra.Command {
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
	flags.Duration("config.auto-reload-interval", 0, "how `often` to look for a changed configuration, such as 30s; 0s: never")
	config.AddFlags(flags)
	flags.Bool("web.enable-lifecycle", false, "also reload the configuration on POST /-/reload, not only on SIGHUP")
	flags.String("shard", "0", "`number` of this shard, from 0 to --total-shards minus 1; auto: the number at the end of the host name, such as imap-exporter-0")
	flags.String("total-shards", "1", "`number` of exporters that share the accounts of one configuration, each of which probes its part")
	flags.String("spread-seed", "", "`text` that makes this exporter probe at other times than another exporter with the same accounts")
	flags.SortFlags = false
	cmd.Flags().Duration("timeout-offset", 500*time.Millisecond, "how `long` before the timeout of a scrape of /probe its probe ends")
	cmd.Flags().Duration("probe-max-age", 5*time.Second, "how `old` a probe for /probe may be to answer another request, unless it took longer")
	cmd.AddCommand(newCheckCommand(), newProbeCommand(), newInitCommand(), newHealthcheckCommand(), newManCommand())
	return cmd
}

// loadConfig loads the configuration file that a command's flags name, and validates it and the web configuration file.
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

// A configError lists the mistakes in the configuration. Each line names its own place.
type configError struct{ error }
