// Command report runs `go test -json` with the given arguments, one run after the other where `--` stands between them, and
// prints a summary: each package's result, the whole output of what failed, which real servers really ran, what was skipped
// and why, and how long each run took. The whole output goes to a file, which is then searched for the passwords that the
// tests use.
//
// Usage: report DIR [go test arguments] [-- go test arguments]...
//
// DIR is emptied first. It receives output.log and, through the environment variable IMAP_EXPORTER_TEST_OUTPUT, whatever the
// tests give to realtest.Capture. The exit status is 1 if anything failed, if a password was found, or, under
// IMAP_EXPORTER_TEST_ALL=1, if anything was skipped.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"
)

func main() {
	if err := run(os.Args[1:], os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "report:", err)
		os.Exit(1)
	}
}

func run(args []string, stdout io.Writer) error {
	if len(args) == 0 {
		return errors.New("usage: report DIR [go test arguments]")
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	dir, err := filepath.Abs(args[0])
	if err != nil {
		return err
	}
	if err := os.RemoveAll(dir); err != nil {
		return err
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	log, err := os.Create(filepath.Join(dir, "output.log"))
	if err != nil {
		return err
	}
	defer log.Close()

	s := newSummary(stdout, log)
	var failed error
	for _, arguments := range split(args[1:]) {
		begin := time.Now()
		failed = errors.Join(failed, goTest(ctx, dir, arguments, s))
		fmt.Fprintf(stdout, "go test %s: %v\n", strings.Join(arguments, " "), time.Since(begin).Round(time.Second))
	}
	found, err := scan(dir)
	if err != nil {
		return err
	}
	s.print(found)
	return errors.Join(failed, s.verdict(found, os.Getenv("IMAP_EXPORTER_TEST_ALL") == "1"))
}

// split returns the arguments of each run.
func split(args []string) (runs [][]string) {
	for {
		i := slices.Index(args, "--")
		if i < 0 {
			return append(runs, args)
		}
		runs, args = append(runs, args[:i]), args[i+1:]
	}
}

// goTest runs the tests and hands their events to s.
func goTest(ctx context.Context, dir string, args []string, s *summary) error {
	cmd := exec.CommandContext(ctx, "go", append([]string{"test", "-json"}, args...)...)
	cmd.Env = append(os.Environ(), "IMAP_EXPORTER_TEST_OUTPUT="+dir)
	cmd.Stderr = io.MultiWriter(s.stdout, s.log)
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) } // go test ends its tests then.
	events, err := cmd.StdoutPipe()
	if err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return err
	}
	err = s.read(events)
	if waitErr := cmd.Wait(); waitErr != nil {
		err = errors.Join(err, fmt.Errorf("go test: %w", waitErr))
	}
	return err
}
