package web

import (
	"fmt"
	"log/slog"
	"net"
	"net/http"
)

// A Server is an HTTP/1.1 server that slow, greedy or many clients can't hold up. It is to be started by Serve or ServeTLS, once;
// an authentication may have been put around Handler before.
type Server struct {
	*http.Server
	connections *connLimiter
	passwords   *passwordLimiter
}

// NewServer returns a server of all pages, to be started by the caller.
func NewServer(opts Options) *Server {
	answers := &answerLimiter{limit: maxAnswerBytes}
	passwords := newPasswordLimiter()
	mux := http.NewServeMux()
	pages := newPages(opts)
	pages.register(mux, answers)
	mux.Handle("GET /metrics", metricsHandler(opts))
	mux.HandleFunc("GET /-/healthy", func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprintln(w, "Healthy.")
	})
	mux.HandleFunc("GET /-/ready", func(w http.ResponseWriter, _ *http.Request) {
		if !opts.Ready() {
			http.Error(w, "Not ready: the schedule is not running.", http.StatusServiceUnavailable)
			return
		}
		fmt.Fprintln(w, "Ready.")
	})
	mux.Handle("GET /probe", answers.limitInFlight(probesInFlight, "Too many probes are asked for at a time.")(probeHandler(opts)))
	mux.Handle("GET /sd", discoveryHandler(opts, answers))
	reloading := answers.limitInFlight(reloadsInFlight, busyText)(reloadHandler(opts))
	mux.Handle("POST /-/reload", reloading)
	mux.Handle("PUT /-/reload", reloading)
	server := newServer(withSecurityHeaders(withHostCheck(mux, opts.Bound, opts.AllowedHosts)), passwords, opts.Logger)
	server.RegisterOnShutdown(pages.updates.close)
	return server
}

// newServer returns a server with the limits that all have.
func newServer(handler http.Handler, passwords *passwordLimiter, logger *slog.Logger) *Server {
	// HTTP/2 would have many requests on one connection, and its own ways to be slow.
	protocols := new(http.Protocols)
	protocols.SetHTTP1(true)
	server := &http.Server{
		Handler:           passwords.accepted(handler),
		Protocols:         protocols,
		ReadHeaderTimeout: readTimeout,
		ReadTimeout:       readTimeout,
		WriteTimeout:      writeTimeout,
		IdleTimeout:       idleTimeout,
		MaxHeaderBytes:    maxHeaderBytes,
		ConnContext:       contextWithConn,
		ConnState:         connState,
		ErrorLog:          slog.NewLogLogger(logger.Handler(), slog.LevelError),
	}
	return &Server{server, newConnLimiter(maxConnections), passwords}
}

// Serve serves plain HTTP until the server is shut down.
func (s *Server) Serve(listener net.Listener) error {
	s.protect()
	return s.Server.Serve(s.connections.listen(listener))
}

// ServeTLS serves TLS by TLSConfig until the server is shut down.
func (s *Server) ServeTLS(listener net.Listener) error {
	s.protect()
	return s.Server.ServeTLS(s.connections.listen(listener), "", "")
}

// protect puts around Handler what comes before authentication, which the exporter-toolkit has put around it.
func (s *Server) protect() { s.Handler = trackAnswers(s.passwords.limit(s.Handler)) }
