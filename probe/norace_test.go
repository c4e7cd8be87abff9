//go:build !race

package probe

const slowdown = 1
