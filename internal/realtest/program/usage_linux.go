package program

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
)

// ticksPerSecond is the unit of times in /proc, the same on every Linux that Go runs on.
const ticksPerSecond = 100

func (p *Process) procFile(name string) string { return fmt.Sprintf("/proc/%d/%s", p.PID(), name) }

func (p *Process) readProcFile(t testing.TB, name string) string {
	t.Helper()
	text, err := os.ReadFile(p.procFile(name))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// CPUTime returns the CPU time that the process has used.
func (p *Process) CPUTime(t testing.TB) time.Duration {
	t.Helper()
	stat := p.readProcFile(t, "stat")
	fields := strings.Fields(stat[strings.LastIndexByte(stat, ')')+1:])
	var total time.Duration
	for _, field := range fields[11:13] { // utime and stime, proc(5)
		ticks, err := strconv.ParseInt(field, 10, 64)
		if err != nil {
			t.Fatal(err)
		}
		total += time.Duration(ticks) * time.Second / ticksPerSecond
	}
	return total
}

// PeakMemory returns the most resident memory that the process had since its start or ResetPeakMemory, in bytes.
func (p *Process) PeakMemory(t testing.TB) int {
	t.Helper()
	_, after, _ := strings.Cut(p.readProcFile(t, "status"), "VmHWM:")
	kilobytes, err := strconv.Atoi(strings.Fields(after)[0])
	if err != nil {
		t.Fatal(err)
	}
	return kilobytes << 10
}

// ResetPeakMemory begins a new measurement of PeakMemory.
func (p *Process) ResetPeakMemory(t testing.TB) {
	t.Helper()
	if err := os.WriteFile(p.procFile("clear_refs"), []byte("5"), 0); err != nil {
		t.Fatal(err)
	}
}

// OpenFiles returns how many files the process has open, and how many of them are sockets.
func (p *Process) OpenFiles(t testing.TB) (files, sockets int) {
	t.Helper()
	links, err := filepath.Glob(p.procFile("fd/*"))
	if err != nil {
		t.Fatal(err)
	}
	for _, link := range links {
		target, err := os.Readlink(link)
		if err != nil {
			continue // Closed meanwhile.
		}
		files++
		if strings.HasPrefix(target, "socket:") {
			sockets++
		}
	}
	return files, sockets
}
