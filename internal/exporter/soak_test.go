//go:build soak

package exporter

import "time"

const (
	// attackTime is how long an attack lasts, and attackers how many connections make it.
	attackTime = time.Minute
	attackers  = 1000
	// soaking says that each kind of attack is made alone, too.
	soaking = true
)
