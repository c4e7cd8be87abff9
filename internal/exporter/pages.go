package exporter

import (
	"cmp"
	"io"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/common/model"
	"github.com/prometheus/common/version"

	"imap-exporter/collectors"
	"imap-exporter/internal/web"
)

// pages returns what the web pages show.
func (e *engine) pages() web.Options {
	pages := web.Options{
		Version:    cmp.Or(version.Version, "development version"),
		Gatherer:   collectors.Gatherers{e.metrics, prometheus.ToTransactionalGatherer(e.registry)},
		Registerer: e.registry,
		Accounts:   e.accounts,
		History:    e.history,
		Updates:    e.updates,
		Config:     func(w io.Writer, limit int) (int, error) { return e.config.Load().Show(w, limit) },
		Links: func() web.Links {
			cfg := e.config.Load()
			return web.Links{Prometheus: cfg.Web.PrometheusURL, Grafana: cfg.Web.GrafanaURL}
		},
		Ready:         e.ready.Load,
		ReloadFailure: e.reloadFailure.Load,
		Probe:         e.probeNow,
		ProbeMetrics:  e.probeMetrics,
		TimeoutOffset: e.opts.TimeoutOffset,
		Discover:      e.discover,
		Logger:        e.logger,
	}
	if e.opts.Lifecycle {
		pages.Reload = e.reloadByHTTP
	}
	return pages
}

// discover returns the accounts for Prometheus' service discovery. Their own labels are named like a pod's in Kubernetes.
func (e *engine) discover() []web.TargetGroup {
	accounts := e.accounts.Accounts()
	groups := make([]web.TargetGroup, len(accounts))
	for i, a := range accounts {
		labels := map[string]string{
			"__meta_imap_account":  a.Name,
			"__meta_imap_server":   a.Server,
			"__meta_imap_module":   a.Module,
			"__meta_imap_interval": model.Duration(a.Interval).String(),
		}
		for name, value := range a.Labels {
			labels["__meta_imap_label_"+name] = value
		}
		groups[i] = web.TargetGroup{Targets: []string{a.Name}, Labels: labels}
	}
	return groups
}
