package web

import (
	"log/slog"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	_ "github.com/prometheus/client_golang/prometheus/promhttp/zstd" // Registers the compression.
	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
)

// scrapesInTheMaking is how many pages of metrics are made at a time. Each is of another format.
const scrapesInTheMaking = 2

// metricsHandler serves /metrics. Scrapes that come together share a page.
func metricsHandler(opts Options) http.Handler {
	promhttpHandler := promhttp.HandlerForTransactional(partialGatherer{opts.Gatherer, opts.Logger}, promhttp.HandlerOpts{
		ErrorLog:            slog.NewLogLogger(opts.Logger.Handler(), slog.LevelError),
		ErrorHandling:       promhttp.HTTPErrorOnError,
		Registry:            opts.Registerer,
		EnableOpenMetrics:   true,
		AcceptedFormats:     formats,
		OfferedCompressions: encodings,
	})
	pages := newSharedMaker(&answerLimiter{limit: maxAnswerBytes}, scrapesInTheMaking)
	handler := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		// Our names need no escaping, so that pages differ in their header alone by the scheme that the client asks for.
		format := expfmt.NegotiateAccept(r.Header, formats...)
		kind, _, _ := strings.Cut(string(format), "; escaping=")
		encoding := negotiateEncoding(r.Header)
		w.Header().Set("Content-Type", string(format))
		pages.serve(w, r, kind+" "+string(encoding), func() *answer {
			a := newAnswer(encoding == promhttp.Identity)
			promhttpHandler.ServeHTTP(a, &http.Request{
				Method: http.MethodGet, URL: &url.URL{},
				Header: http.Header{"Accept": {kind}, "Accept-Encoding": {string(encoding)}},
			})
			if a.status == http.StatusOK {
				a.header.Del("Content-Type")
			}
			return a
		})
	})
	return promhttp.InstrumentMetricHandler(opts.Registerer, handler)
}

// formats are the formats of a page, the best first, and encodings the ways to compress it. Of encodings that a client likes
// equally, the first is taken: zstd costs least here, and makes the smallest answers.
var (
	formats   = []expfmt.Format{expfmt.FmtOpenMetrics_1_0_0, expfmt.FmtOpenMetrics_0_0_1, expfmt.FmtProtoDelim, expfmt.FmtText}
	encodings = []promhttp.Compression{promhttp.Identity, promhttp.Zstd, promhttp.Gzip}
)

// negotiateEncoding chooses an encoding by Accept-Encoding (RFC 9110, section 12.5.3).
func negotiateEncoding(header http.Header) promhttp.Compression {
	best, bestWeight := promhttp.Identity, 0.0
	for _, encoding := range encodings {
		for item := range strings.SplitSeq(strings.Join(header.Values("Accept-Encoding"), ","), ",") {
			name, parameter, weighted := strings.Cut(item, ";")
			weight := 1.0
			if weighted {
				text := strings.TrimPrefix(strings.ToLower(strings.TrimSpace(parameter)), "q=")
				weight, _ = strconv.ParseFloat(text, 64) // What is no number is 0: not acceptable.
			}
			if name = strings.TrimSpace(name); (name == string(encoding) || name == "*") && weight > bestWeight {
				best, bestWeight = encoding, weight
			}
		}
	}
	return best
}

// A partialGatherer logs errors in gathering, and returns what could be gathered.
type partialGatherer struct {
	prometheus.TransactionalGatherer
	logger *slog.Logger
}

// Gather fails only if nothing could be gathered.
func (g partialGatherer) Gather() (families []*dto.MetricFamily, done func(), err error) {
	families, done, err = g.TransactionalGatherer.Gather()
	if err != nil && len(families) > 0 {
		g.logger.Error("Some metrics are missing", "error", err)
		err = nil
	}
	return families, done, err
}
