package exporter

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"time"

	"github.com/prometheus/common/version"
	"golang.org/x/sync/errgroup"

	"imap-exporter/internal/web"
	"imap-exporter/internal/wire"
)

// grace is how long running probes and requests may go on after ctx has ended. The rest is canceled.
const grace = 3 * time.Second

// Run probes the accounts of a configuration and serves the results, until ctx ends or an error occurs.
func Run(ctx context.Context, opts Options) error {
	stderr := newLogWriter(opts.Stderr)
	defer stderr.Close()
	cfg, err := loadUntil(ctx, opts.Load)
	if err != nil {
		return err
	}
	e, err := newEngine(cfg, opts, stderr)
	if err != nil {
		return err
	}
	release, err := wire.KeepTimestamps()
	if err != nil {
		e.logger.WarnContext(ctx, "Durations may be less accurate on a busy machine", "err", err)
	}
	defer release()
	listener, err := listen(ctx, e.config.Load().Web.ListenAddress, "--web.listen-address")
	if err != nil {
		return fmt.Errorf("can't serve metrics: %w", err)
	}
	profiles, err := listenForProfiles(ctx, e.config.Load().Web.DebugListenAddress)
	if err != nil {
		_ = listener.Close()
		return err
	}
	return e.serve(ctx, listener, profiles)
}

// listen listens on an address. Its error names the flag with which to choose another.
func listen(ctx context.Context, address, flag string) (net.Listener, error) {
	var config net.ListenConfig
	listener, err := config.Listen(ctx, "tcp", address)
	if err != nil {
		return nil, fmt.Errorf("%w: choose another address with %s", err, flag)
	}
	return listener, nil
}

// serve probes the accounts and serves the results until ctx ends, then stops both gracefully.
func (e *engine) serve(ctx context.Context, listener, profiles net.Listener) error {
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
	// Nobody waits for its end: reading a file may take forever, as on a network file system whose server is gone.
	go e.reloadWhenAsked(ctx)
	group.Go(func() error { return e.serveProfiles(ctx, profiles) })
	group.Go(func() error {
		logger := slog.New(redactingHandler{e.logger.Handler()})
		err := serveWeb(listener, server, cfg.Web.ConfigFile, logger)
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

// shutDown accepts no more connections, and closes those that are still open after the grace.
func shutDown(ctx context.Context, server *web.Server) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), grace)
	defer cancel()
	if err := server.Shutdown(ctx); !errors.Is(err, context.DeadlineExceeded) {
		return err
	}
	return server.Close()
}
