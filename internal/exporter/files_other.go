//go:build !unix

package exporter

// openFileLimit is not known.
func openFileLimit() (limit uint64, known bool) { return 0, false }
