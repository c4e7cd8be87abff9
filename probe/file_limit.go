package probe

import (
	"errors"
	"os"
	"strings"
	"syscall"
)

// isFileLimit reports whether err came of too many open files, in this process or on this machine.
func isFileLimit(err error) bool {
	return errors.Is(err, syscall.EMFILE) || errors.Is(err, syscall.ENFILE)
}

// resolveError returns err, a resolver's, or the true cause if that was the limit of open files, which no resolver says: Go's
// has the system's words in its text, the C library's reports that the name is unknown.
func resolveError(err error) error {
	if strings.Contains(err.Error(), syscall.EMFILE.Error()) {
		return syscall.EMFILE
	}
	file, openErr := os.Open(os.DevNull)
	if openErr == nil {
		_ = file.Close()
	}
	if isFileLimit(openErr) {
		return openErr
	}
	return err
}
