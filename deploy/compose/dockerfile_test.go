package compose

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// The Dockerfile copies only what exists, and all files that the program is built from. The image runs as an unprivileged user.
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
	const list = `{{if .Module}}{{if .Module.Main}}{{$dir := .Dir}}{{range .GoFiles}}{{$dir}}/{{.}}
{{end}}{{range .EmbedFiles}}{{$dir}}/{{.}}
{{end}}{{end}}{{end}}`
	cmd := exec.CommandContext(t.Context(), "go", "list", "-deps", "-f", list, "./cmd/exporter")
	cmd.Dir = build.Context
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	root, err := filepath.Abs(build.Context)
	if err != nil {
		t.Fatal(err)
	}
	for file := range strings.FieldsSeq(string(out)) {
		name, err := filepath.Rel(root, file)
		if err != nil {
			t.Fatal(err)
		}
		if !copied[strings.Split(name, "/")[0]] {
			t.Errorf("the program needs %s, which is not copied", name)
		}
	}
	if !strings.Contains(string(text), "\nUSER 65532:65532\n") {
		t.Error("it runs as root")
	}
}
