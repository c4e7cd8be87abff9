package config

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"imap-exporter/internal/text"
)

// Describe writes a table of the accounts that would be probed, and which shard they are. It contains no secrets. Its error is
// the writer's.
func (c *Config) Describe(w io.Writer) error {
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "ACCOUNT\tSERVER\tTLS\tAUTH\tINTERVAL\tTIMEOUT\tMAILBOXES")
	for _, a := range c.Accounts {
		t := a.Target
		fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\t%s\t%s\n", t.Account, t.Server, t.TLSMode, t.Auth,
			intervalText(a.Interval), text.Duration(t.Timeout), mailboxText(t.Select, t.Mailboxes))
	}
	if err := table.Flush(); err != nil || c.Shard.Total <= 1 {
		return err
	}
	_, err := fmt.Fprintf(w, "Shard %d of %d (counted from 0): %d of %d accounts.\n",
		c.Shard.Index, c.Shard.Total, len(c.Accounts), c.AllAccounts)
	return err
}

func intervalText(d time.Duration) string {
	if d == 0 {
		return "on demand"
	}
	return text.Duration(d)
}

// mailboxText lists the selected mailbox first, then the others.
func mailboxText(selected string, counted []string) string {
	all := slices.DeleteFunc(slices.Concat([]string{selected}, counted), func(name string) bool { return name == "" })
	unique := all[:0:0]
	for _, name := range all {
		if !slices.Contains(unique, name) {
			unique = append(unique, name)
		}
	}
	if len(unique) == 0 {
		return "-"
	}
	return strings.Join(unique, ", ")
}
