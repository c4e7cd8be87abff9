package exporter

import (
	"errors"
	"strings"
	"testing"
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

// Pages are told why reloads fail, and since when, until one succeeds.
func TestReloadFailure(t *testing.T) {
	e, _ := engineFor(t, startServer(t, nil))
	good := e.opts.Load
	pages := e.pages()
	reload := func(load func() (*config.Config, error)) *web.ReloadFailure {
		e.opts.Load = load
		_, _ = e.reload(t.Context(), byHTTP)
		return pages.ReloadFailure()
	}
	failing := func(text string) func() (*config.Config, error) {
		return func() (*config.Config, error) { return nil, errors.New(text) }
	}
	if f := reload(good); f != nil {
		t.Errorf("a reload that succeeds is shown as %+v", f)
	}
	first := reload(failing("config.yaml:3: wrong"))
	if first == nil || first.Error != "config.yaml:3: wrong" || time.Since(first.Since) > time.Minute {
		t.Fatalf("a reload that fails is shown as %+v", first)
	}
	if f := reload(failing("config.yaml:4: wrong, too")); f == nil || f.Error != "config.yaml:4: wrong, too" || !f.Since.Equal(first.Since) {
		t.Errorf("the next one that fails is shown as %+v, want since %v", f, first.Since)
	}
	if f := reload(good); f != nil {
		t.Errorf("after all it is shown as %+v", f)
	}
}
