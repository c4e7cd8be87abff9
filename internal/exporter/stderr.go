package exporter

import (
	"bytes"
	"io"
	"sync"
	"time"
)

const (
	// maxBehind is how many bytes of log may wait to be written.
	maxBehind = 1 << 20
	// lastLines is for how long the program waits at its end until the log is written.
	lastLines = time.Second
)

// A logWriter hands lines on in a goroutine of its own, so that who logs never waits for who should read: a pipe that
// nobody empties must not stop probes. Lines keep their order. Those that come while too many wait are dropped and
// counted, and so are those that can't be written, as on a full disk.
type logWriter struct {
	out   io.Writer
	more  chan struct{} // holds one when there is something to write
	ended chan struct{}

	mu      sync.Mutex
	waiting []byte
	closed  bool
	dropped int
	told    int       // how many of dropped lost has been told of
	lost    func(int) // is told how many were dropped when there is room again
}

func newLogWriter(out io.Writer) *logWriter {
	w := &logWriter{out: out, more: make(chan struct{}, 1), ended: make(chan struct{})}
	go w.run()
	return w
}

// Write takes whole lines. It never blocks and never fails.
func (w *logWriter) Write(lines []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.closed || len(w.waiting)+len(lines) > maxBehind {
		w.drop(lines)
		return len(lines), nil
	}
	w.waiting = append(w.waiting, lines...)
	select {
	case w.more <- struct{}{}:
	default:
	}
	return len(lines), nil
}

func (w *logWriter) drop(lines []byte) { w.dropped += bytes.Count(lines, []byte("\n")) }

// Dropped returns how many lines were lost.
func (w *logWriter) Dropped() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.dropped
}

// OnLoss has f called with the number of lines that were lost, once lines can be written again. It may log.
func (w *logWriter) OnLoss(f func(lines int)) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.lost = f
}

// Close takes no more lines, and waits until all are written, but no longer than lastLines.
func (w *logWriter) Close() {
	w.mu.Lock()
	if !w.closed {
		w.closed = true
		close(w.more)
	}
	w.mu.Unlock()
	patience := time.NewTimer(lastLines)
	defer patience.Stop()
	select {
	case <-w.ended:
	case <-patience.C:
	}
}

// run writes what waits, all at once, until it is closed.
func (w *logWriter) run() {
	defer close(w.ended)
	var spare []byte
	for range w.more {
		w.mu.Lock()
		lines := w.waiting
		w.waiting = spare[:0]
		w.mu.Unlock()
		written, err := w.out.Write(lines)
		w.wrote(lines[min(max(written, 0), len(lines)):], err)
		spare = lines
	}
}

// wrote drops what an error has left over, and else tells of what was lost before.
func (w *logWriter) wrote(rest []byte, err error) {
	w.mu.Lock()
	if err != nil {
		w.drop(rest)
	}
	news, tell := w.dropped-w.told, w.lost
	if err != nil || tell == nil || w.closed || len(w.waiting) > 0 {
		news = 0
	}
	w.told += news
	w.mu.Unlock()
	if news > 0 {
		tell(news)
	}
}
