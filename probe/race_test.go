//go:build race

package probe

// The race detector makes our own code, which is what the phases leave of the whole, several times slower.
const slowdown = 3
