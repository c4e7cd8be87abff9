//go:build soak

package probe

// footprintProbes is how many probes must leave no trace, in a soak.
const footprintProbes = 1000
