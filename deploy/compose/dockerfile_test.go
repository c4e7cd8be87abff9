package compose

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// The Dockerfile copies what is there, all packages that the program is made of, and ends as a user without rights.
func TestDockerfile(t *testing.T) {
	build := compose(t).Services["exporter"].Build
	text, err := os.ReadFile(filepath.Join(build.Context, build.Dockerfile))
	if err != nil {
		t.Fatal(err)
	}
	copied := map[string]bool{}
	for line := range strings.Lines(string(text)) {
		words := strings.Fields(line)
		if len(words) < 3 || words[0] != "COPY" || strings.HasPrefix(words[1], "--from") {
			continue
		}
		for _, source := range words[1 : len(words)-1] {
			copied[source] = true
			if _, err := os.Stat(filepath.Join(build.Context, source)); err != nil {
				t.Errorf("COPY: %v", err)
			}
		}
	}
	cmd := exec.CommandContext(t.Context(), "go", "list", "-deps", "-f", "{{if not .Standard}}{{.ImportPath}}{{end}}", "./cmd/exporter")
	cmd.Dir = build.Context
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	for pkg := range strings.Lines(string(out)) {
		if ours, ok := strings.CutPrefix(strings.TrimSpace(pkg), "imap-exporter/"); ok && !copied[strings.Split(ours, "/")[0]] {
			t.Errorf("the program needs %s, which is not copied", ours)
		}
	}
	if !strings.Contains(string(text), "\nUSER 65532:65532\n") {
		t.Error("it runs as root")
	}
}
