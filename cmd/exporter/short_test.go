//go:build !soak

package main

import "time"

// stormReloads is how many reloads a storm has in an ordinary test run.
const stormReloads = 200

// hostileSoak is how long hostile servers are probed in an ordinary test run.
const hostileSoak = 20 * time.Second
