package exporter

import (
	"errors"
	"io"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"imap-exporter/internal/config"
	"imap-exporter/internal/web"
)

func TestAbridged(t *testing.T) {
	for _, c := range []struct {
		names []string
		want  string
	}{
		{nil, "0"},
		{[]string{"a"}, "1 (a)"},
		{strings.Split("abcdefghij", ""), "10 (a, b, c, d, e, f, g, h, i, j)"},
		{strings.Split("abcdefghijkl", ""), "12 (a, b, c, d, e, f, g, h, i, j, …)"},
	} {
		if got := abridged(c.names); got != c.want {
			t.Errorf("%s, want %s", got, c.want)
		}
	}
}

// The pages are told why the last reload failed, and since when reloads have, until one succeeds.
func TestReloadFailureIsNoted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cfg := &config.Config{Log: config.Log{Level: "info", Format: "logfmt"}}
		var wrong error
		stderr := newLogWriter(io.Discard)
		defer stderr.Close()
		e, err := newEngine(cfg, Options{Load: func() (*config.Config, error) { return cfg, wrong }}, stderr)
		if err != nil {
			t.Fatal(err)
		}
		begun := time.Now()
		for _, c := range []struct {
			err  error
			want *web.ReloadFailure
		}{
			{nil, nil},
			{errors.New("one"), &web.ReloadFailure{Error: "one", Since: begun.Add(time.Minute)}},
			{errors.New("another"), &web.ReloadFailure{Error: "another", Since: begun.Add(time.Minute)}},
			{nil, nil},
			{errors.New("one"), &web.ReloadFailure{Error: "one", Since: begun.Add(4 * time.Minute)}},
		} {
			wrong = c.err
			_, _ = e.reload(t.Context(), bySignal)
			got := e.pages().ReloadFailure()
			if (got == nil) != (c.want == nil) || got != nil && *got != *c.want {
				t.Errorf("after %v: %+v, want %+v", c.err, got, c.want)
			}
			<-time.After(time.Minute)
		}
	})
}
