//go:build !soak

package e2e

import "time"

// In an ordinary test run every so many-th hostile server is probed, for so long.
const (
	leakStep = 5
	leakTime = 20 * time.Second
)
