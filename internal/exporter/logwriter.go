package exporter

import (
	"bytes"
	"io"
	"sync"
	"time"
)

const (
	// maxWaiting is the maximum of bytes that wait to be written.
	maxWaiting = 1 << 20
	// closeTimeout is how long Close waits until all is written.
	closeTimeout = time.Second
)

// A logWriter writes lines in its own goroutine, so that logging never blocks: a pipe that nobody reads must not stop probes.
// Lines keep their order. Lines that arrive while too many are waiting, or that can't be written, as on a full disk, are
// dropped and counted.
type logWriter struct {
	out   io.Writer
	wake  chan struct{} // holds one when there is something to write
	ended chan struct{}

	mu       sync.Mutex
	waiting  []byte
	closed   bool
	dropped  int
	reported int       // how many of dropped were reported to onLoss
	onLoss   func(int) // is called with the number of dropped lines when there is room again
}

func newLogWriter(out io.Writer) *logWriter {
	w := &logWriter{out: out, wake: make(chan struct{}, 1), ended: make(chan struct{})}
	go w.run()
	return w
}

// Write takes whole lines. It never blocks and never fails.
func (w *logWriter) Write(lines []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.closed || len(w.waiting)+len(lines) > maxWaiting {
		w.drop(lines)
		return len(lines), nil
	}
	w.waiting = append(w.waiting, lines...)
	select {
	case w.wake <- struct{}{}:
	default:
	}
	return len(lines), nil
}

func (w *logWriter) drop(lines []byte) { w.dropped += bytes.Count(lines, []byte("\n")) }

// Dropped returns how many lines were dropped.
func (w *logWriter) Dropped() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.dropped
}

// OnLoss sets a function that is called with the number of dropped lines once lines can be written again. It may log.
func (w *logWriter) OnLoss(f func(lines int)) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.onLoss = f
}

// Close accepts no more lines, and waits until all are written, at most closeTimeout.
func (w *logWriter) Close() {
	w.mu.Lock()
	if !w.closed {
		w.closed = true
		close(w.wake)
	}
	w.mu.Unlock()
	timeout := time.NewTimer(closeTimeout)
	defer timeout.Stop()
	select {
	case <-w.ended:
	case <-timeout.C:
	}
}

// run writes all waiting lines at once, again and again, until the writer is closed.
func (w *logWriter) run() {
	defer close(w.ended)
	var spare []byte
	for range w.wake {
		w.mu.Lock()
		lines := w.waiting
		w.waiting = spare[:0]
		w.mu.Unlock()
		written, err := w.out.Write(lines)
		w.wrote(lines[min(max(written, 0), len(lines)):], err)
		spare = lines
	}
}

// wrote counts what an error left unwritten; without an error it reports lines that were dropped before.
func (w *logWriter) wrote(rest []byte, err error) {
	w.mu.Lock()
	if err != nil {
		w.drop(rest)
	}
	unreported, onLoss := w.dropped-w.reported, w.onLoss
	if err != nil || onLoss == nil || w.closed || len(w.waiting) > 0 {
		unreported = 0
	}
	w.reported += unreported
	w.mu.Unlock()
	if unreported > 0 {
		onLoss(unreported)
	}
}
