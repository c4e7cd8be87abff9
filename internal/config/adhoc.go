package config

import "time"

// AdHoc describes an account without a configuration file: by flags, or by answers to questions. The zero value of a field
// means the default of its key.
type AdHoc struct {
	// Server, Username, PasswordFile and TokenFile are the keys of an account.
	Server, Username, PasswordFile, TokenFile string
	// Password is one that the user was asked for, or nil.
	Password *Secret
	// TLS, Auth, IPFamily, CAFile, ServerName, InsecureSkipVerify, AllowPlaintextAuth, Timeout and Mailboxes are the keys of a
	// module.
	TLS, Auth, IPFamily, CAFile, ServerName string
	InsecureSkipVerify, AllowPlaintextAuth  bool
	Timeout                                 time.Duration
	Mailboxes                               []string
	// Demo has the embedded servers; nil means that there are none.
	Demo Demo
}

// Account checks the description and returns the account, which is named after its server, and warnings. Its error has a
// line for each mistake, which begins with the name of the flag: "--server: is missing …". No secret is part of it.
func (h *AdHoc) Account() (account *Account, warnings []string, err error) {
	l := newLoader(Options{Demo: h.Demo})
	l.dir, l.demoEnabled = ".", h.Demo != nil
	flags := position{file: &parsedFile{diagnostics: l.diagnostics}}
	l.loadModules([]rawModule{h.module()}, flags.key("modules"))
	accounts := l.buildAccounts([]rawAccount{{
		Name: h.name(), Server: h.Server, Username: h.Username,
		PasswordFile: h.PasswordFile, TokenFile: h.TokenFile, Password: h.Password,
	}}, flags.key("accounts"))
	if err := l.diagnostics.err(); err != nil {
		return nil, l.diagnostics.warnings, err
	}
	return &accounts[0], l.diagnostics.warnings, nil
}

// name returns the account's name: the server, unless that can't be a name.
func (h *AdHoc) name() string {
	if h.Server == "" || !isPrintable(h.Server) {
		return "account"
	}
	return h.Server
}

// module returns the module that says the same.
func (h *AdHoc) module() rawModule {
	given := func(s string) *string {
		if s == "" {
			return nil
		}
		return &s
	}
	m := rawModule{
		Name: defaultModule, TLS: given(h.TLS), Auth: given(h.Auth), IPFamily: given(h.IPFamily),
		AllowPlaintextAuth: &h.AllowPlaintextAuth, Mailboxes: h.Mailboxes,
	}
	if h.CAFile != "" || h.ServerName != "" || h.InsecureSkipVerify {
		m.TLSConfig = &rawTLS{CAFile: h.CAFile, ServerName: h.ServerName, InsecureSkipVerify: h.InsecureSkipVerify}
	}
	if h.Timeout != 0 {
		m.Timeout = new(Duration(h.Timeout))
		m.Interval = new(Duration(0)) // Without an interval, the timeout may be longer than the default interval.
	}
	return m
}
