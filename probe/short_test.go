//go:build !soak

package probe

// guestVisits is how many probes must leave no trace, in an ordinary test run.
const guestVisits = 100
