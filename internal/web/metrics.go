package web

import (
	"log/slog"
	"net/http"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	_ "github.com/prometheus/client_golang/prometheus/promhttp/zstd" // Registers the compression.
	dto "github.com/prometheus/client_model/go"
)

// scrapesInFlight is how many scrapes are answered at a time. More get 503, so that clients that never read what they asked
// for can't fill the memory.
const scrapesInFlight = 4

// metricsHandler serves /metrics.
func metricsHandler(opts Options) http.Handler {
	h := promhttp.HandlerForTransactional(partialGatherer{opts.Gatherer, opts.Logger}, promhttp.HandlerOpts{
		ErrorLog:            slog.NewLogLogger(opts.Logger.Handler(), slog.LevelError),
		ErrorHandling:       promhttp.HTTPErrorOnError, // It stops at the first write error, so that it logs one.
		Registry:            opts.Registerer,
		EnableOpenMetrics:   true,
		MaxRequestsInFlight: scrapesInFlight,
		// Of those that a client likes equally, the first is taken: zstd costs least here, and makes the smallest answers.
		OfferedCompressions: []promhttp.Compression{promhttp.Identity, promhttp.Zstd, promhttp.Gzip},
	})
	return promhttp.InstrumentMetricHandler(opts.Registerer, h)
}

// A partialGatherer logs errors in gathering, and returns what could be gathered.
type partialGatherer struct {
	prometheus.TransactionalGatherer
	logger *slog.Logger
}

// Gather fails only if nothing could be gathered.
func (l partialGatherer) Gather() (families []*dto.MetricFamily, done func(), err error) {
	families, done, err = l.TransactionalGatherer.Gather()
	if err != nil && len(families) > 0 {
		l.logger.Error("Some metrics are missing", "error", err)
		err = nil
	}
	return families, done, err
}
