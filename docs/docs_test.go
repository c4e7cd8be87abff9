// Package docs_test compares the documentation with the code: names, links and commands.
package docs_test

import (
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode"

	"github.com/google/go-cmp/cmp"

	"imap-exporter/internal/mailtest/hostile"
	"imap-exporter/probe"
)

// root is the repository's.
const root = ".."

var (
	fence = regexp.MustCompile("(?ms)^```[^\n]*\n(.*?)^```$")
	span  = regexp.MustCompile("`([^`\n]+)`")
	// link matches [text](target) and ![text](target).
	link    = regexp.MustCompile(`\]\(([^)\s]+)\)`)
	heading = regexp.MustCompile(`(?m)^#+ (.+)$`)
	// path matches paths of the repository.
	path = regexp.MustCompile(`^(\.ci|cmd|collectors|dashboards|deploy|docs|internal|probe)/[\w./-]*$`)
	// testLink matches a link to a test: its name, and the file that has it.
	testLink = regexp.MustCompile("\\[`((?:Test|Fuzz)\\w+)`\\]\\(([^)\\s]+_test\\.go)\\)")
	rule     = regexp.MustCompile(`(?m)^([a-z0-9-]+):`)
)

// TestPhasesAndReasons compares the tables of phases and reasons with the closed lists.
func TestPhasesAndReasons(t *testing.T) {
	for _, file := range []string{"README.md", "docs/imap.md"} {
		text := read(t, file)
		if diff := cmp.Diff(sorted(probe.IMAP.Phases), column(text, "phase")); diff != "" {
			t.Errorf("%s, phases:\n%s", file, diff)
		}
		if diff := cmp.Diff(sorted(probe.IMAP.Reasons), column(text, "reason")); diff != "" {
			t.Errorf("%s, reasons:\n%s", file, diff)
		}
	}
}

// TestLinks follows every link from one file of ours to another, and to its headings.
func TestLinks(t *testing.T) {
	for _, file := range markdown(t) {
		prose := fence.ReplaceAllString(read(t, file), "")
		for _, found := range link.FindAllStringSubmatch(prose, -1) {
			if strings.Contains(found[1], "://") {
				continue
			}
			target, anchor, _ := strings.Cut(found[1], "#")
			to := file
			if target != "" {
				to = filepath.Join(filepath.Dir(file), target)
			}
			if _, err := os.Stat(filepath.Join(root, to)); err != nil {
				t.Errorf("%s: link to %s: %v", file, found[1], err)
			} else if anchor != "" && !slices.Contains(anchors(read(t, to)), anchor) {
				t.Errorf("%s: link to %s: no such heading", file, found[1])
			}
		}
	}
}

// TestCommands checks the commands that pages tell readers to type, and the files that they name.
func TestCommands(t *testing.T) {
	_, run, _ := strings.Cut(read(t, "README.md"), "\n## Run\n")
	want := []string{"go run ./cmd/exporter", "make test"}
	if example := fence.FindStringSubmatch(run); example == nil {
		t.Error("README.md has no commands under Run")
	} else if diff := cmp.Diff(want, commands(example[1])); diff != "" {
		t.Errorf("README.md has other commands under Run:\n%s", diff)
	}
	var targets []string
	for _, found := range rule.FindAllStringSubmatch(read(t, "Makefile"), -1) {
		targets = append(targets, found[1])
	}
	for _, file := range markdown(t) {
		for _, command := range code(read(t, file)) {
			for _, wrong := range missing(command, targets) {
				t.Errorf("%s: `%s`: there is no %s", file, command, wrong)
			}
		}
	}
}

// TestNamedTestsExist checks that each linked test and each named case of a hostile server exists.
func TestNamedTestsExist(t *testing.T) {
	known := map[string]bool{}
	all := hostile.Cases("")
	for _, file := range []string{"README.md", "docs/security.md"} {
		if !strings.Contains(read(t, file), fmt.Sprintf(" %d ", len(all))) {
			t.Errorf("%s doesn't give the number of hostile servers, %d", file, len(all))
		}
	}
	for _, c := range all {
		known[c.Group] = true
		known[c.Group+"/"+c.Name] = true
		known[c.Group+"/*"] = true
	}
	tests, cases := 0, 0
	for _, file := range markdown(t) {
		text := read(t, file)
		for _, found := range testLink.FindAllStringSubmatch(text, -1) {
			tests++
			source := filepath.Join(filepath.Dir(file), found[2])
			if _, err := os.Stat(filepath.Join(root, source)); err != nil || !strings.Contains(read(t, source), "\nfunc "+found[1]+"(") {
				t.Errorf("%s: there is no %s in %s", file, found[1], source)
			}
		}
		if filepath.Base(file) != "SECURITY.md" {
			continue
		}
		for _, found := range span.FindAllStringSubmatch(text, -1) {
			group, _, isCase := strings.Cut(found[1], "/")
			if isCase && known[group] {
				cases++
			}
			if isCase && known[group] && !known[found[1]] {
				t.Errorf("%s: there is no case %s", file, found[1])
			}
		}
	}
	if tests < 40 || cases < 20 {
		t.Errorf("only %d tests and %d cases are named", tests, cases)
	}
}

// missing returns the targets of make, packages and files that command names and that don't exist.
func missing(command string, targets []string) (wrong []string) {
	words := strings.Fields(command)
	for _, word := range words[1:] {
		if words[0] == "make" && !strings.Contains(word, "=") && !slices.Contains(targets, word) {
			wrong = append(wrong, "target "+word)
		}
	}
	for _, word := range words {
		if name := strings.TrimPrefix(word, "./"); path.MatchString(name) && !strings.HasSuffix(name, "...") {
			if _, err := os.Stat(filepath.Join(root, name)); err != nil {
				wrong = append(wrong, word)
			}
		}
	}
	return wrong
}

// column returns the code spans, sorted, in the columns of this title, of all tables.
func column(text, title string) []string {
	found := map[string]bool{}
	var titles []string
	for line := range strings.Lines(text) {
		if !strings.HasPrefix(line, "|") {
			titles = nil
			continue
		}
		cells := strings.Split(strings.Trim(strings.TrimSpace(line), "|"), "|")
		if titles == nil {
			titles = cells
		}
		for i, cell := range cells[:min(len(cells), len(titles))] {
			if strings.TrimSpace(titles[i]) != title {
				continue
			}
			for _, name := range span.FindAllStringSubmatch(cell, -1) {
				found[name[1]] = true
			}
		}
	}
	return slices.Sorted(maps.Keys(found))
}

func sorted[T ~string](values []T) []string {
	var words []string
	for _, v := range values {
		words = append(words, string(v))
	}
	slices.Sort(words)
	return words
}

// anchors returns the anchors of the headings, as a renderer generates them.
func anchors(text string) []string {
	var names []string
	for _, found := range heading.FindAllStringSubmatch(fence.ReplaceAllString(text, ""), -1) {
		names = append(names, strings.Map(func(r rune) rune {
			switch {
			case r == ' ':
				return '-'
			case r == '-', r == '_', unicode.IsLetter(r), unicode.IsDigit(r):
				return unicode.ToLower(r)
			}
			return -1
		}, found[1]))
	}
	return names
}

// code returns all commands in code blocks, and all code spans.
func code(text string) []string {
	var all []string
	for _, found := range fence.FindAllStringSubmatch(text, -1) {
		all = append(all, commands(found[1])...)
	}
	for _, found := range span.FindAllStringSubmatch(fence.ReplaceAllString(text, ""), -1) {
		if words := strings.TrimSpace(found[1]); words != "" {
			all = append(all, words)
		}
	}
	return all
}

// commands returns the lines of a code block without prompts and comments.
func commands(block string) []string {
	var lines []string
	for line := range strings.Lines(block) {
		line, _, _ = strings.Cut(strings.TrimPrefix(line, "$ "), "#")
		if line = strings.TrimSpace(line); line != "" {
			lines = append(lines, line)
		}
	}
	return lines
}

// markdown returns all Markdown files of the repository, except those below build.
func markdown(t *testing.T) []string {
	t.Helper()
	var files []string
	err := fs.WalkDir(os.DirFS(root), ".", func(name string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case entry.IsDir() && (name == "build" || name == ".git"): // In a worktree, .git is a file.
			return fs.SkipDir
		case filepath.Ext(name) == ".md":
			files = append(files, name)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

func read(t *testing.T, file string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(root, file))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
