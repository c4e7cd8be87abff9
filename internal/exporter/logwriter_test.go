package exporter

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
	"testing"
	"testing/synctest"

	"go.uber.org/goleak"
)

// A blockingWriter blocks while it is shut, like a pipe that nobody reads.
type blockingWriter struct {
	mu   sync.Mutex
	open sync.Cond
	shut bool
	err  error
	out  bytes.Buffer
}

func newBlockingWriter() *blockingWriter {
	v := &blockingWriter{}
	v.open.L = &v.mu
	return v
}

func (v *blockingWriter) Write(p []byte) (int, error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	for v.shut {
		v.open.Wait()
	}
	if v.err != nil {
		return 0, v.err
	}
	return v.out.Write(p)
}

func (v *blockingWriter) set(shut bool, err error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.shut, v.err = shut, err
	v.open.Broadcast()
}

func (v *blockingWriter) String() string {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.out.String()
}

// Nothing is lost and all is in order as long as somebody reads, also what many log at once; Close waits for it.
func TestLogWriterKeepsOrder(t *testing.T) {
	defer goleak.VerifyNone(t, goleak.IgnoreCurrent())
	v := newBlockingWriter()
	w := newLogWriter(v)
	var group sync.WaitGroup
	for i := range 8 {
		group.Go(func() {
			for j := range 500 {
				fmt.Fprintf(w, "%d %d\n", i, j)
			}
		})
	}
	group.Wait()
	w.Close()
	next := map[string]int{}
	for line := range strings.Lines(v.String()) {
		who, n, _ := strings.Cut(strings.TrimSpace(line), " ")
		if n != fmt.Sprint(next[who]) {
			t.Fatalf("after %d of %s came %s", next[who]-1, who, n)
		}
		next[who]++
	}
	if len(next) != 8 || next["0"] != 500 || w.Dropped() != 0 {
		t.Errorf("wrote %v, dropped %d", next, w.Dropped())
	}
}

// A log that nobody reads delays nothing. Each dropped line is counted, and the loss is logged when lines can be written again.
func TestLogWriterDropsAndCounts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		v := newBlockingWriter()
		w := newLogWriter(v)
		w.OnLoss(func(lines int) { fmt.Fprintf(w, "lost %d\n", lines) })
		v.set(true, nil)
		line := strings.Repeat("x", 1023) + "\n"
		fmt.Fprint(w, line)
		synctest.Wait() // It is being written, and never is.
		const all = 3000
		for range all {
			fmt.Fprint(w, line)
		}
		const kept = maxWaiting / 1024
		if n := w.Dropped(); n != all-kept {
			t.Errorf("dropped %d, want %d", n, all-kept)
		}
		v.set(false, nil)
		synctest.Wait()
		if n := strings.Count(v.String(), line); n != kept+1 {
			t.Errorf("wrote %d lines, want %d", n, kept+1)
		}
		if want := fmt.Sprintf("lost %d\n", all-kept); !strings.Contains(v.String(), want) {
			t.Errorf("no %q", want)
		}
		w.Close()
	})
}

// A full disk loses lines, and nothing else.
func TestLogWriterOnErrors(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		v := newBlockingWriter()
		w := newLogWriter(v)
		v.set(false, errors.New("no space left on device"))
		fmt.Fprint(w, "one\ntwo\n")
		synctest.Wait()
		v.set(false, nil)
		fmt.Fprint(w, "three\n")
		w.Close()
		fmt.Fprint(w, "too late\n")
		if v.String() != "three\n" || w.Dropped() != 3 {
			t.Errorf("wrote %q, dropped %d", v, w.Dropped())
		}
	})
}

// Close doesn't wait forever for a log that nobody reads.
func TestLogWriterCloses(t *testing.T) {
	r, out, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	w := newLogWriter(out)
	io.WriteString(w, strings.Repeat("x", 200<<10)+"\n") // A pipe holds 64 KiB.
	w.Close()
	r.Close()
	<-w.ended
	out.Close()
}
