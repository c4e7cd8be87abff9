package main

import (
	"slices"

	"github.com/spf13/cobra"

	"imap-exporter/internal/config"
	"imap-exporter/internal/demo"
)

// completeWords completes the value of a flag from a fixed list.
func completeWords(words ...string) cobra.CompletionFunc {
	return cobra.FixedCompletions(words, cobra.ShellCompDirectiveNoFileComp)
}

// completeAccounts completes the names of accounts, except those that are on the command line already.
func completeAccounts(cmd *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
	var names []string
	if cfg := configForCompletion(cmd); cfg != nil {
		for _, a := range cfg.Accounts {
			if !slices.Contains(args, a.Name) {
				names = append(names, a.Name)
			}
		}
	}
	return names, cobra.ShellCompDirectiveNoFileComp
}

// completeModules completes the names of modules.
func completeModules(cmd *cobra.Command, _ []string, _ string) ([]string, cobra.ShellCompDirective) {
	if cfg := configForCompletion(cmd); cfg != nil {
		return cfg.ModuleNames(), cobra.ShellCompDirectiveNoFileComp
	}
	return nil, cobra.ShellCompDirectiveNoFileComp
}

// configForCompletion returns the configuration, or nil: a completion must not print errors.
func configForCompletion(cmd *cobra.Command) *config.Config {
	demoServers, err := demo.New()
	if err != nil {
		return nil
	}
	cfg, err := loadConfig(cmd, idleDemo{demoServers})
	if err != nil {
		return nil
	}
	return cfg
}
