package realtest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// A Tool is a running server of Prometheus' family, which serves HTTP on loopback, and needs no root to run.
type Tool struct {
	// Version is such as "2.42.0".
	Version string
	// URL is where it answers, without a slash at the end.
	URL string
	// Log returns what it has logged so far.
	Log func() string

	stop func()
}

// FindTool returns the path of a program of a package that scripts/install.sh has installed, or that the system has.
func FindTool(dir, name string) (string, error) {
	path := filepath.Join(installed(dir), "usr/bin", name)
	if _, err := os.Stat(path); err == nil {
		return path, nil
	}
	path, err := exec.LookPath(name)
	if err != nil {
		return "", fmt.Errorf("%w, nor is it in %s", err, installed(dir))
	}
	return path, nil
}

// findTool is FindTool for a test, which can't do without.
func findTool(t testing.TB, dir, name string) string {
	t.Helper()
	path, err := FindTool(dir, name)
	if err != nil {
		Unavailable(t, name, err)
	}
	return path
}

// startTool runs a program in a root directory ("" for the system's own), and waits until it answers at a path. Its stop
// is to be called after an error, too.
func startTool(ctx context.Context, root, binary, ready string, args []string) (s Tool, err error) {
	s.stop = func() {}
	ctx, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
	if s.Version, err = toolVersion(ctx, filepath.Join(root, binary)); err != nil {
		return s, err
	}
	port, err := FreePort()
	if err != nil {
		return s, err
	}
	proc, err := startProcess(root, append([]string{binary, "--web.listen-address=" + loopback(port)}, args...)...)
	if err != nil {
		return s, err
	}
	s.URL, s.Log, s.stop = "http://"+loopback(port), proc.log.String, proc.stop
	if err := proc.await(ctx, func() error { return s.get(ctx, ready, nil) }); err != nil {
		return s, fmt.Errorf("%s: %w\nits log:\n%s", binary, err, s.Log())
	}
	return s, nil
}

func toolVersion(ctx context.Context, binary string) (string, error) {
	out, err := exec.CommandContext(ctx, binary, "--version").CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("%s --version: %w: %s", binary, err, out)
	}
	words := strings.Fields(string(out)) // prometheus, version 2.42.0+ds (branch: …
	if len(words) < 3 {
		return "", fmt.Errorf("%s --version: no version in %q", binary, out)
	}
	version, _, _ := strings.Cut(words[2], "+")
	return version, nil
}

// get decodes the answer of an API, whose errors are JSON as well, or only looks at the status when there is nowhere to.
func (s *Tool) get(ctx context.Context, path string, answer any) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, s.URL+path, nil)
	if err != nil {
		return err
	}
	req.Close = true // An idle connection would outlive the test.
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if answer == nil {
		if resp.StatusCode != http.StatusOK {
			return errors.New(resp.Status)
		}
		return nil
	}
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		return err
	}
	if err := json.Unmarshal(body, answer); err != nil {
		return fmt.Errorf("%s: %w", resp.Status, err)
	}
	return nil
}
