package main

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
)

var (
	// canary is what every password and token in a test looks like.
	canary = regexp.MustCompile(`canary-[0-9a-z-]*-secret`)
	// encoded is a text that may be base64, in either alphabet.
	encoded = regexp.MustCompile(`[A-Za-z0-9+/_-]{16,}`)
)

// scan searches all files below dir for passwords and tells in which lines they are.
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
		for i, line := range bytes.Split(text, []byte("\n")) {
			if password := leak(line); password != "" {
				found = append(found, fmt.Sprintf("%s:%d: %s", path, i+1, password))
			}
		}
		return nil
	})
	return found, err
}

// leak returns a password that is in the line, as it is or in base64.
func leak(line []byte) string {
	if password := canary.Find(line); password != nil {
		return string(password)
	}
	for _, run := range encoded.FindAll(line, -1) {
		run = bytes.ReplaceAll(bytes.ReplaceAll(run, []byte("-"), []byte("+")), []byte("_"), []byte("/"))
		// The run may begin with other characters of the alphabet, so that base64 starts at any of four.
		for start := range 4 {
			rest := run[start:]
			plain := make([]byte, base64.RawStdEncoding.DecodedLen(len(rest)))
			n, _ := base64.RawStdEncoding.Decode(plain, rest) // What was decoded before an error counts.
			if password := canary.Find(plain[:n]); password != nil {
				return string(password) + " in base64"
			}
		}
	}
	return ""
}
