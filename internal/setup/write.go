package setup

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"imap-exporter/internal/config"
	"imap-exporter/internal/format"
	"imap-exporter/probe"
)

// maxListedMailboxes is how many of the account's mailboxes are listed: in a comment of the configuration, or in a message.
const maxListedMailboxes = 20

// write writes the password, if it was asked for, and the configuration, and then probes once with what it wrote. If
// that fails, both files are removed.
func (s *Setup) write(ctx context.Context, at candidate, password *config.Secret, r *probe.Result) error {
	name, secretFile := s.PasswordFile, ""
	if password != nil {
		secretFile = s.passwordFile()
		name = filepath.Base(secretFile)
		if err := create(secretFile, password.Reveal()+"\n", 0o600); err != nil {
			return err
		}
	} else if absolute, err := filepath.Abs(name); err == nil {
		name = absolute
	}
	err := create(s.File, s.configuration(at, name, r), 0o644)
	if err == nil {
		if err = s.tryConfiguration(ctx); err == nil {
			s.User.Say("Written: %s", strings.TrimSuffix(strings.Join([]string{s.File, secretFile}, ", "), ", "))
			return nil
		}
		err = errors.Join(err, os.Remove(s.File))
	}
	if secretFile != "" {
		err = errors.Join(err, os.Remove(secretFile))
	}
	return err
}

// tryConfiguration loads the configuration that was written, and probes its account.
func (s *Setup) tryConfiguration(ctx context.Context) error {
	cfg, err := config.Load(config.Options{File: s.File, Demo: s.Demo})
	if err != nil {
		return fmt.Errorf("the configuration would not be valid: %w", err)
	}
	r := s.Probe(ctx, cfg.Accounts[0].Target)
	for _, note := range r.Notes {
		s.User.Say("A probe with this configuration notes: %s", note)
	}
	if r.Err != nil {
		return fmt.Errorf("%s/%s: %s: nothing was written, because a probe with the configuration failed", r.Err.Phase, r.Err.Reason, r.Err.Text)
	}
	s.User.Say("A probe with this configuration: ok, %s", format.Milliseconds(r.Duration))
	return nil
}

// create writes a new file. If it fails, no file is left.
func create(path, text string, mode os.FileMode) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, mode) //nolint:gosec // The path is the operator's.
	if err != nil {
		return err
	}
	_, err = f.WriteString(text)
	if err = errors.Join(err, f.Close()); err != nil {
		return errors.Join(err, os.Remove(path))
	}
	return nil
}

// configuration returns the text of the configuration.
func (s *Setup) configuration(at candidate, passwordFile string, r *probe.Result) string {
	var b strings.Builder
	line := func(format string, args ...any) { fmt.Fprintf(&b, format+"\n", args...) }
	line("# The configuration of the IMAP exporter. Every key is explained in docs/configuration.md.")
	line("#")
	line("#   imap-exporter check --config.file=%s   validate this file", filepath.Base(s.File))
	line("#   imap-exporter --config.file=%s         serve http://localhost:10993/metrics", filepath.Base(s.File))
	line("")
	line("web:")
	line("  listen_address: \":10993\"")
	line("")
	if s.Demo != nil {
		line("demo: {enabled: true}")
		line("")
	}
	line("# How to probe. All other keys have their defaults. Probes are read-only: they change nothing in the mailbox.")
	line("modules:")
	line("  - name: default")
	line("    interval: 60s")
	line("    timeout: 20s")
	line("    tls: %s", at.mode)
	if s.Auth != "" {
		line("    auth: %s", s.Auth)
	}
	if s.CAFile != "" {
		ca := s.CAFile
		if absolute, err := filepath.Abs(ca); err == nil {
			ca = absolute
		}
		line("    tls_config: {ca_file: %s}", quote(ca))
	}
	if len(s.Mailboxes) > 0 {
		quoted := make([]string, len(s.Mailboxes))
		for i, m := range s.Mailboxes {
			quoted[i] = quote(m)
		}
		line("    mailboxes: [%s]", strings.Join(quoted, ", "))
	} else {
		line("    mailboxes: [INBOX]   # whose messages are counted; [\"*\"] means all")
	}
	line("    quota: %t", r.Quota != nil && len(r.Quota.Roots) > 0)
	line("")
	line("# What to probe. The name becomes the label \"account\"; the login name never does.")
	line("accounts:")
	line("  - name: %s", quote(s.Name))
	line("    server: %s", quote(at.server))
	line("    username: %s", quote(s.Username))
	line("    password_file: %s", quote(passwordFile))
	listMailboxes(line, r)
	return b.String()
}

// listMailboxes adds the account's mailboxes as comments.
func listMailboxes(line func(string, ...any), r *probe.Result) {
	if len(r.Mailboxes) > 1 {
		line("")
		line("# The account's mailboxes on %s:", r.Start.UTC().Format("2006-01-02"))
		for i, m := range r.Mailboxes {
			if i == maxListedMailboxes {
				line("#   and %d more", len(r.Mailboxes)-maxListedMailboxes)
				break
			}
			line("#   %s", m.Name)
		}
	}
}

// quote returns text as a YAML string in double quotes. Go's escapes are valid in YAML, too.
func quote(text string) string { return strconv.Quote(text) }
