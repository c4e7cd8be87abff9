package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"

	"github.com/spf13/cobra"

	"imap-exporter/internal/config"
	"imap-exporter/internal/demo"
	"imap-exporter/internal/setup"
	"imap-exporter/probe"
)

// initFlags are the flags of the command init.
type initFlags struct{ answers setup.Answers }

// newInitCommand returns the subcommand that writes a first configuration.
func newInitCommand() *cobra.Command {
	var f initFlags
	cmd := &cobra.Command{
		Use:   "init",
		Short: "Ask a few questions and write a configuration that works",
		Long: "init finds the server of an e-mail address, finds out how to connect to it, tries the login once, writes\n" +
			"--config.file and, beside it, a file with the password that only you may read, and probes once with what it wrote.\n" +
			"It doesn't ask for what flags give, and overwrites no file.",
		Example: "  imap-exporter init --config.file=my.yaml\n" +
			"  imap-exporter init --config.file=my.yaml --address canary@example.org --name canary --password-file canary.password --mailboxes INBOX",
		Args: cobra.NoArgs,
		RunE: f.run,
	}
	flags := cmd.Flags()
	flags.StringVar(&f.answers.Address, "address", "", "e-mail `address` of the account")
	flags.StringVar(&f.answers.Username, "username", "", "login `name`, if it is not the address")
	flags.StringVar(&f.answers.Server, "server", "", "`host[:port]` to use instead of what DNS says")
	flags.StringVar(&f.answers.TLS, "tls", "", "`mode`: implicit or starttls (default: try both)")
	flags.StringVar(&f.answers.Auth, "auth", "", "`mechanism` to log in with: auto (the default), login, plain or scram-sha-256")
	flags.StringVar(&f.answers.CAFile, "ca-file", "", "`file` with the CA certificates to trust instead of the system's")
	flags.StringVar(&f.answers.PasswordFile, "password-file", "", "existing `file` with the password")
	flags.StringVar(&f.answers.Name, "name", "", "`name` of the account in metrics")
	flags.StringSliceVar(&f.answers.Mailboxes, "mailboxes", nil, "`names` or patterns of the mailboxes to count; all: every mailbox")
	flags.SortFlags = false
	return cmd
}

// run runs the command.
func (f *initFlags) run(cmd *cobra.Command, _ []string) error {
	file := config.FilePath(cmd.Flags())
	s := &setup.Setup{
		User: &terminalUser{cmd: cmd, in: bufio.NewReader(cmd.InOrStdin())}, Resolver: net.DefaultResolver, Probe: probe.Run,
		File: file, Answers: f.answers,
	}
	if f.answers.Server == "demo" || strings.HasPrefix(f.answers.Server, "demo-") {
		demoServers, err := demo.New()
		if err != nil {
			return err
		}
		defer demoServers.Close()
		s.Demo = demoServers
	}
	if err := s.Run(cmd.Context()); err != nil {
		return err
	}
	fmt.Fprintf(cmd.OutOrStdout(), "Next: imap-exporter --config.file=%s, then open http://localhost:10993\n", file)
	return nil
}

// A terminalUser answers questions on the terminal, or by the lines of a pipe.
type terminalUser struct {
	cmd *cobra.Command
	in  *bufio.Reader
}

// Ask prints a question and reads the answer.
func (u *terminalUser) Ask(question, fallback string) (string, error) {
	prompt := question
	if fallback != "" {
		prompt += " [" + fallback + "]"
	}
	fmt.Fprintf(u.cmd.OutOrStdout(), "%s: ", prompt)
	answer, err := u.line()
	if answer = strings.TrimSpace(answer); answer == "" {
		answer = fallback
	}
	return answer, err
}

// line reads a line. The end of the input is an error.
func (u *terminalUser) line() (string, error) {
	line, err := u.in.ReadString('\n')
	if _, isTerminal := terminalOf(u.cmd.InOrStdin()); !isTerminal {
		fmt.Fprintln(u.cmd.OutOrStdout()) // On a terminal, the user's line break ends the line.
	}
	if errors.Is(err, io.EOF) && line == "" {
		return "", errors.New("there is no answer")
	}
	if err != nil && !errors.Is(err, io.EOF) {
		return "", err
	}
	return strings.TrimSuffix(strings.TrimSuffix(line, "\n"), "\r"), nil
}

// AskPassword prints a question and reads the answer, without echo on a terminal.
func (u *terminalUser) AskPassword(question string) (config.Secret, error) {
	if _, isTerminal := terminalOf(u.cmd.InOrStdin()); isTerminal {
		return askPassword(u.cmd, question+": ")
	}
	fmt.Fprintf(u.cmd.OutOrStdout(), "%s: ", question)
	line, err := u.line()
	return config.NewSecret(line), err
}

// Say prints a line.
func (u *terminalUser) Say(format string, args ...any) {
	fmt.Fprintf(u.cmd.OutOrStdout(), format+"\n", args...)
}
