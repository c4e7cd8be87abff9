package config

import (
	"errors"
	"fmt"
	"io"
	"os"
	"syscall"
)

// readRegular reads a regular file of at most limit bytes. It fails if the file changes meanwhile. It never blocks: a named
// pipe is opened with O_NONBLOCK, and is an error like every other special file.
func readRegular(path string, limit int64) ([]byte, error) {
	f, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK, 0) //nolint:gosec // The path is the operator's.
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }()
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	if err := checkFileInfo(info, limit); err != nil {
		return nil, err
	}
	data, err := io.ReadAll(io.LimitReader(f, limit+1))
	if err != nil {
		return nil, err
	}
	if int64(len(data)) > limit {
		return nil, tooLarge(limit)
	}
	// A mix of the old and the new content may be valid, too.
	if after, err := f.Stat(); err != nil || after.Size() != info.Size() || !after.ModTime().Equal(info.ModTime()) {
		return nil, errors.New("was written to while it was read: try again")
	}
	return data, nil
}

// checkRegular checks that a file is one that readRegular would read, without opening it.
func checkRegular(path string, limit int64) error {
	info, err := os.Stat(path)
	if err != nil {
		return err
	}
	return checkFileInfo(info, limit)
}

// checkFileInfo returns an error for a file that isn't regular, or larger than limit.
func checkFileInfo(info os.FileInfo, limit int64) error {
	switch mode := info.Mode(); {
	case mode.IsDir():
		return errors.New("is a directory, not a file")
	case !mode.IsRegular():
		return errors.New("is not a regular file")
	case info.Size() > limit:
		return tooLarge(limit)
	}
	return nil
}

func tooLarge(limit int64) error { return fmt.Errorf("is larger than %s", binarySize(limit)) }

func binarySize(bytes int64) string {
	if bytes >= 1<<20 {
		return fmt.Sprintf("%d MiB", bytes>>20)
	}
	return fmt.Sprintf("%d KiB", bytes>>10)
}
