package e2e

import (
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"imap-exporter/internal/realtest/program"
)

// childrenOf returns the numbers of a process's children, zombies included.
func childrenOf(t *testing.T, pid int) (children []string) {
	t.Helper()
	stats, err := filepath.Glob("/proc/[0-9]*/stat")
	if err != nil {
		t.Fatal(err)
	}
	for _, stat := range stats {
		text, err := os.ReadFile(stat)
		if err != nil {
			continue // It has ended.
		}
		// "pid (name) state ppid …": a name may hold anything.
		fields := strings.Fields(string(text[strings.LastIndexByte(string(text), ')')+1:]))
		if len(fields) > 1 && fields[1] == strconv.Itoa(pid) {
			children = append(children, filepath.Base(filepath.Dir(stat)))
		}
	}
	return children
}

// As the first process of a container the program inherits those whose parents end, and leaves no zombie of them.
func TestReapsOrphansAsPID1(t *testing.T) {
	t.Parallel()
	if os.Getuid() != 0 {
		t.Skip("only root can make a PID namespace")
	}
	nsenter, err := exec.LookPath("nsenter")
	if err != nil {
		t.Skip("nsenter of util-linux is missing")
	}
	cmd := program.Command(t, failingConfig(t))
	cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWPID}
	e := start(t, cmd)
	pipe, orphans, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer pipe.Close()
	defer orphans.Close()
	enter := exec.Command(nsenter, "--target="+strconv.Itoa(e.PID()), "--pid", "sh", "-c", "cat <&3 >/dev/null 2>&1 & cat <&3 >/dev/null 2>&1 & exit 0")
	enter.ExtraFiles = []*os.File{pipe} // The orphans live until the other end is closed.
	if out, err := enter.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	if !await(func() bool { return len(childrenOf(t, e.PID())) == 2 }) {
		t.Fatalf("the program has the children %v, want two orphans", childrenOf(t, e.PID()))
	}
	orphans.Close()
	if !await(func() bool { return len(childrenOf(t, e.PID())) == 0 }) {
		t.Errorf("the program has the children %v, want none", childrenOf(t, e.PID()))
	}
	e.goesOn(t, 1)
}
