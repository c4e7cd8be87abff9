package web

import (
	"encoding/json"
	"fmt"
	"net/http"
)

// A TargetGroup is an entry of Prometheus' HTTP service discovery.
type TargetGroup struct {
	Targets []string          `json:"targets"`
	Labels  map[string]string `json:"labels"`
}

// discoveryHandler serves /sd. As https://prometheus.io/docs/prometheus/latest/http_sd/ demands, it always lists all
// accounts, and answers [] if there are none.
func discoveryHandler(opts Options) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		groups := opts.Discover()
		if groups == nil {
			groups = []TargetGroup{}
		}
		body, err := json.Marshal(groups)
		if err != nil {
			opts.Logger.ErrorContext(r.Context(), "Targets not listed", "err", err)
			http.Error(w, "The accounts can't be listed; the log says why.", http.StatusInternalServerError)
			return
		}
		w.Header().Set("Content-Type", "application/json; charset=utf-8")
		fmt.Fprintf(w, "%s\n", body)
	})
}
