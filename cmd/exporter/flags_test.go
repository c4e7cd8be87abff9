package main

import (
	"os"
	"strings"
	"testing"

	"github.com/spf13/pflag"
)

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
