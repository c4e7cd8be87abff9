package config

import (
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
)

// An exposure collects files of secrets that every user of the machine may read. It is a warning and no refusal, since
// Kubernetes mounts secrets with mode 0644 into containers where nobody else is.
type exposure struct {
	// credentials is systemd's folder of credentials, which it guards itself; "" for none.
	credentials string
	// reachable says of each folder that was looked at whether every user may enter it, and all folders above it.
	reachable map[string]bool
	first     place
	path      string
	mode      fs.FileMode
	others    int
	seen      map[string]bool
}

func newExposure(credentials string) *exposure {
	return &exposure{credentials: credentials, reachable: map[string]bool{}, seen: map[string]bool{}}
}

// note looks at a file that p names, or that p stands in.
func (e *exposure) note(path string, p place) {
	if e.seen[path] || runtime.GOOS == "windows" { // There, modes say nothing.
		return
	}
	e.seen[path] = true
	mode, exposed := e.look(path)
	switch {
	case !exposed:
	case e.path == "":
		e.first, e.path, e.mode = p, path, mode
	default:
		e.others++
	}
}

// look reports whether every user may read a file: its mode says so, and that of every folder above it.
func (e *exposure) look(path string) (fs.FileMode, bool) {
	const readByAll = 0o004
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm()&readByAll == 0 {
		return 0, false
	}
	if e.credentials != "" && strings.HasPrefix(path, filepath.Clean(e.credentials)+string(filepath.Separator)) {
		return 0, false
	}
	path, err = filepath.EvalSymlinks(path)
	if err == nil {
		path, err = filepath.Abs(path)
	}
	if err != nil {
		return 0, false
	}
	return info.Mode().Perm(), e.reaches(filepath.Dir(path))
}

// reaches reports whether every user may enter a folder.
func (e *exposure) reaches(folder string) bool {
	const enteredByAll = 0o001
	if known, ok := e.reachable[folder]; ok {
		return known
	}
	info, err := os.Stat(folder)
	reaches := err == nil && info.Mode().Perm()&enteredByAll != 0
	if above := filepath.Dir(folder); reaches && above != folder {
		reaches = e.reaches(above)
	}
	e.reachable[folder] = reaches
	return reaches
}

// warn warns of all that was found, in one line: ten thousand accounts have as many files.
func (e *exposure) warn() {
	switch {
	case e.path == "":
	case e.others == 0:
		e.first.warn("%s: every user of this machine may read this secret (mode %04o): %s", e.path, e.mode, mend(e.path))
	default:
		e.first.warn("%s: every user of this machine may read this secret (mode %04o), and %d more: %s", e.path, e.mode, e.others, mend(e.path))
	}
}

func mend(path string) string {
	return "chmod o= " + path + "; in Kubernetes, defaultMode: 0440 with an fsGroup"
}
