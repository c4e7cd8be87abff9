package web

import (
	"bytes"
	"net/http"
)

// serveConfig serves the configuration in force as a page, or with ?format=yaml as a file.
func (p *pages) serveConfig(w http.ResponseWriter, r *http.Request) {
	full := r.URL.Query().Get("format") == "yaml"
	var yaml bytes.Buffer
	left := 0
	if p.opts.Config != nil {
		limit := configAccounts
		if full {
			limit = 0
		}
		var err error
		if left, err = p.opts.Config(&yaml, limit); err != nil {
			p.opts.Logger.ErrorContext(r.Context(), "Configuration not shown", "err", err)
			http.Error(w, "The configuration can't be shown; the log says why.", http.StatusInternalServerError)
			return
		}
	}
	if full {
		w.Header().Set("Content-Type", "text/plain; charset=utf-8")
		_, _ = w.Write(yaml.Bytes()) // The client has gone; there is nobody to tell.
		return
	}
	p.writePage(w, r, http.StatusOK, "config", struct {
		pageLayout
		YAML string
		Left int
	}{p.layout(r, "Configuration", "config"), yaml.String(), left})
}

// configAccounts is how many accounts the page of the configuration shows; the YAML file has all.
const configAccounts = 100
