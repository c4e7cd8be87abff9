package probe

import (
	"errors"
	"os"
	"strings"
	"syscall"
)

// starved reports whether err came of too many open files, in this process or on this machine.
func starved(err error) bool { return errors.Is(err, syscall.EMFILE) || errors.Is(err, syscall.ENFILE) }

// resolveFailed returns err, or what is true instead: without a file left to open, no resolver says so. Go's own has the
// system's words in its text, the C library's calls any name unknown.
func resolveFailed(err error) error {
	if strings.Contains(err.Error(), syscall.EMFILE.Error()) {
		return syscall.EMFILE
	}
	file, openErr := os.Open(os.DevNull)
	if openErr == nil {
		_ = file.Close()
	}
	if starved(openErr) {
		return openErr
	}
	return err
}
