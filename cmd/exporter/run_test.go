package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// shipped is the configuration that comes with the program.
const shipped = "../../config.yaml"

// Every faulty configuration of package config's table is refused with just the lines that it announces itself.
func TestCheckRefusesBadFiles(t *testing.T) {
	for _, file := range tableFiles(t, "*.bad.yaml") {
		t.Run(file, func(t *testing.T) {
			var stdout, stderr bytes.Buffer
			status := run(t.Context(), []string{"check", "--config.file", file}, &stdout, &stderr)
			if status != 1 || stdout.Len() > 0 {
				t.Errorf("status %d, stdout %q", status, &stdout)
			}
			var want strings.Builder
			for _, problem := range comments(t, file, "want") {
				fmt.Fprintf(&want, "%s\n", problem)
			}
			if diff := cmp.Diff(want.String(), stderr.String()); diff != "" || want.Len() == 0 {
				t.Errorf("stderr (-want +got):\n%s", diff)
			}
		})
	}
}

func TestCheckAcceptsGoodFiles(t *testing.T) {
	for _, file := range tableFiles(t, "*.good.yaml") {
		t.Run(file, func(t *testing.T) {
			for _, env := range comments(t, file, "env") {
				name, value, _ := strings.Cut(env, "=")
				t.Setenv(name, value)
			}
			var stdout, stderr bytes.Buffer
			status := run(t.Context(), []string{"check", "--config.file", file}, &stdout, &stderr)
			if status != 0 || !strings.HasPrefix(stdout.String(), "ACCOUNT ") {
				t.Errorf("status %d, stdout %q, stderr %q", status, &stdout, &stderr)
			}
			var want strings.Builder
			for _, warning := range comments(t, file, "warn") {
				fmt.Fprintf(&want, "warning: %s\n", warning)
			}
			if diff := cmp.Diff(want.String(), stderr.String()); diff != "" {
				t.Errorf("stderr (-want +got):\n%s", diff)
			}
		})
	}
}

// tableFiles makes package config's table the working directory and returns the files that match.
func tableFiles(t *testing.T, pattern string) []string {
	folder := t.TempDir() // Nobody else may read it, so no file is exposed, whatever a checkout made of its mode.
	if err := os.CopyFS(folder, os.DirFS("../../internal/config/testdata")); err != nil {
		t.Fatal(err)
	}
	t.Chdir(folder)
	files, err := filepath.Glob(pattern)
	if err != nil || len(files) == 0 {
		t.Fatalf("%s: %d files, %v", pattern, len(files), err)
	}
	return files
}

// comments returns what the comments "# word: …" of a file say.
func comments(t *testing.T, file, word string) []string {
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var texts []string
	for line := range strings.Lines(strings.TrimPrefix(string(data), "\ufeff")) {
		if text, ok := strings.CutPrefix(line, "# "+word+": "); ok {
			texts = append(texts, strings.TrimSuffix(text, "\n"))
		}
	}
	return texts
}
