package realtest

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// Capture keeps output of the program, such as a page or its log, for the search for passwords that follows the test run.
// Outside `make test` it does nothing.
func Capture(t testing.TB, name string, output []byte) {
	t.Helper()
	dir := os.Getenv("IMAP_EXPORTER_TEST_OUTPUT")
	if dir == "" {
		return
	}
	safe := strings.NewReplacer("/", "_", " ", "_")
	file, err := os.CreateTemp(dir, safe.Replace(t.Name()+"-"+name)+"-*")
	if errors.Is(err, syscall.EROFS) { // A test that has made all folders read-only. Its own output is searched, too.
		t.Logf("%s:\n%s", name, output)
		return
	}
	if err != nil {
		t.Fatal(err)
	}
	_, err = file.Write(output)
	if closeErr := file.Close(); err != nil || closeErr != nil {
		t.Fatalf("%s: %v, %v", filepath.Base(file.Name()), err, closeErr)
	}
}
