package web

import (
	"log/slog"
	"net/http"
	"strconv"
	"time"
)

// scrapeTimeout is how long an answer may take when the client doesn't say: Prometheus' own default.
const scrapeTimeout = 10 * time.Second

// withDeadline cuts an answer off that its client doesn't read in the time in which it said it would, as Prometheus does.
func withDeadline(next http.Handler, logger *slog.Logger) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		deadline := time.Now().Add(clientTimeout(r))
		if err := http.NewResponseController(w).SetWriteDeadline(deadline); err != nil {
			logger.DebugContext(r.Context(), "An answer has no deadline of its own", "error", err)
		}
		next.ServeHTTP(w, r)
	})
}

// clientTimeout returns how long the client waits, which Prometheus tells in a header, at most writeTimeout. Whoever has
// something done waits until it is.
func clientTimeout(r *http.Request) time.Duration {
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		return writeTimeout
	}
	seconds, err := strconv.ParseFloat(r.Header.Get("X-Prometheus-Scrape-Timeout-Seconds"), 64)
	if err != nil || !(seconds > 0) { // NaN isn't either.
		return scrapeTimeout
	}
	return time.Duration(min(seconds, writeTimeout.Seconds()) * float64(time.Second))
}
