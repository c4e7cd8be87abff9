package web

import (
	"hash/fnv"
	"strconv"
	"strings"
	"time"
)

// A banner is what all pages show while the last reload has failed. Without Lines there is none.
type banner struct {
	Since relativeTime
	// Lines are the first problems, and More is how many there are beside them.
	Lines []string
	More  int
}

// maxBannerLines is how many problems are shown.
const maxBannerLines = 10

// banner returns the banner for pages that are made now.
func (p *pages) banner(now time.Time) (b banner) {
	if p.opts.ReloadFailure == nil {
		return banner{}
	}
	failure := p.opts.ReloadFailure()
	if failure == nil {
		return banner{}
	}
	lines := strings.Split(failure.Error, "\n")
	shown := lines[:min(len(lines), maxBannerLines)]
	return banner{relativeTime{failure.Since, now}, printableAll(shown), len(lines) - len(shown)}
}

// ID is another one for each banner; "" if there is none.
func (b banner) ID() string {
	if len(b.Lines) == 0 {
		return ""
	}
	sum := fnv.New64a()
	_, _ = sum.Write([]byte(b.Since.ISO() + strings.Join(b.Lines, "\n"))) // It never fails.
	return strconv.FormatUint(sum.Sum64(), 36)
}
