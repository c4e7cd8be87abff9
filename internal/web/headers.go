package web

import "net/http"

// withSecurityHeaders makes browsers load and run only our own files, without inline scripts and styles, forbids other sites
// to frame a page, and sends them no referrer. A header that the web configuration file sets is kept.
func withSecurityHeaders(next http.Handler) http.Handler {
	headers := map[string]string{
		"Cache-Control": "no-store",
		"Content-Security-Policy": "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; img-src 'self'; " +
			"base-uri 'none'; form-action 'self'; frame-ancestors 'none'",
		"Cross-Origin-Opener-Policy":   "same-origin",
		"Cross-Origin-Resource-Policy": "same-origin",
		"Referrer-Policy":              "same-origin", // With no-referrer, our own forms would have the Origin null.
		"X-Content-Type-Options":       "nosniff",
		"X-Frame-Options":              "deny",
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		for name, value := range headers {
			if w.Header().Get(name) == "" {
				w.Header().Set(name, value)
			}
		}
		next.ServeHTTP(w, r)
	})
}
