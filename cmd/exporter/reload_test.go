package main

import (
	"os"
	"strings"
	"testing"

	"github.com/spf13/pflag"
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

// Every flag is in the tables of README.md and docs/configuration.md.
func TestFlagsAreDocumented(t *testing.T) {
	for _, file := range []string{"../../README.md", "../../docs/configuration.md"} {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		newCommand().PersistentFlags().VisitAll(func(f *pflag.Flag) {
			if !strings.Contains(string(text), "`--"+f.Name+"`") {
				t.Errorf("%s has no --%s", file, f.Name)
			}
		})
	}
}
