package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/prometheus/common/version"
	toolkit "github.com/prometheus/exporter-toolkit/web"
	"github.com/spf13/cobra"
	"golang.org/x/sync/errgroup"

	"imap-exporter/internal/config"
	"imap-exporter/internal/demo"
	"imap-exporter/internal/web"
	"imap-exporter/internal/wire"
)

// grace is how long running probes and requests may go on after a signal. What remains is cut.
const grace = 3 * time.Second

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
	opts.stderr = newLogWriter(cmd.ErrOrStderr())
	defer opts.stderr.Close()
	opts.hangup = hangup
	opts.load = func() (*config.Config, error) { return loadConfig(cmd, demoServers) }
	exporter, err := newExporter(opts)
	if err != nil {
		return err
	}
	release, err := wire.KeepTimestamps()
	if err != nil {
		exporter.logger.WarnContext(cmd.Context(), "Times may be less true on a busy machine", "err", err)
	}
	defer release()
	var listen net.ListenConfig
	listener, err := listen.Listen(cmd.Context(), "tcp", exporter.config.Load().Web.ListenAddress)
	if err != nil {
		return fmt.Errorf("can't serve metrics: %w", err)
	}
	profiles, err := listenForProfiles(cmd.Context(), exporter.config.Load().Web.DebugListenAddress)
	if err != nil {
		_ = listener.Close()
		return err
	}
	return exporter.serve(cmd.Context(), listener, profiles)
}

// readOptions returns what only flags say.
func readOptions(cmd *cobra.Command) (opts options, err error) {
	flags := cmd.Flags()
	if opts.lifecycle, err = flags.GetBool("web.enable-lifecycle"); err != nil {
		return opts, err
	}
	if opts.spreadSeed, err = flags.GetString("spread-seed"); err != nil {
		return opts, err
	}
	if opts.timeoutOffset, err = flags.GetDuration("timeout-offset"); err != nil {
		return opts, err
	}
	if opts.timeoutOffset < 0 {
		return opts, errors.New("--timeout-offset: must not be negative")
	}
	if opts.autoReload, err = flags.GetDuration("config.auto-reload-interval"); err != nil {
		return opts, err
	}
	if opts.autoReload != 0 && opts.autoReload < time.Second {
		return opts, errors.New("--config.auto-reload-interval: must be 0s, or at least 1s")
	}
	return opts, nil
}

// serve probes the accounts and serves the results until ctx ends, then stops both in good order.
func (e *exporter) serve(ctx context.Context, listener, profiles net.Listener) error {
	cfg := e.config.Load()
	e.logger.InfoContext(ctx, "Starting", "version", version.Info(), "accounts", len(cfg.Accounts),
		"shard", cfg.Shard.Index, "shards", cfg.Shard.Total)
	e.logWarnings(ctx, cfg.Warnings)
	pages := e.pages()
	pages.Bound, pages.AllowedHosts = listener.Addr(), cfg.Web.AllowedHosts
	server := web.NewServer(pages)
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error {
		e.ready.Store(true)
		e.schedule.Run(ctx)
		counts := e.schedule.Counts()
		e.logger.InfoContext(ctx, "Schedule stopped", "probes_started", counts.Started, "probes_skipped", counts.Scheduled-counts.Started)
		return nil
	})
	group.Go(func() error {
		e.reloadOnDemand(ctx)
		return nil
	})
	group.Go(func() error { return e.serveProfiles(ctx, profiles) })
	group.Go(func() error {
		logger := slog.New(valueless{e.logger.Handler()})
		err := toolkit.Serve(listener, server, &toolkit.FlagConfig{WebConfigFile: &cfg.Web.ConfigFile}, logger)
		if errors.Is(err, http.ErrServerClosed) {
			return nil
		}
		return fmt.Errorf("can't serve metrics: %w", err)
	})
	group.Go(func() error {
		<-ctx.Done()
		e.ready.Store(false)
		e.logger.InfoContext(ctx, "Stopping", "grace", grace)
		return shutDown(ctx, server)
	})
	return group.Wait()
}

// shutDown accepts no more connections, and closes those that are not done after the grace.
func shutDown(ctx context.Context, server *http.Server) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), grace)
	defer cancel()
	if err := server.Shutdown(ctx); !errors.Is(err, context.DeadlineExceeded) {
		return err
	}
	return server.Close()
}
