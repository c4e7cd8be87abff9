package exporter

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"regexp"

	toolkit "github.com/prometheus/exporter-toolkit/web"
)

// quotedValue matches what the toolkit's YAML library quotes from a file in its messages: it could be a key or a hash.
var quotedValue = regexp.MustCompile("`[^`]*`")

func withoutValues(text string) string { return quotedValue.ReplaceAllString(text, "a value") }

// ValidateWebConfig checks a web configuration file of the exporter-toolkit.
func ValidateWebConfig(file string) error {
	if err := toolkit.Validate(file); err != nil {
		return fmt.Errorf("%s: not a valid web configuration: %w", file, errors.New(withoutValues(err.Error())))
	}
	return nil
}

// A redactingHandler removes the values of the web configuration file from log records: the toolkit reads the file for each
// request and logs its errors. It removes what the toolkit says of HTTP/2, too, which our server never speaks.
type redactingHandler struct{ slog.Handler }

// WithAttrs returns a handler that does the same.
func (h redactingHandler) WithAttrs(attrs []slog.Attr) slog.Handler {
	return redactingHandler{h.Handler.WithAttrs(attrs)}
}

// WithGroup returns a handler that does the same.
func (h redactingHandler) WithGroup(name string) slog.Handler {
	return redactingHandler{h.Handler.WithGroup(name)}
}

// Handle passes the record on without quoted values.
func (h redactingHandler) Handle(ctx context.Context, record slog.Record) error {
	changed := slog.NewRecord(record.Time, record.Level, record.Message, record.PC)
	record.Attrs(func(a slog.Attr) bool {
		if a.Key == "http2" {
			return true
		}
		if a.Value.Kind() == slog.KindString {
			a.Value = slog.StringValue(withoutValues(a.Value.String()))
		}
		changed.AddAttrs(a)
		return true
	})
	return h.Handler.Handle(ctx, changed)
}
