package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"regexp"
	"slices"
	"strings"
)

// An event is one line of `go test -json`; see `go doc test2json`.
type event struct {
	Action, Package, Test, Output string
}

// A test is a test by its package and name; the package itself has no name.
type test struct{ pkg, name string }

// A summary prints results as they arrive, and collects what to print at the end.
type summary struct {
	stdout, log io.Writer
	// output is what each running test has printed.
	output  map[test]*strings.Builder
	running map[string]bool
	skipped []string
}

func newSummary(stdout, log io.Writer) *summary {
	return &summary{stdout: stdout, log: log, output: map[test]*strings.Builder{}, running: map[string]bool{}}
}

// really matches what package realtest logs when a server has started.
var really = regexp.MustCompile(`: really running (.+)`)

// read takes in events until the end.
func (s *summary) read(events io.Reader) error {
	in := bufio.NewReader(events)
	for {
		line, err := in.ReadBytes('\n')
		if len(line) > 0 {
			var e event
			if jsonErr := json.Unmarshal(line, &e); jsonErr != nil {
				e = event{Action: "output", Output: string(line)} // Not from a test: go itself.
			}
			if err := s.add(e); err != nil {
				return err
			}
		}
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
	}
}

func (s *summary) add(e event) error {
	key := test{e.Package, e.Test}
	switch e.Action {
	case "output", "build-output":
		if m := really.FindStringSubmatch(e.Output); m != nil {
			s.running[m[1]] = true
		}
		if e.Package == "" {
			fmt.Fprint(s.stdout, e.Output)
		} else {
			if s.output[key] == nil {
				s.output[key] = &strings.Builder{}
			}
			s.output[key].WriteString(e.Output)
		}
		_, err := io.WriteString(s.log, e.Output)
		return err
	case "fail":
		fmt.Fprint(s.stdout, s.take(key))
	case "skip":
		if text := s.take(key); e.Test != "" {
			s.skipped = append(s.skipped, fmt.Sprintf("%s %s: %s", e.Package, e.Test, reason(text)))
		}
	case "pass":
		if text := s.take(key); e.Test == "" {
			fmt.Fprintln(s.stdout, lastLine(text))
		}
	}
	return nil
}

// take returns and forgets what a test has printed.
func (s *summary) take(key test) string {
	text := s.output[key]
	if text == nil {
		return ""
	}
	delete(s.output, key)
	return text.String()
}

// reason is what a skipped test logged last.
func reason(output string) string {
	why := "no reason given"
	for line := range strings.Lines(output) {
		line = strings.TrimSpace(line)
		if line != "" && !strings.HasPrefix(line, "=== ") && !strings.HasPrefix(line, "--- ") {
			why = line
		}
	}
	return why
}

func lastLine(text string) string {
	text = strings.TrimRight(text, "\n")
	return text[strings.LastIndexByte(text, '\n')+1:]
}

// print ends the report.
func (s *summary) print(found []string) {
	servers := "nothing"
	if len(s.running) > 0 {
		servers = strings.Join(slices.Sorted(maps.Keys(s.running)), ", ")
	}
	fmt.Fprintf(s.stdout, "\nreally run: %s\n", servers)
	fmt.Fprintf(s.stdout, "skipped: %d\n", len(s.skipped))
	for _, line := range s.skipped {
		fmt.Fprintf(s.stdout, "  %s\n", line)
	}
	fmt.Fprintf(s.stdout, "passwords in the output: %d\n", len(found))
	for _, line := range found {
		fmt.Fprintf(s.stdout, "  %s\n", line)
	}
}

// verdict is nil if the run is as it should be, failures of tests aside: these go test reports itself.
func (s *summary) verdict(found []string, all bool) error {
	var errs []error
	if len(found) > 0 {
		errs = append(errs, errors.New("a password is in the output"))
	}
	if all && len(s.skipped) > 0 {
		errs = append(errs, errors.New("a test was skipped, and IMAP_EXPORTER_TEST_ALL=1 allows none"))
	}
	return errors.Join(errs...)
}
