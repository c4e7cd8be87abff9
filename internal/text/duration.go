package text

import (
	"strings"
	"time"
)

// Duration writes a configured duration as Prometheus does, without zero parts at its end: 20s, 1m30s, 5m, 2h.
func Duration(d time.Duration) string {
	s := d.String()
	if cut, ok := strings.CutSuffix(s, "m0s"); ok {
		s = cut + "m"
	}
	if cut, ok := strings.CutSuffix(s, "h0m"); ok {
		s = cut + "h"
	}
	return s
}
