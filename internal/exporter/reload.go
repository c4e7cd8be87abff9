package exporter

import (
	"context"
	"fmt"
	"strings"
	"time"

	"imap-exporter/internal/account"
	"imap-exporter/internal/config"
	"imap-exporter/internal/web"
)

const (
	// maxProblems is how many problems of one configuration are logged, and maxNames how many accounts are named.
	maxProblems = 100
	maxNames    = 10
)

// What triggers a reload.
const (
	bySignal = "SIGHUP"
	byHTTP   = "HTTP"
	byChange = "change"
)

// reloadWhenAsked reloads on SIGHUP and, with AutoReload, when the files have changed, until ctx ends.
func (e *engine) reloadWhenAsked(ctx context.Context) {
	var check <-chan time.Time
	if e.opts.AutoReload > 0 {
		ticker := time.NewTicker(e.opts.AutoReload)
		defer ticker.Stop()
		check = ticker.C
	}
	for {
		select {
		case <-ctx.Done():
			return
		case <-e.opts.Hangup:
			_, _ = e.reload(ctx, bySignal) // It has logged the error.
		case <-check:
			if e.isStale() {
				_, _ = e.reload(ctx, byChange)
			}
		}
	}
}

// reloadByHTTP reloads and returns the text for the client.
func (e *engine) reloadByHTTP(ctx context.Context) (string, error) { return e.reload(ctx, byHTTP) }

// isStale reports whether a reload would find something new, judging by the files that were read. After a failed reload it
// always might, even if these files are the same: a missing one may exist now.
func (e *engine) isStale() bool {
	e.reloading.Lock()
	defer e.reloading.Unlock()
	sources := e.config.Load().Sources
	return sources.Settled() && (e.reloadFailure.Load() != nil || sources.Changed())
}

// reload reads the whole configuration, applies it, and returns what has changed in a sentence. If the configuration is
// invalid, it changes nothing and returns the error. Only one reload runs at a time.
func (e *engine) reload(ctx context.Context, trigger string) (string, error) {
	e.reloading.Lock()
	defer e.reloading.Unlock()
	cfg, err := e.opts.Load()
	if err != nil {
		e.reloadFailed(ctx, trigger, err)
		return "", err
	}
	e.reloadFailure.Store(nil)
	before := e.config.Load()
	if err := e.logLevel.Set(cfg.Log.Level); err != nil {
		e.logger.ErrorContext(ctx, "Log level not changed", "err", err)
	}
	e.apply(cfg)
	e.metrics.Reloaded(true, time.Now())
	return e.logReload(ctx, trigger, before, cfg), nil
}

// reloadFailed shows and logs why a reload failed. The caller holds e.reloading.
func (e *engine) reloadFailed(ctx context.Context, trigger string, err error) {
	failure := &web.ReloadFailure{Error: err.Error(), Since: time.Now()}
	e.metrics.Reloaded(false, failure.Since)
	before := e.reloadFailure.Load()
	if before != nil {
		failure.Since = before.Since
	}
	if before == nil || before.Error != failure.Error || trigger != byChange { // Nobody asked for a reload by change: the same error is logged once.
		e.logProblems(ctx, trigger, err)
	}
	e.reloadFailure.Store(failure)
	e.updates.Changed(account.Key{}) // Open pages show it.
}

// logProblems logs what is wrong with a configuration, a line each.
func (e *engine) logProblems(ctx context.Context, trigger string, err error) {
	lines := strings.Split(err.Error(), "\n")
	for _, line := range lines[:min(len(lines), maxProblems)] {
		e.logger.ErrorContext(ctx, "Configuration not reloaded", "trigger", trigger, "problem", line)
	}
	if more := len(lines) - maxProblems; more > 0 {
		e.logger.ErrorContext(ctx, "Configuration not reloaded", "trigger", trigger, "more_problems", more)
	}
}

// logReload logs what a reload has changed, and returns it as a sentence.
func (e *engine) logReload(ctx context.Context, trigger string, before, cfg *config.Config) string {
	d := cfg.Diff(before)
	e.logger.InfoContext(ctx, "Configuration reloaded", "trigger", trigger, "accounts", len(cfg.Accounts),
		"added", abridged(d.Added), "removed", abridged(d.Removed), "changed", abridged(d.Changed))
	e.logWarnings(ctx, cfg.Warnings)
	report := fmt.Sprintf("Reloaded: %d accounts; added %s; removed %s; changed %s.",
		len(cfg.Accounts), abridged(d.Added), abridged(d.Removed), abridged(d.Changed))
	if keys := strings.Join(cfg.NeedRestart(e.started), ", "); keys != "" {
		e.logger.WarnContext(ctx, "Changed settings wait for a restart", "settings", keys)
		report += "\nOnly a restart changes " + keys + "."
	}
	return report
}

// logWarnings logs the warnings about a configuration.
func (e *engine) logWarnings(ctx context.Context, warnings []string) {
	for _, warning := range warnings {
		e.logger.WarnContext(ctx, "Configuration warning", "warning", warning)
	}
}

// abridged returns the number of names, and the first of them.
func abridged(names []string) string {
	if len(names) == 0 {
		return "0"
	}
	text := fmt.Sprintf("%d (%s", len(names), strings.Join(names[:min(len(names), maxNames)], ", "))
	if len(names) > maxNames {
		text += ", …"
	}
	return text + ")"
}
