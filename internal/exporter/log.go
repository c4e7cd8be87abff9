package exporter

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/prometheus/common/promslog"

	"imap-exporter/internal/config"
	"imap-exporter/internal/text"
	"imap-exporter/probe"
)

// newLogger returns a logger in the format of Prometheus' own programs, and its level, which can be changed at any time.
func newLogger(cfg config.Log, w io.Writer) (*slog.Logger, *promslog.Level, error) {
	level, format := promslog.NewLevel(), promslog.NewFormat()
	if err := level.Set(cfg.Level); err != nil {
		return nil, nil, err
	}
	if err := format.Set(cfg.Format); err != nil {
		return nil, nil, err
	}
	if cfg.Format == "json" {
		w = printableJSON{w} // The other format quotes what isn't printable.
	}
	return promslog.New(&promslog.Config{Level: level, Format: format, Writer: w}), level, nil
}

// A printableJSON writer writes lines of JSON so that no terminal acts on what they hold.
type printableJSON struct{ io.Writer }

// Write writes whole lines.
func (w printableJSON) Write(lines []byte) (int, error) {
	if _, err := w.Writer.Write(text.EscapeJSON(lines)); err != nil {
		return 0, err
	}
	return len(lines), nil
}

// logResult logs what changed since the previous probe, which is nil for the first one. Everything else is logged at level
// debug: an account that fails for a week in the same way is one warning.
func logResult(ctx context.Context, logger *slog.Logger, before, result *probe.Result) {
	logger = logger.With("account", result.Account, "server", result.Server)
	switch {
	case result.Err != nil && !sameFailure(before, result):
		logger.WarnContext(ctx, "Account failing", "phase", result.Err.Phase, "reason", result.Err.Reason, "text", result.Err.Text)
	case result.OK() && before != nil && !before.OK():
		logger.InfoContext(ctx, "Account ok again", "was", string(before.Err.Phase+"/")+string(before.Err.Reason))
	}
	if before == nil || !slices.Equal(before.Notes, result.Notes) {
		for _, note := range result.Notes {
			logger.InfoContext(ctx, "Probe incomplete", "note", note)
		}
	}
	logDetails(ctx, logger, result)
}

// panicPause is the minimum time between two log entries for the same panic, which may occur in every probe.
const panicPause = time.Hour

// A panicLog logs the panics of probes. Its zero value is ready.
type panicLog struct {
	mu   sync.Mutex
	last map[string]time.Time // by the place in our code
}

// log logs the panic that ended a probe, if there was one and its place was not logged lately.
func (l *panicLog) log(ctx context.Context, logger *slog.Logger, result *probe.Result) {
	if result.OK() {
		return
	}
	panicked, ok := errors.AsType[*probe.PanicError](result.Err)
	if !ok || len(panicked.Stack) == 0 || !l.isNew(panicked.Stack[0]) {
		return
	}
	logger.ErrorContext(ctx, "Bug in the exporter: please report it", "account", result.Account, "phase", result.Err.Phase,
		"text", result.Err.Text, "stack", strings.Join(panicked.Stack, "; "))
}

func (l *panicLog) isNew(place string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if at, known := l.last[place]; known && time.Since(at) < panicPause {
		return false
	}
	if l.last == nil {
		l.last = make(map[string]time.Time)
	}
	l.last[place] = time.Now()
	return true
}

// sameFailure says whether both probes failed in the same phase for the same reason.
func sameFailure(before, result *probe.Result) bool {
	return before != nil && before.Err != nil && result.Err != nil &&
		before.Err.Phase == result.Err.Phase && before.Err.Reason == result.Err.Reason
}

// logDetails logs the durations of a probe, and the transcript if it failed.
func logDetails(ctx context.Context, logger *slog.Logger, result *probe.Result) {
	if !logger.Enabled(ctx, slog.LevelDebug) {
		return
	}
	attrs := []any{"ok", result.OK(), "duration", result.Duration}
	if result.Err != nil {
		attrs = append(attrs, "phase", result.Err.Phase, "reason", result.Err.Reason, "text", result.Err.Text)
	}
	phases := make([]any, 0, 2*len(result.Phases))
	for _, p := range result.Phases {
		phases = append(phases, string(p.Phase), p.Duration)
	}
	logger.DebugContext(ctx, "Probe ended", append(attrs, slog.Group("durations", phases...))...)
	if result.OK() {
		return
	}
	for _, line := range result.Transcript {
		logger.DebugContext(ctx, "Transcript", "at", line.At, "sent", line.Sent, "line", line.Text)
	}
}
