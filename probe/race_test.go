//go:build race

package probe

// The race detector makes our own code several times slower.
const slowdown = 3
