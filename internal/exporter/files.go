package exporter

import (
	"cmp"
	"fmt"

	"imap-exporter/internal/config"
	"imap-exporter/internal/schedule"
)

const (
	// filesPerProbe is the maximum of files that a probe has open: DNS queries for both address families, or the connection and
	// a file with the secret.
	filesPerProbe = 2
	// otherFiles is what everything else may have open: HTTP connections, the log, the configuration while it is read. Further
	// clients wait until others have disconnected.
	otherFiles = 100
)

// maxConcurrent returns how many probes may run at a time: as many as the configuration says, or fewer if the process may not
// open enough files for them. With fewer, probes start later or are counted as skipped; with too many, they would fail for a
// reason that isn't the server's. It is an error if there aren't enough files for a single probe.
func (e *engine) maxConcurrent(cfg *config.Config) (int, error) {
	wanted := cmp.Or(cfg.MaxConcurrent, schedule.DefaultMaxConcurrent())
	limit, known := openFileLimit()
	needed := uint64(wanted)*filesPerProbe + otherFiles //nolint:gosec // The configuration has no negative number.
	if !known || limit >= needed {
		return wanted, nil
	}
	const least = otherFiles + filesPerProbe
	if limit < least {
		return 0, fmt.Errorf("the system lets us open %d files, and we need at least %d: raise the limit (ulimit -n, or LimitNOFILE= of systemd)", limit, least)
	}
	possible := int((limit - otherFiles) / filesPerProbe) //nolint:gosec // It is less than wanted.
	if len(cfg.Accounts) > possible {
		e.logger.Warn("Fewer probes at a time, because the system lets us open too few files",
			"max_concurrent", possible, "wanted", wanted, "files", limit, "files_wanted", needed)
	}
	return possible, nil
}
