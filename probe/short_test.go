//go:build !soak

package probe

// footprintProbes is how many probes must leave no trace, in an ordinary test run.
const footprintProbes = 100
