package main

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/spf13/pflag"
)

// Every flag of every command is documented.
func TestCommandsAreDocumented(t *testing.T) {
	docs := map[bool]string{}
	for own, file := range map[bool]string{true: "../../docs/command-line.md", false: "../../docs/configuration.md"} {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		docs[own] = string(text)
	}
	root := newRootCommand()
	check := func(own bool) func(*pflag.Flag) {
		return func(f *pflag.Flag) {
			if f.Name != "help" && f.Name != "version" && !strings.Contains(docs[own], "`--"+f.Name+"`") {
				t.Errorf("--%s is not documented", f.Name)
			}
		}
	}
	root.LocalFlags().VisitAll(check(false))
	for _, cmd := range root.Commands() {
		if !strings.Contains(docs[true], "imap-exporter "+cmd.Name()) {
			t.Errorf("the command %s is not documented", cmd.Name())
		}
		cmd.LocalNonPersistentFlags().VisitAll(check(true))
	}
}

// The table of flags in README.md has each flag of the command once.
func TestFlagsInReadme(t *testing.T) {
	text, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	_, table, _ := strings.Cut(string(text), "\n| flag |")
	table, _, _ = strings.Cut(table, "\n\n")
	flag := regexp.MustCompile("`--([a-z.-]+)`")
	var documented []string
	for row := range strings.Lines(table) {
		cell, _, _ := strings.Cut(strings.TrimPrefix(row, "| "), "|")
		for _, match := range flag.FindAllStringSubmatch(cell, -1) {
			documented = append(documented, match[1])
		}
	}
	root := newRootCommand()
	root.InitDefaultHelpFlag()
	root.InitDefaultVersionFlag()
	var want []string
	root.LocalFlags().VisitAll(func(f *pflag.Flag) { want = append(want, f.Name) })
	slices.Sort(documented)
	slices.Sort(want)
	if diff := cmp.Diff(want, documented); diff != "" {
		t.Errorf("flags (-command +README.md):\n%s", diff)
	}
}

// Every command of ours in the documentation is one that the program understands.
func TestDocumentedCommands(t *testing.T) {
	files, err := filepath.Glob("../../docs/*.md")
	if err != nil {
		t.Fatal(err)
	}
	line := regexp.MustCompile(`(?m)^(?:\$ )?(?:.*\| )?(?:imap-exporter|go run \./cmd/exporter) +([^#|>\n]*)`)
	block := regexp.MustCompile("(?ms)^```(?:console|sh)\n(.*?)^```$")
	found := 0
	for _, file := range append(files, "../../README.md") {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, example := range block.FindAllStringSubmatch(string(text), -1) {
			for _, match := range line.FindAllStringSubmatch(example[1], -1) {
				if strings.HasSuffix(match[0], ":") || strings.HasPrefix(match[0], "imap-exporter: ") {
					continue
				}
				found++
				if err := understand(strings.Fields(match[1])); err != nil {
					t.Errorf("%s: %s: %v", filepath.Base(file), strings.TrimSpace(match[0]), err)
				}
			}
		}
	}
	if found < 15 {
		t.Errorf("only %d commands", found)
	}
}

// understand parses a command line, and runs nothing.
func understand(args []string) error {
	root := newRootCommand()
	root.InitDefaultCompletionCmd(args...)
	cmd, rest, err := root.Find(args)
	if err != nil {
		return err
	}
	if err := cmd.ParseFlags(rest); err != nil {
		return err
	}
	if cmd.Args == nil {
		return nil
	}
	return cmd.Args(cmd, cmd.Flags().Args())
}
