package demohistory

import (
	"testing"
	"time"

	"imap-exporter/internal/realtest"
)

func TestBackfill(t *testing.T) {
	start := time.Now()
	dir := t.TempDir()
	err := Backfill(t.Context(), realtest.Promtool(t), dir, Options{
		Config: "../../../config.yaml", Job: "imap", Instance: "localhost:10993", End: start,
		Step: 15 * time.Minute, Dense: 5 * time.Minute,
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Log(time.Since(start))
}
