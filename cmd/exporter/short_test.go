//go:build !soak

package main

import "time"

// stormReloads is how many reloads a storm has in an ordinary test run.
const stormReloads = 200

// In an ordinary test run every so many-th hostile server is probed, for so long.
const (
	hostileStep = 5
	hostileSoak = 20 * time.Second
)
