package stack

import (
	"os"
	"path/filepath"
	"regexp"
	"testing"
	"time"

	"github.com/prometheus/common/model"
)

// timeScale is how much faster than in the files time passes in the rules of this test.
const timeScale = 20

// durations finds what time is in a rules file: of a group, of an alert, of a window and of an offset.
var durations = regexp.MustCompile(`((?m:^ *(?:interval|for|keep_firing_for): )|\[|\boffset )([0-9][0-9a-z]*)`)

// scaledRules copies the rules of the repository with all durations divided by timeScale, and nothing else changed.
// Numbers of seconds, such as those of the thresholds, are no durations to PromQL, and stay.
func scaledRules(t *testing.T) (pattern string) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(root, "dashboards/rules/*.yaml"))
	if err != nil || len(files) < 3 {
		t.Fatalf("rules %q, %v, want three files", files, err)
	}
	dir := t.TempDir()
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		scaled := durations.ReplaceAllFunc(text, func(found []byte) []byte {
			m := durations.FindSubmatch(found)
			d, err := model.ParseDuration(string(m[2]))
			if err != nil {
				t.Fatalf("%s: %v", file, err)
			}
			return append(m[1], model.Duration(time.Duration(d)/timeScale).String()...)
		})
		if err := os.WriteFile(filepath.Join(dir, filepath.Base(file)), scaled, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return filepath.Join(dir, "*.yaml")
}
