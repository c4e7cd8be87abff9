package main

import (
	"github.com/spf13/pflag"

	"imap-exporter/internal/config"
)

// addAdHocFlags adds the flags that describe an account without a file. There is none for a password: it would be in the
// list of processes and in the shell's history.
func addAdHocFlags(flags *pflag.FlagSet, h *config.AdHoc) {
	flags.StringVar(&h.Server, "server", "", "`host[:port]` of an account that is in no configuration")
	flags.StringVar(&h.Username, "username", "", "its login `name`")
	flags.StringVar(&h.PasswordFile, "password-file", "", "`file` with its password alone; -: standard input; without it, the terminal is asked")
	flags.StringVar(&h.TokenFile, "token-file", "", "`file` with its bearer token, for --auth xoauth2 and oauthbearer")
	flags.StringVar(&h.TLS, "tls", "", "`mode`: implicit (port 993, the default), starttls (143) or none (143)")
	flags.StringVar(&h.Auth, "auth", "", "`way` to log in: auto (the default), login, plain, scram-sha-256, xoauth2, oauthbearer or none")
	flags.StringVar(&h.IPFamily, "ip-family", "", "`family` of addresses: auto (the default), 4 or 6")
	flags.StringVar(&h.CAFile, "ca-file", "", "`file` with the authorities to trust, in place of the system's")
	flags.StringVar(&h.ServerName, "server-name", "", "`name` that the certificate must have, where it isn't the host's")
	flags.BoolVar(&h.InsecureSkipVerify, "insecure-skip-verify", false, "accept any certificate: anyone on the network path can read the password")
	flags.BoolVar(&h.AllowPlaintextAuth, "allow-plaintext-auth", false, "permit a login with --tls none")
	flags.StringSliceVar(&h.Mailboxes, "mailboxes", nil, "`names` or patterns of mailboxes to count, INBOX without it")
	flags.DurationVar(&h.Timeout, "timeout", 0, "`time` that the probe may take, 20s without it")
}

// changedAdHocFlag returns the first of those flags that is given; "" for none.
func changedAdHocFlag(flags *pflag.FlagSet) (name string) {
	own := pflag.NewFlagSet("", pflag.ContinueOnError)
	addAdHocFlags(own, &config.AdHoc{})
	flags.Visit(func(f *pflag.Flag) {
		if name == "" && own.Lookup(f.Name) != nil {
			name = f.Name
		}
	})
	return name
}
