package web

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"net/http"
	"time"
)

//go:embed assets/*
var assetFiles embed.FS

// assetHandler serves an embedded file. Browsers cache it, and ask each time whether it is still the same.
func assetHandler(name string) http.HandlerFunc {
	data, err := assetFiles.ReadFile("assets/" + name)
	sum := sha256.Sum256(data)
	tag := `"` + hex.EncodeToString(sum[:8]) + `"`
	return func(w http.ResponseWriter, r *http.Request) {
		if err != nil {
			http.NotFound(w, r)
			return
		}
		w.Header().Set("Cache-Control", "no-cache") // It means: cache, and revalidate.
		w.Header().Set("ETag", tag)
		http.ServeContent(w, r, name, time.Time{}, bytes.NewReader(data))
	}
}
