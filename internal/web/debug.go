package web

import (
	"log/slog"
	"net"
	"net/http"
	"net/http/pprof"
	"time"
)

// debugWriteTimeout is how long a profile may take: those of time take as long as they are asked to.
const debugWriteTimeout = 2 * time.Minute

// NewDebugServer returns a server of profiles of the program, yet to be started, for the listener at the given address of
// loopback. It shows no arguments of the program (/debug/pprof/cmdline), nor can it be made to by another name of this
// machine. What it shows has no content of memory.
func NewDebugServer(bound net.Addr, logger *slog.Logger) *http.Server {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /debug/pprof/", pprof.Index)
	mux.HandleFunc("GET /debug/pprof/profile", pprof.Profile)
	mux.HandleFunc("GET /debug/pprof/trace", pprof.Trace)
	mux.HandleFunc("GET /debug/pprof/symbol", pprof.Symbol)
	mux.Handle("GET /debug/pprof/cmdline", http.NotFoundHandler())
	server := &http.Server{
		Handler:           withSecurityHeaders(withHostCheck(limitInFlight(pagesInFlight, busyText)(mux), bound, nil)),
		ReadHeaderTimeout: readTimeout,
		ReadTimeout:       readTimeout,
		WriteTimeout:      debugWriteTimeout,
		IdleTimeout:       idleTimeout,
		MaxHeaderBytes:    maxHeaderBytes,
		ErrorLog:          slog.NewLogLogger(logger.Handler(), slog.LevelError),
	}
	limitConnections(server, maxConnections)
	return server
}
