package main

import (
	"errors"
	"time"

	"github.com/prometheus/common/version"
	"github.com/spf13/cobra"
	"github.com/spf13/cobra/doc"
)

// newManCommand returns the subcommand that writes the manual pages. It is hidden: packagers use it.
func newManCommand() *cobra.Command {
	return &cobra.Command{
		Use:    "man FOLDER",
		Short:  "Write the manual pages into a folder",
		Hidden: true,
		Args:   cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			date, err := time.Parse("20060102-15:04:05", version.BuildDate)
			if err != nil {
				date = time.Unix(0, 0) // Builds of the same source are the same.
			}
			header := &doc.GenManHeader{Section: "1", Source: "imap-exporter " + version.Version, Manual: "IMAP exporter", Date: &date}
			root := cmd.Root()
			root.DisableAutoGenTag = true
			return errors.Join(doc.GenManTree(root, header, args[0]))
		},
	}
}
