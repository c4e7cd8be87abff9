//go:build soak

package rules_test

// everyMutant: a soak tries all of them.
const everyMutant = true
