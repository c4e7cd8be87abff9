package web

import (
	"log/slog"
	"net/http"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	_ "github.com/prometheus/client_golang/prometheus/promhttp/zstd" // Registers the compression.
	dto "github.com/prometheus/client_model/go"
)

// scrapesInFlight is how many scrapes may be read at a time. More are answered with 503, so that clients which ask and
// never read can't fill the memory.
const scrapesInFlight = 4

// metricsHandler serves /metrics.
func metricsHandler(opts Options) http.Handler {
	h := promhttp.HandlerForTransactional(partialGatherer{opts.Gatherer, opts.Logger}, promhttp.HandlerOpts{
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

// A partialGatherer gatherer logs what it could not gather, and hides nothing else for that.
type partialGatherer struct {
	prometheus.TransactionalGatherer
	logger *slog.Logger
}

// Gather fails only when there is nothing at all.
func (l partialGatherer) Gather() (families []*dto.MetricFamily, done func(), err error) {
	families, done, err = l.TransactionalGatherer.Gather()
	if err != nil && len(families) > 0 {
		l.logger.Error("Some metrics are missing", "error", err)
		err = nil
	}
	return families, done, err
}
