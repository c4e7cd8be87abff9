package config

import (
	"crypto/sha256"
	"os"
	"path/filepath"
	"slices"
	"time"
)

// settle is how long a file must have been left alone to count as finished: half a list of accounts is valid, too.
const settle = time.Second

// Sources are the files that a configuration was made of, as they were read: the configuration file, account_files,
// authorities, certificates and keys. Those of secrets aren't among them, since they are read again at each login.
type Sources struct {
	sums  map[string][sha256.Size]byte
	globs map[string][]string
}

func newSources() *Sources {
	return &Sources{sums: map[string][sha256.Size]byte{}, globs: map[string][]string{}}
}

// read reads a file as readRegular does, and notes what it held.
func (s *Sources) read(path string) ([]byte, error) {
	data, err := readRegular(path, maxFileBytes)
	s.sums[path] = sha256.Sum256(data)
	return data, err
}

// glob returns the files that match, and notes which.
func (s *Sources) glob(pattern string) ([]string, error) {
	paths, err := filepath.Glob(pattern)
	s.globs[pattern] = slices.Clone(paths)
	return paths, err
}

// Changed reports whether Load would read something else by now.
func (s *Sources) Changed() bool {
	for path, sum := range s.sums {
		if data, err := readRegular(path, maxFileBytes); err != nil || sha256.Sum256(data) != sum {
			return true
		}
	}
	for pattern, before := range s.globs {
		if paths, err := filepath.Glob(pattern); err != nil || !slices.Equal(paths, before) {
			return true
		}
	}
	return false
}

// Settled reports whether no file that Load would read was written to within the last second.
func (s *Sources) Settled() bool {
	for path := range s.sums {
		if isBeingWritten(path) {
			return false
		}
	}
	for pattern := range s.globs {
		if paths, err := filepath.Glob(pattern); err == nil && slices.ContainsFunc(paths, isBeingWritten) {
			return false
		}
	}
	return true
}

// isBeingWritten reports whether a file was written to just now. A time in the future is somebody else's clock.
func isBeingWritten(path string) bool {
	info, err := os.Stat(path)
	if err != nil {
		return false
	}
	age := time.Since(info.ModTime())
	return age >= 0 && age < settle
}
