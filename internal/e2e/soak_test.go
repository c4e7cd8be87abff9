//go:build soak

package e2e

import "time"

// In a soak every hostile server is probed, for so long.
const (
	leakStep = 1
	leakTime = 10 * time.Minute
)
