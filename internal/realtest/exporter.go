package realtest

import (
	"context"
	"fmt"
	"net/http"
	"os/exec"
	"path/filepath"
)

// Build builds our own program from the repository whose root this is, and returns its path, in dir.
func Build(ctx context.Context, repository, dir string) (binary string, err error) {
	binary = filepath.Join(dir, "imap-exporter")
	cmd := exec.CommandContext(ctx, "go", "build", "-o", binary, "./cmd/exporter")
	cmd.Dir = repository
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("building the exporter: %w\n%s", err, out)
	}
	return binary, nil
}

// StartExporter runs our own program with a configuration file and more flags, and waits until it is ready. The returned
// stop kills it, after an error too.
func StartExporter(ctx context.Context, binary, config string, flags ...string) (e *Tool, stop func(), err error) {
	config, err = filepath.Abs(config)
	if err != nil {
		return nil, func() {}, err
	}
	s, err := startTool(ctx, "", binary, "/-/ready", append([]string{"--config.file=" + config}, flags...))
	return &s, s.stop, err
}

// Post asks for something that answers nothing, such as /-/reload, and returns the status.
func (s *Tool) Post(ctx context.Context, path string) (status int, err error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, s.URL+path, http.NoBody)
	if err != nil {
		return 0, err
	}
	req.Close = true
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return 0, err
	}
	return resp.StatusCode, resp.Body.Close()
}
