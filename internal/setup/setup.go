// Package setup writes a first configuration that works: it finds the server of an e-mail address, finds out how to connect to
// it, tries the login, and writes what it found.
package setup

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"

	"imap-exporter/internal/config"
	"imap-exporter/internal/format"
	"imap-exporter/probe"
)

const (
	// discoveryTimeout bounds each probe that looks for a server, and loginTimeout the probe that logs in.
	discoveryTimeout = 10 * time.Second
	loginTimeout     = 30 * time.Second
	// defaultName is the default of the account's name.
	defaultName = "canary"
)

// A Resolver looks up SRV records, as net.Resolver does.
type Resolver interface {
	LookupSRV(ctx context.Context, service, proto, name string) (cname string, addrs []*net.SRV, err error)
}

// A User answers questions.
type User interface {
	// Ask returns the answer to a question; fallback is the answer if the user gives none.
	Ask(question, fallback string) (string, error)
	// AskPassword returns a password, without showing it.
	AskPassword(question string) (config.Secret, error)
	// Say prints a line.
	Say(format string, args ...any)
}

// Answers are the answers that are known beforehand. Those that are "" are asked for, or have a default.
type Answers struct {
	// Address is the e-mail address of the account, and Username its login name, by default the address.
	Address, Username string
	// Server is the host or host:port to use instead of what DNS says. TLS is its mode: implicit, starttls, or "" for either.
	Server, TLS string
	// Auth is how to log in, one of passwordMethods.
	Auth string
	// PasswordFile is an existing file with the password. If it is "", the password is asked for and written to a new file.
	PasswordFile string
	// Name is the name of the account in metrics.
	Name string
	// Mailboxes are the names and patterns of the mailboxes to count.
	Mailboxes []string
	// CAFile has the CA certificates to trust instead of the system's.
	CAFile string
}

// A Setup writes a configuration.
type Setup struct {
	User     User
	Resolver Resolver
	// Probe probes a target, as probe.Run does.
	Probe func(context.Context, *probe.Target) *probe.Result
	// File is the configuration to write. It must not exist.
	File string
	// Demo has the embedded servers, or is nil.
	Demo config.Demo
	Answers
}

// passwordMethods are the ways to log in with a password. "" is as auto.
var passwordMethods = []probe.AuthMethod{"", probe.AuthAuto, probe.AuthLogin, probe.AuthPlain, probe.AuthSCRAMSHA256}

// safeName matches names that are valid file names on all systems.
var safeName = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$`)

// Run asks the questions, finds the server, logs in and writes the configuration. It overwrites no file. If it returns
// an error, it has written nothing.
func (s *Setup) Run(ctx context.Context) error {
	if err := mustNotExist(s.File); err != nil {
		return err
	}
	if !slices.Contains(passwordMethods, probe.AuthMethod(s.Auth)) {
		return errors.New("--auth: must be auto, login, plain or scram-sha-256, which log in with a password")
	}
	if err := s.askAccount(); err != nil {
		return err
	}
	found, err := s.findServer(ctx)
	if err != nil {
		return err
	}
	password, err := s.askPassword(found)
	if err != nil {
		return err
	}
	result, err := s.login(ctx, found, password)
	if err != nil {
		return err
	}
	if err := s.chooseMailboxes(result); err != nil {
		return err
	}
	return s.write(ctx, found, password, result)
}

// mustNotExist returns an error if the file exists.
func mustNotExist(file string) error {
	if _, err := os.Lstat(file); !errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("%s is there already: name another file with --config.file", file)
	}
	return nil
}

// askAccount asks for the address of the account and for its name.
func (s *Setup) askAccount() (err error) {
	if s.Address == "" && s.Server != "" {
		s.Address = s.Username
	}
	if s.Address == "" {
		s.User.Say("The account should be one of its own, with some mail in it. It is only read.")
		if s.Address, err = s.User.Ask("E-mail address of the account", ""); err != nil {
			return err
		}
	}
	if s.Username == "" {
		s.Username = s.Address
	}
	if s.Server == "" && domainOf(s.Address) == "" {
		return fmt.Errorf("%s is no e-mail address: write name@example.org, or name the server with --server", s.Address)
	}
	if s.Name == "" {
		if s.Name, err = s.User.Ask("Name of the account in metrics, where the address doesn't appear", defaultName); err != nil {
			return err
		}
	}
	if !safeName.MatchString(s.Name) {
		return fmt.Errorf("%s can't be the name: use letters, digits, dots, - and _", s.Name)
	}
	if s.PasswordFile == "" {
		return mustNotExist(s.passwordFile())
	}
	return nil
}

// domainOf returns the part of an address after the @, in lower case; "" if that is not a domain.
func domainOf(address string) string {
	at := strings.LastIndexByte(address, '@')
	domain := strings.ToLower(strings.TrimSuffix(address[at+1:], "."))
	if at < 1 || !strings.Contains(domain, ".") || strings.Trim(domain, "abcdefghijklmnopqrstuvwxyz0123456789-.") != "" {
		return ""
	}
	return domain
}

// passwordFile returns the name of the file for the password, in the folder of the configuration.
func (s *Setup) passwordFile() string {
	return filepath.Join(filepath.Dir(s.File), s.Name+".password")
}

// askPassword asks for the password. It returns nil if the password is in a file already.
func (s *Setup) askPassword(at candidate) (*config.Secret, error) {
	if s.PasswordFile != "" {
		return nil, nil
	}
	password, err := s.User.AskPassword(fmt.Sprintf("Password of %s at %s", s.Username, at.server))
	if err != nil {
		return nil, err
	}
	if password.Reveal() == "" {
		return nil, errors.New("there is no login without a password")
	}
	return &password, nil
}

// login logs in once, in the way that the configuration will, and lists and counts all mailboxes.
func (s *Setup) login(ctx context.Context, at candidate, password *config.Secret) (*probe.Result, error) {
	account := s.adHoc(at)
	account.Username, account.PasswordFile, account.Password = s.Username, s.PasswordFile, password
	account.Auth, account.Mailboxes, account.Timeout = s.Auth, []string{"*"}, loginTimeout
	a, _, err := account.Account()
	if err != nil {
		return nil, err
	}
	r := s.Probe(ctx, a.Target)
	s.User.Say("%s", strings.TrimSuffix(format.Waterfall(r, format.Style{}), "\n"))
	if r.Err != nil {
		return nil, fmt.Errorf("%s/%s: nothing was written, and the login is not tried again%s", r.Err.Phase, r.Err.Reason, methodHint(r.Err))
	}
	return r, nil
}

// methodHint repeats what the probe says of another way to log in, by the name of the flag.
func methodHint(e *probe.Error) string {
	_, method, found := strings.Cut(e.Text, "try auth: ")
	method, _, _ = strings.Cut(method, " ")
	if !found || !slices.Contains(passwordMethods, probe.AuthMethod(method)) {
		return ""
	}
	return "; if the password is right, try --auth " + method
}
