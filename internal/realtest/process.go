package realtest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"sync"
	"syscall"
	"time"
)

// A process is a server and all processes that it starts.
type process struct {
	cmd    *exec.Cmd
	log    *Buffer
	syslog net.PacketConn
	read   sync.WaitGroup
	exited chan struct{}
}

// startProcess runs a command in a root directory ("" for the system's own), in a PID namespace where that is permitted, so
// that its end is the end of all that it started. What it writes and what it sends to syslog is its log.
func startProcess(root string, argv ...string) (*process, error) {
	p := &process{log: &Buffer{}, exited: make(chan struct{})}
	if root != "" {
		if err := p.openSyslog(filepath.Join(root, "dev/log")); err != nil {
			return nil, err
		}
	}
	err := p.start(root, argv, true)
	if errors.Is(err, syscall.EPERM) {
		err = p.start(root, argv, false)
	}
	if err != nil {
		p.closeSyslog()
		return nil, fmt.Errorf("starting %s: %w", argv[0], err)
	}
	go func() {
		_ = p.cmd.Wait() // It is killed in the end, which is an error to Wait.
		close(p.exited)
	}()
	return p, nil
}

func (p *process) start(root string, argv []string, namespace bool) error {
	p.cmd = exec.Command(argv[0], argv[1:]...)
	p.cmd.Dir = "/"
	p.cmd.Env = []string{"PATH=/usr/sbin:/usr/bin:/sbin:/bin", "LANG=C.UTF-8"}
	p.cmd.Stdout, p.cmd.Stderr = p.log, p.log
	p.cmd.SysProcAttr = isolation(root, namespace)
	p.cmd.WaitDelay = 5 * time.Second
	return p.cmd.Start()
}

// openSyslog receives what the server sends to syslog(3).
func (p *process) openSyslog(path string) error {
	conn, err := net.ListenPacket("unixgram", path)
	if err != nil {
		return err
	}
	if err := os.Chmod(path, 0o666); err != nil { // Servers log as users of their own.
		return errors.Join(err, conn.Close())
	}
	p.syslog = conn
	p.read.Go(func() {
		line := make([]byte, 64<<10)
		for {
			n, _, err := conn.ReadFrom(line)
			if err != nil {
				return
			}
			_, _ = p.log.Write(append(bytes.TrimRight(line[:n], "\x00\n"), '\n'))
		}
	})
	return nil
}

func (p *process) closeSyslog() {
	if p.syslog != nil {
		_ = p.syslog.Close()
	}
	p.read.Wait()
}

// stop kills the process with all that it started, and waits until they are gone.
func (p *process) stop() {
	_ = syscall.Kill(-p.cmd.Process.Pid, syscall.SIGKILL)
	if root := p.cmd.SysProcAttr.Chroot; root != "" {
		for killInside(root) { // Without a namespace, some have left the process group.
		}
	}
	<-p.exited
	p.closeSyslog()
}

// killInside kills the processes whose root directory this is, and reports whether there were any.
func killInside(root string) bool {
	roots, _ := filepath.Glob("/proc/[0-9]*/root")
	found := false
	for _, link := range roots {
		if dir, err := os.Readlink(link); err != nil || dir != root { // Dead ones have none.
			continue
		}
		if pid, err := strconv.Atoi(filepath.Base(filepath.Dir(link))); err == nil {
			found = syscall.Kill(pid, syscall.SIGKILL) == nil || found
		}
	}
	return found
}

// await polls until ready returns nil.
func (p *process) await(ctx context.Context, ready func() error) error {
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		err := ready()
		if err == nil {
			return nil
		}
		select {
		case <-tick.C:
		case <-p.exited:
			return fmt.Errorf("it ended by itself: %s", p.cmd.ProcessState)
		case <-ctx.Done():
			return fmt.Errorf("it never became ready: %w", err)
		}
	}
}

// FreePort returns a free port below the range of ephemeral ports, so that no outgoing connection can take it before the
// server does.
func FreePort() (string, error) {
	for range 100 {
		port := strconv.Itoa(20_000 + rand.IntN(10_000))
		l, err := net.Listen("tcp", loopback(port))
		if err == nil {
			return port, l.Close()
		}
	}
	return "", errors.New("found no free port on 127.0.0.1 from 20000 to 29999")
}

func loopback(port string) string { return net.JoinHostPort("127.0.0.1", port) }
