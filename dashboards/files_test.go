package dashboards

import (
	"flag"
	"os"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "write the JSON files")

// TestFiles compares the JSON files with what the package makes, or writes them.
func TestFiles(t *testing.T) {
	for _, d := range All() {
		made, err := d.JSON()
		if err != nil {
			t.Fatal(err)
		}
		if *update {
			if err := os.WriteFile(d.File(), made, 0o644); err != nil { //nolint:gosec // It is for everybody.
				t.Fatal(err)
			}
		}
		there, err := os.ReadFile(d.File())
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(string(there), string(made)); diff != "" {
			t.Errorf("%s is not what the code makes; go test ./dashboards -update writes it:\n%s", d.File(), diff)
		}
	}
}
