package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"sync"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"imap-exporter/internal/config"
	"imap-exporter/internal/format"
)

// terminalOf returns the file descriptor of a terminal; ok is false if stream is none.
func terminalOf(stream any) (fd int, ok bool) {
	f, isFile := stream.(*os.File)
	if !isFile {
		return 0, false
	}
	fd = int(f.Fd())
	return fd, term.IsTerminal(fd)
}

// styleFor returns how to write to w: in colours if --color is always, or if it is auto, w is a terminal and the environment
// doesn't ask for NO_COLOR (https://no-color.org).
func styleFor(w io.Writer, color string) (format.Style, error) {
	fd, isTerminal := terminalOf(w)
	var style format.Style
	if isTerminal {
		if width, _, err := term.GetSize(fd); err == nil && width > 0 {
			style.Width = min(width, 120)
		}
	}
	switch color {
	case "always":
		style.Color = true
	case "auto":
		style.Color = isTerminal && !config.NoColor()
	case "never":
	default:
		return style, errors.New("--color: must be auto, always or never")
	}
	return style, nil
}

// A progress is a line on a terminal that shows how many probes have ended. It is erased at the end.
type progress struct {
	w     io.Writer // nil without a terminal
	total int

	mu           sync.Mutex
	done, failed int
}

// newProgress shows the progress of total probes on the command's stderr.
func newProgress(cmd *cobra.Command, total int) *progress {
	p := &progress{total: total}
	if _, isTerminal := terminalOf(cmd.ErrOrStderr()); isTerminal && total > 1 {
		p.w = cmd.ErrOrStderr()
	}
	p.draw()
	return p
}

// step counts a probe that has ended, and calls write to print it in the place of the line.
func (p *progress) step(ok bool, write func() error) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.done++
	if !ok {
		p.failed++
	}
	p.clear()
	defer p.draw()
	return write()
}

func (p *progress) clear() {
	if p.w != nil {
		fmt.Fprint(p.w, "\r\x1b[K")
	}
}

func (p *progress) draw() {
	if p.w != nil && p.done < p.total {
		fmt.Fprintf(p.w, "%d of %d probed, %d failed", p.done, p.total, p.failed)
	}
}

// askPassword asks for a password on the terminal, without echo. The echo is switched off before the prompt is printed, so that
// it doesn't show what the user types ahead.
func askPassword(cmd *cobra.Command, prompt string) (secret config.Secret, err error) {
	fd, isTerminal := terminalOf(cmd.InOrStdin())
	if !isTerminal {
		return secret, errors.New("there is no terminal to ask for the password on: use --password-file")
	}
	before, err := term.MakeRaw(fd)
	if err != nil {
		return secret, fmt.Errorf("reading the password: %w", err)
	}
	defer func() { err = errors.Join(err, term.Restore(fd, before)) }()
	screen := term.NewTerminal(struct {
		io.Reader
		io.Writer
	}{cmd.InOrStdin(), cmd.ErrOrStderr()}, "")
	password, err := screen.ReadPassword(prompt)
	if err != nil { // Ctrl-C and Ctrl-D end here, too.
		return secret, fmt.Errorf("reading the password: %w", err)
	}
	return config.NewSecret(password), nil
}

// readPassword reads a password from a pipe: its first line.
func readPassword(r io.Reader) (config.Secret, error) {
	text, err := io.ReadAll(io.LimitReader(r, 64<<10))
	if err != nil {
		return config.Secret{}, fmt.Errorf("reading the password: %w", err)
	}
	line, _, _ := strings.Cut(string(text), "\n")
	return config.NewSecret(strings.TrimSuffix(line, "\r")), nil
}
