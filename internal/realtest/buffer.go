package realtest

import (
	"bytes"
	"io"
	"sync"
)

// A Buffer collects a log while others read it.
type Buffer struct {
	mu   sync.Mutex
	text bytes.Buffer
}

var _ io.Writer = (*Buffer)(nil)

// Write is io.Writer's.
func (b *Buffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.Write(p)
}

// String returns what was written so far.
func (b *Buffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.String()
}
