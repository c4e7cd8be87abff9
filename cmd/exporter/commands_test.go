package main

import (
	"fmt"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"imap-exporter/internal/realtest"
)

// exits is the script command that runs a program, and expects an exit status.
func exits(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: exits status program [arguments]")
	}
	status := 0
	if err := ts.Exec(args[1], args[2:]...); err != nil {
		exit, ok := err.(*exec.ExitError) //nolint:errorlint // testscript gives it as it is.
		if !ok {
			ts.Fatalf("%v", err)
		}
		status = exit.ExitCode()
	}
	if got := strconv.Itoa(status); got != args[0] {
		ts.Fatalf("exit status %s, want %s\n%s", got, args[0], ts.ReadFile("stderr"))
	}
}

// nagiosLine is the script command that reads stdout as Nagios does, and expects a state.
func nagiosLine(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: nagios state")
	}
	if err := parseNagios(ts.ReadFile("stdout"), args[0]); err != nil {
		ts.Fatalf("%v:\n%s", err, ts.ReadFile("stdout"))
	}
}

// parseNagios reads the output of a plugin by the rules of the Monitoring Plugins Development Guidelines: a line of
// "service state - text", and behind a | values of the form 'label'=value[unit];[warning];[critical];[minimum];[maximum].
func parseNagios(output, state string) error {
	line, rest, _ := strings.Cut(output, "\n")
	if rest != "" {
		return fmt.Errorf("more than one line")
	}
	text, data, hasData := strings.Cut(line, "|")
	if !regexp.MustCompile(`^IMAP ` + state + ` - \S`).MatchString(text) {
		return fmt.Errorf("not IMAP %s", state)
	}
	if strings.Contains(data, "|") || hasData && strings.TrimSpace(data) == "" {
		return fmt.Errorf("values are not well-formed")
	}
	value := regexp.MustCompile(`^(?:'((?:[^'=]|'')+)'|([^'= ]+))=(-?[0-9]+(?:\.[0-9]+)?)(s|%|B|c)?((?:;@?(?:~|-?[0-9.]+)?:?(?:-?[0-9.]+)?){0,4})(?: +|$)`)
	seen := map[string]bool{}
	for data = strings.TrimSpace(data); data != ""; {
		match := value.FindStringSubmatch(data)
		if match == nil {
			return fmt.Errorf("no value: %s", data)
		}
		label := match[1] + match[2]
		if seen[label] {
			return fmt.Errorf("%s is there twice", label)
		}
		seen[label] = true
		data = data[len(match[0]):]
	}
	return nil
}

// The parser must be able to fail.
func TestParseNagios(t *testing.T) {
	for output, ok := range map[string]bool{
		"IMAP OK - fine\n": true,
		"IMAP OK - fine | time=0.1s;1;2;0 'it''s it'=5;@1:2;~:3\n": true,
		"IMAP OK - fine\nmore\n":                                   false,
		"IMAP WARNING - fine\n":                                    false,
		"IMAP OK - fine | time=\n":                                 false,
		"IMAP OK - fine | a b=1\n":                                 false,
		"IMAP OK - fine | a=1x\n":                                  false,
		"IMAP OK - fine | a=1 a=2\n":                               false,
		"IMAP OK - fine | a=1 | b=2\n":                             false,
		"IMAP OK - fine |\n":                                       false,
		"imap-exporter: something went wrong\n":                    false,
	} {
		if err := parseNagios(output, "OK"); (err == nil) != ok {
			t.Errorf("%q: %v", output, err)
		}
	}
}

// The manual is well-formed.
func TestManual(t *testing.T) {
	mandoc := realtest.Command(t, "mandoc")
	folder := t.TempDir()
	var stdout, stderr strings.Builder
	if status := run(t.Context(), []string{"man", folder}, &stdout, &stderr); status != 0 {
		t.Fatalf("status %d: %s", status, &stderr)
	}
	pages, err := filepath.Glob(filepath.Join(folder, "*.1"))
	if err != nil || len(pages) < 5 {
		t.Fatalf("%v, %v", pages, err)
	}
	for _, page := range pages {
		if out, err := exec.CommandContext(t.Context(), mandoc, "-Tlint", "-Werror", page).CombinedOutput(); err != nil {
			t.Errorf("%v:\n%s", err, out)
		}
	}
}
