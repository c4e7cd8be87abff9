package realtest

import (
	"fmt"
	"net/http"
	"net/http/httptest"
)

// aliceToken is a bearer token of alice. Any other is invalid.
const aliceToken = "canary-alice-token-secret"

// newTokenEndpoint serves what Dovecot asks about bearer tokens (RFC 7662 in spirit).
func newTokenEndpoint() *httptest.Server {
	return httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		if r.URL.Query().Get("access_token") != aliceToken {
			w.WriteHeader(http.StatusBadRequest)
			fmt.Fprint(w, `{"error":"invalid_token"}`)
			return
		}
		fmt.Fprint(w, `{"active":"yes","email":"alice","expires_in":3600}`)
	}))
}
