package web

import (
	"log/slog"
	"net/http"
	"strconv"
	"time"
)

// defaultScrapeTimeout is how long an answer may take when the client doesn't say how long it waits: Prometheus' own default.
const defaultScrapeTimeout = 10 * time.Second

// withDeadline cuts off an answer that its client doesn't read within the time that it says it waits.
func withDeadline(next http.Handler, logger *slog.Logger) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		timeout := writeTimeout // A POST waits until what it asked for is done.
		if r.Method == http.MethodGet || r.Method == http.MethodHead {
			timeout = scrapeTimeout(r, defaultScrapeTimeout, writeTimeout)
		}
		if err := http.NewResponseController(w).SetWriteDeadline(time.Now().Add(timeout)); err != nil {
			logger.DebugContext(r.Context(), "An answer has no deadline of its own", "error", err)
		}
		next.ServeHTTP(w, r)
	})
}

// scrapeTimeout returns how long the client says that it waits (Prometheus sets X-Prometheus-Scrape-Timeout-Seconds), at
// most limit. If it doesn't say, it returns unset.
func scrapeTimeout(r *http.Request, unset, limit time.Duration) time.Duration {
	seconds, err := strconv.ParseFloat(r.Header.Get("X-Prometheus-Scrape-Timeout-Seconds"), 64)
	if err != nil || !(seconds > 0) { // NaN isn't either.
		return unset
	}
	return time.Duration(min(seconds, limit.Seconds()) * float64(time.Second))
}
