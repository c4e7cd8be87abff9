// Package setup makes a first configuration that works: it finds the server of an e-mail address, tries how to connect
// and whether the login is accepted, and writes what it found.
package setup

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"time"

	"imap-exporter/internal/config"
	"imap-exporter/internal/format"
	"imap-exporter/probe"
)

const (
	// tryTimeout bounds each attempt to reach a server, and loginTimeout the one login.
	tryTimeout   = 10 * time.Second
	loginTimeout = 30 * time.Second
	// defaultName is the account's, unless another is wanted.
	defaultName = "canary"
)

// A Resolver finds SRV records. net.Resolver is one.
type Resolver interface {
	LookupSRV(ctx context.Context, service, proto, name string) (cname string, addrs []*net.SRV, err error)
}

// A User answers questions.
type User interface {
	// Ask returns the answer to a question; fallback is what an empty one means.
	Ask(question, fallback string) (string, error)
	// AskPassword returns a password, which is shown nowhere.
	AskPassword(question string) (config.Secret, error)
	// Say tells something.
	Say(format string, args ...any)
}

// Answers are what is known beforehand. What is "" is asked for, or has a default.
type Answers struct {
	// Address is the e-mail address of the account, and Username its login name, by default the address.
	Address, Username string
	// Server is its host or host:port, in place of what DNS says, and TLS its mode: implicit or starttls.
	Server, TLS string
	// PasswordFile has the password. Without one it is asked for, and written to a file of its own.
	PasswordFile string
	// Name is the account's in metrics.
	Name string
	// Mailboxes are names and patterns of mailboxes to count.
	Mailboxes []string
	// CAFile has the authorities to trust, in place of the system's.
	CAFile string
}

// A Setup makes a configuration.
type Setup struct {
	User     User
	Resolver Resolver
	// Probe probes a target: probe.Run.
	Probe func(context.Context, *probe.Target) *probe.Result
	// File is the configuration to write. It must not exist.
	File string
	// Demo has the embedded servers, to practise with; nil: there are none.
	Demo config.Demo
	Answers
}

// safeName is what can be a file's name everywhere.
var safeName = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$`)

// Run asks, tries and writes. It overwrites nothing. When it returns an error, nothing was written.
func (s *Setup) Run(ctx context.Context) error {
	if err := absent(s.File); err != nil {
		return err
	}
	if err := s.askWho(); err != nil {
		return err
	}
	found, err := s.findServer(ctx)
	if err != nil {
		return err
	}
	password, err := s.password(found)
	if err != nil {
		return err
	}
	result, err := s.login(ctx, found, password)
	if err != nil {
		return err
	}
	if err := s.askWhat(result); err != nil {
		return err
	}
	return s.write(found, password, result)
}

// absent returns an error if there is something of that name.
func absent(file string) error {
	if _, err := os.Lstat(file); !errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("%s is there already: name another file with --config.file", file)
	}
	return nil
}

// askWho asks whose account it is, and what to call it.
func (s *Setup) askWho() (err error) {
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
		return absent(s.passwordFile())
	}
	return nil
}

// domainOf returns what is behind the @ of an address; "" if that is no domain.
func domainOf(address string) string {
	at := strings.LastIndexByte(address, '@')
	domain := strings.ToLower(strings.TrimSuffix(address[at+1:], "."))
	if at < 1 || !strings.Contains(domain, ".") || strings.Trim(domain, "abcdefghijklmnopqrstuvwxyz0123456789-.") != "" {
		return ""
	}
	return domain
}

// passwordFile is where the password goes: beside the configuration.
func (s *Setup) passwordFile() string {
	return filepath.Join(filepath.Dir(s.File), s.Name+".password")
}

// password reads the password.
func (s *Setup) password(at candidate) (*config.Secret, error) {
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

// login logs in once, as the configuration will have it, and looks at everything.
func (s *Setup) login(ctx context.Context, at candidate, password *config.Secret) (*probe.Result, error) {
	account := s.adHoc(at)
	account.Username, account.PasswordFile, account.Password = s.Username, s.PasswordFile, password
	account.Mailboxes, account.Timeout = []string{"*"}, loginTimeout
	a, _, err := account.Account()
	if err != nil {
		return nil, err
	}
	r := s.Probe(ctx, a.Target)
	s.User.Say("%s", strings.TrimSuffix(format.Waterfall(r, format.Style{}), "\n"))
	if r.Err != nil {
		return nil, fmt.Errorf("%s/%s: nothing was written, and the login is not tried again", r.Err.Phase, r.Err.Reason)
	}
	return r, nil
}

// askWhat tells what there is to measure, and asks what is wanted of it.
func (s *Setup) askWhat(r *probe.Result) error {
	if q := r.Quota; q != nil && len(q.Roots) > 0 {
		s.User.Say("The server tells the quota, so it is measured.")
	}
	if len(s.Mailboxes) > 0 || len(r.Mailboxes) < 2 {
		return nil
	}
	s.User.Say("The account has %d mailboxes.", len(r.Mailboxes))
	answer, err := s.User.Ask("Count the messages of all of them, or of INBOX alone (all, inbox)", "inbox")
	if err != nil {
		return err
	}
	switch strings.ToLower(answer) {
	case "all":
		s.Mailboxes = []string{"*"}
	case "inbox":
	default:
		return fmt.Errorf("%s is neither all nor inbox", answer)
	}
	return nil
}
