package program

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

func TestStart(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "config.yaml")
	text := "modules: [{name: default, interval: 0s}]\naccounts: [{name: idle, server: \"127.0.0.1:1\", username: u, password: canary-idle-secret}]\n"
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	p := Start(t, Command(t, file))
	if p.ExitCode() != -1 || p.PID() == 0 {
		t.Errorf("status %d, process %d", p.ExitCode(), p.PID())
	}
	if status, err := p.Post(t.Context(), "/-/reload"); err != nil || status == 0 {
		t.Errorf("status %d, %v", status, err)
	}
	if err := p.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	<-p.Exited()
	if p.Stop(t); p.ExitCode() != 0 || !strings.Contains(p.Log.String(), "Listening on") {
		t.Errorf("exit status %d, log:\n%s", p.ExitCode(), p.Log)
	}
}

// A program that doesn't start says why.
func TestStartFails(t *testing.T) {
	t.Parallel()
	p, err := Launch(t.Context(), Command(t, filepath.Join(t.TempDir(), "missing.yaml")))
	if err == nil {
		p.Kill()
		t.Fatal("it started without a configuration")
	}
	for _, want := range []string{"the program ended: exit status 1", "missing.yaml: no such file"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("no %q in: %v", want, err)
		}
	}
}
