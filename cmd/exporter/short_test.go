//go:build !soak

package main

// stormReloads is how many reloads a storm has in an ordinary test run.
const stormReloads = 200
