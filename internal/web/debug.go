package web

import (
	"log/slog"
	"net"
	"net/http"
	"net/http/pprof"
	"time"
)

// debugWriteTimeout is how long a profile may take: CPU profiles and traces take as long as asked for.
const debugWriteTimeout = 2 * time.Minute

// NewDebugServer returns a server of the program's profiles, for a listener at the given address of loopback, to be started
// by the caller. It doesn't show the program's arguments (/debug/pprof/cmdline), and answers to loopback's names only.
// Profiles have no content of memory.
func NewDebugServer(bound net.Addr, logger *slog.Logger) *Server {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /debug/pprof/", pprof.Index)
	mux.HandleFunc("GET /debug/pprof/profile", pprof.Profile)
	mux.HandleFunc("GET /debug/pprof/trace", pprof.Trace)
	mux.HandleFunc("GET /debug/pprof/symbol", pprof.Symbol)
	mux.Handle("GET /debug/pprof/cmdline", http.NotFoundHandler())
	answers := &answerLimiter{limit: maxAnswerBytes}
	handler := withSecurityHeaders(withHostCheck(answers.limitInFlight(pagesInFlight, busyText)(mux), bound, nil))
	server := newServer(handler, newPasswordLimiter(), logger)
	server.WriteTimeout = debugWriteTimeout
	return server
}
