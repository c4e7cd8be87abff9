package main

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/creack/pty"

	"imap-exporter/internal/realtest/program"
)

// onTerminal runs the program on a terminal, types the answer when the prompt is there, and returns what the terminal shows.
func onTerminal(t *testing.T, env []string, prompt, answer string, args ...string) string {
	t.Helper()
	binary, err := program.Build()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), binary, args...)
	cmd.Env = append(os.Environ(), env...)
	terminal, err := pty.StartWithSize(cmd, &pty.Winsize{Rows: 25, Cols: 100})
	if err != nil {
		t.Fatal(err)
	}
	defer terminal.Close()
	var shown bytes.Buffer
	var reading sync.WaitGroup
	reading.Go(func() {
		buffer := make([]byte, 4096)
		for {
			n, err := terminal.Read(buffer)
			shown.Write(buffer[:n])
			if prompt != "" && strings.Contains(shown.String(), prompt) {
				_, _ = terminal.WriteString(answer + "\n")
				prompt = ""
			}
			if err != nil { // The program is done.
				return
			}
		}
	})
	err = cmd.Wait()
	reading.Wait()
	if err != nil {
		t.Errorf("%v:\n%s", err, &shown)
	}
	return shown.String()
}

// On a terminal, the output has colours, the terminal's width, and a progress line; no colours with NO_COLOR.
func TestColorsOnATerminal(t *testing.T) {
	file := filepath.Join(t.TempDir(), "config.yaml")
	const config = `
demo: {enabled: true}
accounts:
  - {name: first, server: demo, username: demo@example.org, password: canary-demo-secret}
  - {name: second, server: demo-slow, username: demo@example.org, password: canary-demo-secret}
`
	if err := os.WriteFile(file, []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	args := []string{"probe", "--config.file=" + file, "--all"}
	shown := onTerminal(t, []string{"NO_COLOR=", "TERM=xterm"}, "", "", args...)
	for _, want := range []string{"\x1b[32mok\x1b[0m", "0 of 2 probed, 0 failed", "\r\x1b[K"} {
		if !strings.Contains(shown, want) {
			t.Errorf("no %q in\n%q", want, shown)
		}
	}
	shown = onTerminal(t, []string{"NO_COLOR=1", "TERM=xterm"}, "", "", args...)
	if strings.Contains(shown, "\x1b[3") || !strings.Contains(shown, "  ok  ") {
		t.Errorf("colours for who wants none:\n%q", shown)
	}
}

// A password that is typed is not shown.
func TestPasswordIsNotShown(t *testing.T) {
	const password = "canary-demo-secret"
	shown := onTerminal(t, nil, "Password of demo@example.org at demo: ", password, "probe", "--server=demo", "--username=demo@example.org")
	if strings.Contains(shown, password) || !strings.Contains(shown, "demo:993") {
		t.Errorf("the terminal shows\n%q", shown)
	}
	file := filepath.Join(t.TempDir(), "my.yaml")
	shown = onTerminal(t, nil, "Password of demo@example.org at demo: ", password,
		"init", "--config.file="+file, "--server=demo", "--username=demo@example.org", "--name=canary", "--mailboxes=INBOX")
	if strings.Contains(shown, password) || !strings.Contains(shown, "Written: ") {
		t.Errorf("the terminal shows\n%q", shown)
	}
}
