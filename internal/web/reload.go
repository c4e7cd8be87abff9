package web

import (
	"fmt"
	"net/http"
)

// reloadHandler answers POST and PUT of /-/reload: 200 with what has changed, or 500 with what is wrong with the configuration.
// Browsers can't be made to ask for it by pages of other sites.
func reloadHandler(opts Options) http.Handler {
	handler := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if opts.Reload == nil {
			http.Error(w, "Reloading by HTTP is not enabled: start the exporter with --web.enable-lifecycle, or send it SIGHUP.",
				http.StatusForbidden)
			return
		}
		report, err := opts.Reload(r.Context())
		if err != nil {
			http.Error(w, "The configuration is not valid. Nothing has changed.\n\n"+err.Error(), http.StatusInternalServerError)
			return
		}
		w.Header().Set("Content-Type", "text/plain; charset=utf-8")
		fmt.Fprintln(w, report)
	})
	return refuseCrossSite(handler)
}

// refuseCrossSite answers requests that a page of another site has a browser make with 403.
func refuseCrossSite(handler http.Handler) http.Handler {
	protection := http.NewCrossOriginProtection()
	protection.SetDenyHandler(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		http.Error(w, "Refused: the request comes from a page of another site.", http.StatusForbidden)
	}))
	return protection.Handler(handler)
}
