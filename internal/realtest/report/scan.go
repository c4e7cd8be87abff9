package main

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"imap-exporter/internal/realtest/leak"
)

// scan searches all files below dir for passwords, and returns the first line with one in each file.
func scan(dir string) ([]string, error) {
	var found []string
	err := filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		if password, line := leak.Find(text); line > 0 {
			found = append(found, fmt.Sprintf("%s:%d: %s", path, line, password))
		}
		return nil
	})
	return found, err
}
