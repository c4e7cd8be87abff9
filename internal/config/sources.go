package config

import (
	"crypto/sha256"
	"os"
	"path/filepath"
	"slices"
	"time"
)

// settleTime is how long a file must be unchanged before it counts as complete: half a list of accounts is valid YAML, too.
const settleTime = time.Second

// Sources are the files of a configuration with hashes of their content: the configuration file, account_files, authorities,
// certificates and keys. Files with secrets aren't among them, since they are read again before each login.
type Sources struct {
	sums  map[string][sha256.Size]byte
	globs map[string][]string
}

func newSources() *Sources {
	return &Sources{sums: map[string][sha256.Size]byte{}, globs: map[string][]string{}}
}

// read reads a file like readRegular, and records its hash.
func (s *Sources) read(path string) ([]byte, error) {
	data, err := readRegular(path, maxFileBytes)
	s.sums[path] = sha256.Sum256(data)
	return data, err
}

// glob returns the files that match, and records their names.
func (s *Sources) glob(pattern string) ([]string, error) {
	paths, err := filepath.Glob(pattern)
	s.globs[pattern] = slices.Clone(paths)
	return paths, err
}

// Changed reports whether Load would now read other content.
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

// isBeingWritten reports whether a file was modified within settleTime. A modification time in the future, from another
// machine's clock, doesn't count.
func isBeingWritten(path string) bool {
	info, err := os.Stat(path)
	if err != nil {
		return false
	}
	age := time.Since(info.ModTime())
	return age >= 0 && age < settleTime
}
