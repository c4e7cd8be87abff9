//go:build unix

package exporter

import "golang.org/x/sys/unix"

// openFileLimit returns how many files the process may have open: the hard limit, to which Go raises the soft one.
func openFileLimit() (limit uint64, known bool) {
	var r unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &r); err != nil {
		return 0, false
	}
	return uint64(r.Cur), true //nolint:unconvert // It is signed on some systems.
}
