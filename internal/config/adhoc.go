package config

import (
	"errors"
	"regexp"
	"strings"
	"time"
)

// AdHoc is an account that is described without a file: by flags, or by answers to questions. The zero value of a field
// stands for the key's default.
type AdHoc struct {
	// Server, Username, PasswordFile and TokenFile are as the keys of an account.
	Server, Username, PasswordFile, TokenFile string
	// Password is one that was asked for; nil: none.
	Password *Secret
	// TLS, Auth, IPFamily, CAFile, ServerName, InsecureSkipVerify, AllowPlaintextAuth, Timeout and Mailboxes are as the
	// keys of a module.
	TLS, Auth, IPFamily, CAFile, ServerName string
	InsecureSkipVerify, AllowPlaintextAuth  bool
	Timeout                                 time.Duration
	Mailboxes                               []string
	// Demo has the embedded servers; nil: there are none.
	Demo Demo
}

// Account checks the description and returns the account, which is named after its server, and what is doubtful about
// it. Its error has a line for each fault, which begins with the name of the flag, "--server: is missing …". No secret
// is part of it.
func (h *AdHoc) Account() (account *Account, warnings []string, err error) {
	l := newLoader(Options{Demo: h.Demo})
	l.folder, l.demoEnabled = ".", h.Demo != nil
	root := place{doc: &document{lines: map[string]int{}, report: l.report}}
	l.loadModules([]moduleTree{h.module()}, root.key("modules"))
	accounts := l.finishAccounts([]accountTree{{
		Name: h.name(), Server: h.Server, Username: h.Username,
		PasswordFile: h.PasswordFile, TokenFile: h.TokenFile, Password: h.Password,
	}}, root.key("accounts"))
	for _, warning := range l.report.warnings {
		warnings = append(warnings, keyToFlag(strings.TrimPrefix(warning, ":1: ")))
	}
	if err := l.report.err(); err != nil {
		var faults []error
		for fault := range strings.SplitSeq(err.Error(), "\n") {
			faults = append(faults, errors.New(keyToFlag(strings.TrimPrefix(fault, ":1: "))))
		}
		return nil, warnings, errors.Join(faults...)
	}
	return &accounts[0], warnings, nil
}

// name is the account's: the server's, as far as that can be a name.
func (h *AdHoc) name() string {
	if h.Server == "" || !isPrintable(h.Server) {
		return "account"
	}
	return h.Server
}

// module is the tree of a configuration file that says the same.
func (h *AdHoc) module() moduleTree {
	text := func(s string) *string {
		if s == "" {
			return nil
		}
		return &s
	}
	m := moduleTree{
		Name: defaultModule, TLS: text(h.TLS), Auth: text(h.Auth), IPFamily: text(h.IPFamily),
		AllowPlaintextAuth: &h.AllowPlaintextAuth, Mailboxes: h.Mailboxes,
	}
	if h.CAFile != "" || h.ServerName != "" || h.InsecureSkipVerify {
		m.TLSConfig = &tlsTree{CAFile: h.CAFile, ServerName: h.ServerName, InsecureSkipVerify: h.InsecureSkipVerify}
	}
	if h.Timeout != 0 {
		m.Timeout = new(Duration(h.Timeout))
		m.Interval = new(Duration(0)) // None, so that the timeout may be as long as one likes.
	}
	return m
}

// keyPath matches the key that a fault of an AdHoc begins with.
var keyPath = regexp.MustCompile(`^(?:accounts|modules)\[0\](?:\.tls_config)?\.?([a-z_]*)(?:\[\d+\])?: `)

// keyToFlag puts the name of the flag in the place of the key's.
func keyToFlag(fault string) string {
	match := keyPath.FindStringSubmatch(fault)
	switch {
	case match == nil:
		return fault
	case match[1] == "":
		return "the account " + strings.TrimPrefix(fault, match[0])
	}
	return "--" + strings.ReplaceAll(match[1], "_", "-") + ": " + strings.TrimPrefix(fault, match[0])
}
