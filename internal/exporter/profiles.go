package exporter

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"

	"imap-exporter/internal/web"
)

// listenForProfiles opens the loopback port for profiles; nil if none is configured.
func listenForProfiles(ctx context.Context, address string) (net.Listener, error) {
	if address == "" {
		return nil, nil
	}
	listener, err := listen(ctx, address, "--web.debug-listen-address")
	if err != nil {
		return nil, fmt.Errorf("can't serve profiles: %w", err)
	}
	if bound, ok := listener.Addr().(*net.TCPAddr); !ok || !bound.IP.IsLoopback() { // localhost may be anything.
		_ = listener.Close()
		return nil, fmt.Errorf("can't serve profiles: %s is %s, which is not on loopback", address, listener.Addr())
	}
	return listener, nil
}

// serveProfiles serves profiles until ctx ends, and cuts off requests that wait for one then.
func (e *engine) serveProfiles(ctx context.Context, listener net.Listener) error {
	if listener == nil {
		return nil
	}
	e.logger.InfoContext(ctx, "Serving profiles", "address", listener.Addr())
	server := web.NewDebugServer(listener.Addr(), e.logger)
	stop := context.AfterFunc(ctx, func() { _ = server.Close() })
	defer stop()
	if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("can't serve profiles: %w", err)
	}
	return nil
}
