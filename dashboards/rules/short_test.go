//go:build !soak

package rules_test

// everyMutant: an ordinary run tries some of each rule.
const everyMutant = false
