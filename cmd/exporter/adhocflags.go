package main

import (
	"github.com/spf13/pflag"

	"imap-exporter/internal/config"
)

// addAdHocFlags adds the flags that describe an account without a configuration file. There is none for a password, which would
// show up in the list of processes and in the shell's history.
func addAdHocFlags(flags *pflag.FlagSet, h *config.AdHoc) {
	flags.StringVar(&h.Server, "server", "", "`host[:port]` of an account that is not in the configuration")
	flags.StringVar(&h.Username, "username", "", "login `name`")
	flags.StringVar(&h.PasswordFile, "password-file", "", "`file` that holds nothing but the password; -: standard input; default: ask on the terminal")
	flags.StringVar(&h.TokenFile, "token-file", "", "`file` with the bearer token, for --auth xoauth2 and oauthbearer")
	flags.StringVar(&h.TLS, "tls", "", "`mode`: implicit (port 993, the default), starttls (143) or none (143)")
	flags.StringVar(&h.Auth, "auth", "", "`mechanism` to log in with: auto (the default), login, plain, scram-sha-256, xoauth2, oauthbearer or none")
	flags.StringVar(&h.IPFamily, "ip-family", "", "IP `version`: auto (the default), 4 or 6")
	flags.StringVar(&h.CAFile, "ca-file", "", "`file` with the CA certificates to trust instead of the system's")
	flags.StringVar(&h.ServerName, "server-name", "", "`name` that the certificate must have, if it is not the host's")
	flags.BoolVar(&h.InsecureSkipVerify, "insecure-skip-verify", false, "accept any certificate: anyone on the network path can read the password")
	flags.BoolVar(&h.AllowPlaintextAuth, "allow-plaintext-auth", false, "allow a login with --tls none")
	flags.StringSliceVar(&h.Mailboxes, "mailboxes", nil, "`names` or patterns of the mailboxes to count (default INBOX)")
	flags.DurationVar(&h.Timeout, "timeout", 0, "how `long` the probe may take (default 20s)")
}

// changedAdHocFlag returns the name of the first of these flags that is set; "" if none is.
func changedAdHocFlag(flags *pflag.FlagSet) (name string) {
	adHoc := pflag.NewFlagSet("", pflag.ContinueOnError)
	addAdHocFlags(adHoc, &config.AdHoc{})
	flags.Visit(func(f *pflag.Flag) {
		if name == "" && adHoc.Lookup(f.Name) != nil {
			name = f.Name
		}
	})
	return name
}
