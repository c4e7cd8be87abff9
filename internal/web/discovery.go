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
// accounts, and answers [] if there are none. Requests that come together share an answer.
func discoveryHandler(opts Options, answers *answerLimiter) http.Handler {
	lists := newSharedMaker(answers, 1)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		lists.serve(w, r, "", func() *answer { return listTargets(opts) })
	})
}

// listTargets makes an answer with all targets.
func listTargets(opts Options) *answer {
	a := newAnswer(true)
	groups := opts.Discover()
	if groups == nil {
		groups = []TargetGroup{}
	}
	body, err := json.Marshal(groups)
	if err != nil {
		opts.Logger.Error("Targets not listed", "err", err)
		http.Error(a, "The accounts can't be listed; the log says why.", http.StatusInternalServerError)
		return a
	}
	a.Header().Set("Content-Type", "application/json; charset=utf-8")
	fmt.Fprintf(a, "%s\n", body)
	return a
}
