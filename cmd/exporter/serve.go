package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"time"

	"github.com/prometheus/common/version"
	toolkit "github.com/prometheus/exporter-toolkit/web"
	"github.com/spf13/cobra"
	"golang.org/x/sync/errgroup"

	"imap-exporter/internal/mailtest"
	"imap-exporter/internal/web"
	"imap-exporter/internal/wire"
)

// grace is how long running probes and requests may go on after a signal. What remains is cut.
const grace = 3 * time.Second

// runServe is the command without a subcommand.
func runServe(cmd *cobra.Command, _ []string) error {
	demo, err := mailtest.NewDemo()
	if err != nil {
		return err
	}
	defer demo.Close()
	cfg, err := loadConfig(cmd, demo)
	if err != nil {
		return err
	}
	if err := checkWebConfig(cfg.Web.ConfigFile); err != nil {
		return err
	}
	logger, err := newLogger(cfg.Log, cmd.ErrOrStderr())
	if err != nil {
		return err
	}
	release, err := wire.KeepTimestamps()
	if err != nil {
		logger.WarnContext(cmd.Context(), "Times may be less true on a busy machine", "err", err)
	}
	defer release()
	exporter, err := newExporter(cfg, logger)
	if err != nil {
		return err
	}
	var listen net.ListenConfig
	listener, err := listen.Listen(cmd.Context(), "tcp", cfg.Web.ListenAddress)
	if err != nil {
		return fmt.Errorf("can't serve metrics: %w", err)
	}
	return exporter.serve(cmd.Context(), listener)
}

// serve probes the accounts and serves the results until ctx ends, then stops both in good order.
func (e *exporter) serve(ctx context.Context, listener net.Listener) error {
	e.logger.InfoContext(ctx, "Starting", "version", version.Info(), "accounts", len(e.config.Accounts))
	for _, warning := range e.config.Warnings {
		e.logger.WarnContext(ctx, "Doubtful configuration", "warning", warning)
	}
	server := web.NewServer(e.pages())
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error {
		e.ready.Store(true)
		e.schedule.Run(ctx)
		counts := e.schedule.Counts()
		e.logger.InfoContext(ctx, "Schedule stopped", "probes_started", counts.Started, "probes_skipped", counts.Scheduled-counts.Started)
		return nil
	})
	group.Go(func() error {
		err := toolkit.Serve(listener, server, &toolkit.FlagConfig{WebConfigFile: &e.config.Web.ConfigFile}, e.logger)
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
