package config

import (
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
)

// A permissionCheck collects files with secrets that every user of the machine may read. They are a warning and no error,
// since Kubernetes mounts secrets with mode 0644 into containers where nobody else is.
type permissionCheck struct {
	// credentials is systemd's directory of credentials, which it protects itself; "" for none.
	credentials string
	// reachable says for each directory whether every user may enter it and all directories above it.
	reachable map[string]bool
	// first is the position of the first file found, path and mode are that file's, and others counts those after it.
	first  position
	path   string
	mode   fs.FileMode
	others int
	seen   map[string]bool
}

func newPermissionCheck(credentials string) *permissionCheck {
	return &permissionCheck{credentials: credentials, reachable: map[string]bool{}, seen: map[string]bool{}}
}

// check looks at a file with a secret, which the key at p names, or which p is in.
func (c *permissionCheck) check(path string, p position) {
	if c.seen[path] || runtime.GOOS == "windows" { // Modes say nothing there.
		return
	}
	c.seen[path] = true
	mode, readable := c.readableByAll(path)
	switch {
	case !readable:
	case c.path == "":
		c.first, c.path, c.mode = p, path, mode
	default:
		c.others++
	}
}

// readableByAll reports whether every user may read a file, by its own mode and those of the directories above it.
func (c *permissionCheck) readableByAll(path string) (fs.FileMode, bool) {
	const readByAll = 0o004
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm()&readByAll == 0 {
		return 0, false
	}
	if c.credentials != "" && strings.HasPrefix(path, filepath.Clean(c.credentials)+string(filepath.Separator)) {
		return 0, false
	}
	path, err = filepath.EvalSymlinks(path)
	if err == nil {
		path, err = filepath.Abs(path)
	}
	if err != nil {
		return 0, false
	}
	return info.Mode().Perm(), c.reachableByAll(filepath.Dir(path))
}

// reachableByAll reports whether every user may enter a directory and all those above it.
func (c *permissionCheck) reachableByAll(dir string) bool {
	const enteredByAll = 0o001
	if known, ok := c.reachable[dir]; ok {
		return known
	}
	info, err := os.Stat(dir)
	reachable := err == nil && info.Mode().Perm()&enteredByAll != 0
	if parent := filepath.Dir(dir); reachable && parent != dir {
		reachable = c.reachableByAll(parent)
	}
	c.reachable[dir] = reachable
	return reachable
}

// warn warns of all files found, in one line: ten thousand accounts have as many files.
func (c *permissionCheck) warn() {
	const hint = "chmod o= %[1]s; in Kubernetes, defaultMode: 0440 with an fsGroup"
	switch {
	case c.path == "":
	case c.others == 0:
		c.first.warnf("%[1]s: every user of this machine may read this secret (mode %04[2]o): "+hint, c.path, c.mode)
	default:
		c.first.warnf("%[1]s: every user of this machine may read this secret (mode %04[2]o), and %[3]d more: "+hint, c.path, c.mode, c.others)
	}
}
