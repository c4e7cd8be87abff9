package realtest

import (
	"context"
	"embed"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// servers holds, for each server, the files that are laid over its root directory: configuration and start.sh.
//
//go:embed servers
var servers embed.FS

func cacheDir() string {
	if dir := os.Getenv("IMAP_EXPORTER_TEST_ROOTS"); dir != "" {
		return dir
	}
	return "/var/cache/imap-exporter-test"
}

// installed is the root directory that scripts/install.sh made for a server. It is copied, never changed.
func installed(dir string) string { return filepath.Join(cacheDir(), dir) }

// newRoot copies an installed root directory: /usr as hard links, because nothing writes there, and all else file by file.
func newRoot(ctx context.Context, dir string) (root string, remove func(), err error) {
	root, err = os.MkdirTemp(cacheDir(), "run-"+dir+"-")
	if err != nil {
		return "", func() {}, err
	}
	remove = func() { _ = os.RemoveAll(root) }
	if err := os.Chmod(root, 0o755); err != nil { // The server's own users must get in.
		return root, remove, err
	}
	entries, err := os.ReadDir(installed(dir))
	if err != nil {
		return root, remove, err
	}
	rest := []string{"-a", "--target-directory=" + root}
	for _, entry := range entries {
		if entry.Name() != "usr" {
			rest = append(rest, filepath.Join(installed(dir), entry.Name()))
		}
	}
	for _, args := range [][]string{rest, {"-al", filepath.Join(installed(dir), "usr"), root}} {
		if out, err := exec.CommandContext(ctx, "cp", args...).CombinedOutput(); err != nil {
			return root, remove, fmt.Errorf("copying %s: %w: %s", installed(dir), err, out)
		}
	}
	return root, remove, nil
}

// configure lays servers/dir over the root directory, with @NAME@ replaced by its value.
func configure(root, dir string, values map[string]string) error {
	var pairs []string
	for name, value := range values {
		pairs = append(pairs, "@"+name+"@", value)
	}
	fill := strings.NewReplacer(pairs...)
	files, err := fs.Sub(servers, "servers/"+dir)
	if err != nil {
		return err
	}
	return fs.WalkDir(files, ".", func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		text, err := fs.ReadFile(files, path)
		if err != nil {
			return err
		}
		return os.WriteFile(filepath.Join(root, path), []byte(fill.Replace(string(text))), 0o644)
	})
}

// packageVersion returns the upstream part of an installed package's version: 2.3.19.1 of 1:2.3.19.1+dfsg1-2.1+deb12u7.
func packageVersion(ctx context.Context, dir, pkg string) (string, error) {
	admin := "--admindir=" + filepath.Join(installed(dir), "var/lib/dpkg")
	out, err := exec.CommandContext(ctx, "dpkg-query", admin, "-W", "-f", "${Version}", pkg).CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("version of %s: %w: %s", pkg, err, out)
	}
	version := string(out)
	if _, upstream, ok := strings.Cut(version, ":"); ok {
		version = upstream
	}
	if i := strings.IndexAny(version, "+-"); i >= 0 {
		version = version[:i]
	}
	return version, nil
}
