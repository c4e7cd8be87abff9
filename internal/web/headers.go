package web

import "net/http"

// withSecurityHeaders tells browsers to load and run nothing but our own files, nothing that stands in a page, and to tell
// nobody.
// A header that the operator has set in the web configuration file stays.
func withSecurityHeaders(next http.Handler) http.Handler {
	headers := map[string]string{
		"Cache-Control": "no-store",
		"Content-Security-Policy": "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; img-src 'self'; " +
			"base-uri 'none'; form-action 'self'; frame-ancestors 'none'",
		"Cross-Origin-Opener-Policy":   "same-origin",
		"Cross-Origin-Resource-Policy": "same-origin",
		"Referrer-Policy":              "same-origin", // With no-referrer, browsers would say of our own forms that they are from nowhere.
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
