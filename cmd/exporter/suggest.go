package main

import (
	"errors"
	"fmt"
	"regexp"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"imap-exporter/internal/config"
)

// otherFlags has flags of other programs, by what they are here.
func otherFlags() map[string]string {
	return map[string]string{
		"config": "config.file", "conf": "config.file", "f": "config.file",
		"port": "web.listen-address", "p": "web.listen-address", "listen": "web.listen-address", "web.port": "web.listen-address",
		"debug": "log.level", "verbose": "log.level", "v": "log.level",
		"host": "server", "user": "username", "password": "password-file",
	}
}

// explainFlagError adds to an error of the command line what to write instead of an unknown flag.
func explainFlagError(cmd *cobra.Command, err error) error {
	unknown, ok := errors.AsType[*pflag.NotExistError](err)
	if !ok {
		return err
	}
	name, _, _ := strings.Cut(unknown.GetSpecifiedName(), "=")
	if letters := unknown.GetSpecifiedShortnames(); letters != "" {
		name, _, _ = strings.Cut(letters, "=") // What was meant as a long flag with one dash.
	}
	if hint := flagHint(cmd, name); hint != "" {
		return fmt.Errorf("%w: %s", err, hint)
	}
	return err
}

// flagHint returns what to write instead of an unknown flag, or "".
func flagHint(cmd *cobra.Command, name string) string {
	var names []string
	cmd.Flags().VisitAll(func(f *pflag.Flag) { names = append(names, f.Name) })
	if other := otherFlags()[name]; other != "" && cmd.Flags().Lookup(other) != nil {
		return "did you mean --" + other + "?"
	}
	for _, command := range append(cmd.Root().Commands(), cmd.Root()) {
		if command != cmd && len(name) > 1 && command.Flags().Lookup(name) != nil {
			return "it belongs to " + command.CommandPath()
		}
	}
	if near := config.Nearest(name, names); near != "" && len(name) > 2 {
		return "did you mean --" + near + "?"
	}
	return ""
}

// oneDash matches a flag of more than one letter with one dash.
var oneDash = regexp.MustCompile(`^-([A-Za-z][A-Za-z0-9_.-]+)(?:=|$)`)

// checkDashes returns an error if a long flag has one dash, as the flags of Prometheus once had. It would be taken for a group
// of short ones.
func checkDashes(root *cobra.Command, args []string) error {
	cmd, _, err := root.Find(args)
	if err != nil {
		return nil // That error is reported better.
	}
	for _, arg := range args {
		if arg == "--" {
			break
		}
		match := oneDash.FindStringSubmatch(arg)
		if match != nil && (cmd.Flags().Lookup(match[1]) != nil || cmd.InheritedFlags().Lookup(match[1]) != nil) {
			return cmd.FlagErrorFunc()(cmd, fmt.Errorf("unknown flag: -%s: write --%s, with two dashes", match[1], match[1]))
		}
	}
	return nil
}

// noCommandArgs is the Args of the root command: what follows it must be a command.
func noCommandArgs(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	err := cobra.NoArgs(cmd, args)
	suggestions := cmd.SuggestionsFor(args[0])
	switch {
	case strings.HasSuffix(args[0], ".yaml") || strings.HasSuffix(args[0], ".yml"):
		return fmt.Errorf("%w: for a configuration file write --config.file=%s", err, args[0])
	case len(suggestions) > 0:
		return fmt.Errorf("%w: did you mean %s?", err, strings.Join(suggestions, " or "))
	}
	return err
}
