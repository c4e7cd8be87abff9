// Package program builds the exporter and runs it as a process of its own, for tests, benchmarks and demostack.
package program

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"

	"golang.org/x/sys/unix"
)

// Build builds the program as `make build` does, once in a process, and returns its path, below the repository's folder build.
// Processes that build at the same time wait for one another; if nothing has changed, it takes a moment.
var Build = sync.OnceValues(build)

func build() (path string, err error) {
	ctx := context.Background()
	module, err := exec.CommandContext(ctx, "go", "env", "GOMOD").Output()
	if err != nil {
		return "", fmt.Errorf("looking for the repository: %w", err)
	}
	folder := filepath.Join(filepath.Dir(strings.TrimSpace(string(module))), "build", "program")
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return "", err
	}
	lock, err := os.OpenFile(filepath.Join(folder, "lock"), os.O_CREATE|os.O_RDWR, 0o644)
	if err != nil {
		return "", err
	}
	defer lock.Close() // Which unlocks it.
	if err := unix.Flock(int(lock.Fd()), unix.LOCK_EX); err != nil {
		return "", fmt.Errorf("waiting for other builds: %w", err)
	}
	path = filepath.Join(folder, "imap-exporter")
	if out, err := exec.CommandContext(ctx, "go", "build", "-trimpath", "-o", path, "imap-exporter/cmd/exporter").CombinedOutput(); err != nil {
		return "", fmt.Errorf("building the program: %w\n%s", err, out)
	}
	return path, nil
}
