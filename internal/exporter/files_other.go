//go:build !unix

package exporter

// openFileLimit is unknown on this system.
func openFileLimit() (limit uint64, known bool) { return 0, false }
