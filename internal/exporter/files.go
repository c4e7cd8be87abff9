package exporter

import (
	"cmp"
	"context"
	"fmt"

	"imap-exporter/internal/config"
	"imap-exporter/internal/schedule"
)

const (
	// filesPerProbe is how many files a probe has open at most: the questions for both kinds of address, or the connection
	// and a file with the secret.
	filesPerProbe = 2
	// otherFiles is what everything else has open: scrapes, pages, the log, the configuration while it is read. More clients
	// than that, where files are few, wait until others are gone.
	otherFiles = 100
)

// affordable returns how many probes may run at a time: as many as the configuration says, or fewer where the system
// lets us open too few files for them. Fewer probes at a time start later, or are counted as skipped; too many would fail for
// a reason that is no server's. Where not even one can be afforded, that is an error.
func (e *engine) affordable(cfg *config.Config) (int, error) {
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
		e.logger.WarnContext(context.Background(), "Fewer probes at a time, because the system lets us open too few files",
			"max_concurrent", possible, "wanted", wanted, "files", limit, "files_wanted", needed)
	}
	return possible, nil
}
