package program

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"imap-exporter/internal/realtest"
)

const (
	// startTimeout bounds the time until the program listens, on a busy machine.
	startTimeout = time.Minute
	// stopTimeout is twice the time that the program promises to stop in: the machine may be busy.
	stopTimeout = 10 * time.Second
)

// A Process is a running exporter.
type Process struct {
	// URL is where it answers, without a slash at the end.
	URL string
	// Log is what it has written to stderr, unless the command had a Stderr of its own.
	Log *realtest.Buffer

	cmd     *exec.Cmd
	stopped atomic.Bool
	exited  chan struct{} // Closed once the process has ended.
}

// Command returns the command that runs the program as it is shipped, with a configuration file and more flags. Change it as
// the test needs.
func Command(t testing.TB, config string, flags ...string) *exec.Cmd {
	t.Helper()
	binary, err := Build()
	if err != nil {
		t.Fatal(err)
	}
	return exec.Command(binary, append([]string{"--config.file=" + config}, flags...)...)
}

// Start is Launch for a test, at the end of which it stops the program.
func Start(t testing.TB, cmd *exec.Cmd) *Process {
	t.Helper()
	p, err := Launch(t.Context(), cmd)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		p.Stop(t)
		realtest.Capture(t, "exporter.log", []byte(p.Log.String()))
	})
	return p
}

// Launch runs a command and waits until it listens: at the address of its flag --web.listen-address, or, without one, at a
// free port of localhost. Unless there was an error, call Kill or Stop in the end.
func Launch(ctx context.Context, cmd *exec.Cmd) (*Process, error) {
	port := listenPort(cmd.Args)
	if port == "" {
		var err error
		if port, err = realtest.FreePort(); err != nil {
			return nil, err
		}
		cmd.Args = append(cmd.Args, listenFlag+"localhost:"+port)
	}
	p := &Process{URL: "http://localhost:" + port, Log: &realtest.Buffer{}, cmd: cmd, exited: make(chan struct{})}
	if cmd.Stderr == nil {
		cmd.Stderr = p.Log
	}
	dieWithParent(cmd)
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("starting the program: %w", err)
	}
	go func() {
		_ = cmd.Wait() // Its ProcessState tells.
		close(p.exited)
	}()
	if err := p.awaitListening(ctx, port); err != nil {
		p.Kill()
		return nil, fmt.Errorf("%w\nits log:\n%s", err, p.Log)
	}
	return p, nil
}

const listenFlag = "--web.listen-address="

// listenPort returns the port that the arguments give; "" for none.
func listenPort(args []string) (port string) {
	for _, arg := range args {
		if address, ok := strings.CutPrefix(arg, listenFlag); ok {
			port = address[strings.LastIndexByte(address, ':')+1:]
		}
	}
	return port
}

func (p *Process) awaitListening(ctx context.Context, port string) error {
	ctx, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		conn, err := net.Dial("tcp", "localhost:"+port)
		if err == nil {
			return conn.Close()
		}
		select {
		case <-tick.C:
		case <-p.exited:
			return fmt.Errorf("the program ended: %s", p.cmd.ProcessState)
		case <-ctx.Done():
			return fmt.Errorf("the program doesn't listen: %w", err)
		}
	}
}

// PID returns the process's number.
func (p *Process) PID() int { return p.cmd.Process.Pid }

// Signal sends a signal to the process.
func (p *Process) Signal(signal os.Signal) error { return p.cmd.Process.Signal(signal) }

// Exited is closed once the process has ended.
func (p *Process) Exited() <-chan struct{} { return p.exited }

// ExitCode returns the exit status of a process that has ended; -1 while it runs, or if a signal ended it.
func (p *Process) ExitCode() int {
	select {
	case <-p.exited:
		return p.cmd.ProcessState.ExitCode()
	default:
		return -1
	}
}

// Stop ends the program by SIGTERM, unless the test has already stopped it. An exit status other than 0, or none in time,
// is an error of the test.
func (p *Process) Stop(t testing.TB) {
	t.Helper()
	if p.stopped.Swap(true) {
		return
	}
	_ = p.cmd.Process.Signal(syscall.SIGTERM)
	select {
	case <-p.exited:
	case <-time.After(stopTimeout):
		t.Errorf("the program doesn't stop within %v", stopTimeout)
		p.Kill()
		return
	}
	if !p.cmd.ProcessState.Success() {
		t.Errorf("the program ended with %s:\n%s", p.cmd.ProcessState, p.Log)
	}
}

// Kill ends the process at once and waits for its end.
func (p *Process) Kill() {
	p.stopped.Store(true)
	_ = p.cmd.Process.Kill()
	<-p.exited
}

// Post sends a POST without a body, such as /-/reload, and returns the HTTP status.
func (p *Process) Post(ctx context.Context, path string) (status int, err error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, p.URL+path, http.NoBody)
	if err != nil {
		return 0, err
	}
	request.Close = true
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return 0, err
	}
	return response.StatusCode, response.Body.Close()
}
