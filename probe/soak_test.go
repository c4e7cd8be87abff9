//go:build soak

package probe

// guestVisits is how many probes must leave no trace, in a soak.
const guestVisits = 1000
