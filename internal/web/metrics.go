package web

import (
	"log/slog"
	"net/http"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	_ "github.com/prometheus/client_golang/prometheus/promhttp/zstd" // Registers the compression.
	dto "github.com/prometheus/client_model/go"
)

// scrapesInFlight is how many scrapes may be read at a time. More are answered with 503, so that clients which ask and
// never read can't fill the memory.
const scrapesInFlight = 4

// scrapeTimeout is how long a scrape may take when the client doesn't say: Prometheus' own default.
const scrapeTimeout = 10 * time.Second

// metricsHandler serves /metrics.
func metricsHandler(opts Options) http.Handler {
	h := promhttp.HandlerForTransactional(lenient{opts.Gatherer, opts.Logger}, promhttp.HandlerOpts{
		ErrorLog:            slog.NewLogLogger(opts.Logger.Handler(), slog.LevelError),
		ErrorHandling:       promhttp.HTTPErrorOnError, // It ends at the first error in writing, and logs no further ones.
		Registry:            opts.Registerer,
		EnableOpenMetrics:   true,
		MaxRequestsInFlight: scrapesInFlight,
		// Where a client takes several alike, the first counts: zstd is the cheapest here, and the smallest.
		OfferedCompressions: []promhttp.Compression{promhttp.Identity, promhttp.Zstd, promhttp.Gzip},
	})
	return promhttp.InstrumentMetricHandler(opts.Registerer, h)
}

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

// A lenient gatherer logs what it could not gather, and hides nothing else for that.
type lenient struct {
	prometheus.TransactionalGatherer
	logger *slog.Logger
}

// Gather fails only when there is nothing at all.
func (l lenient) Gather() (families []*dto.MetricFamily, done func(), err error) {
	families, done, err = l.TransactionalGatherer.Gather()
	if err != nil && len(families) > 0 {
		l.logger.Error("Some metrics are missing", "error", err)
		err = nil
	}
	return families, done, err
}
