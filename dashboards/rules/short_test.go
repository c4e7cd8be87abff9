//go:build !soak

package rules_test

// everyMutant: an ordinary run tries one mutant of each kind for each rule.
const everyMutant = false
