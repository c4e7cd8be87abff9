package exporter

import (
	"strings"
	"testing"
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
