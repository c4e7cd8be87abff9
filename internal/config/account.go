package config

import (
	"crypto/tls"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"imap-exporter/probe"
)

// loadAccounts reads the accounts of the configuration file and of account_files.
func (l *loader) loadAccounts(tree *fileTree, root place) []Account {
	at := root.key("accounts")
	accounts := l.finishAccounts(tree.Accounts, at)
	files := root.key("account_files")
	none := len(tree.Accounts) == 0 && !at.broken()
	for i, pattern := range tree.AccountFiles {
		for _, path := range l.glob(pattern, files.item(i)) {
			var more accountFileTree
			in := l.read(path, &more)
			accounts = append(accounts, l.finishAccounts(more.Accounts, in.key("accounts"))...)
			none = none && len(more.Accounts) == 0 && !in.broken()
		}
	}
	if none && !files.broken() {
		at.refuse("is empty: an account needs a name, a server, a username and a password_file")
	}
	return accounts
}

// glob returns the files that one entry of account_files names, less those that an entry before it did.
func (l *loader) glob(pattern string, p place) []string {
	path := pattern
	if !filepath.IsAbs(path) {
		path = filepath.Join(l.folder, path)
	}
	paths := []string{path}
	if strings.ContainsAny(pattern, "*?[") {
		var err error
		if paths, err = l.sources.glob(path); err != nil {
			p.refuse("is not a valid pattern: *, ? and [a-z] stand for parts of a file's name")
		} else if len(paths) == 0 {
			p.warn("no file matches")
		}
	} else if info, err := os.Stat(path); err != nil {
		p.refuse("%s: %s", path, causeOf(err))
		return nil
	} else if info.IsDir() {
		p.refuse("%s: is a directory: write %s", path, filepath.Join(pattern, "*.yaml"))
		return nil
	}
	paths = slices.DeleteFunc(paths, func(path string) bool { return slices.Contains(l.files, path) })
	l.files = append(l.files, paths...)
	return paths
}

func (l *loader) finishAccounts(trees []accountTree, at place) []Account {
	var accounts []Account
	for i, tree := range trees {
		p := at.item(i)
		if p.broken() {
			continue
		}
		if a := l.finishAccount(&tree, p); !p.broken() && a.Target != nil {
			accounts = append(accounts, a)
		}
	}
	return accounts
}

// finishAccount checks an account as far as its module's state allows.
func (l *loader) finishAccount(tree *accountTree, p place) Account {
	checkName(p, tree.Name, l.accountNames)
	checkLabels(p.key("labels"), tree.Labels)
	if breaksLine(tree.Username) {
		p.key("username").refuse("has a line break or NUL, which IMAP cannot send")
	}
	name := tree.Module
	if name == "" {
		name = defaultModule
	}
	m := l.modules[name]
	if m == nil {
		if !l.modulesBroken {
			p.key("module").refuse("there is no such module: the known ones are %s", l.moduleNames())
		}
		return Account{}
	}
	if m.target == nil {
		return Account{}
	}
	a := Account{Interval: m.interval, RetryInterval: m.retryInterval, Module: m.name, Labels: tree.Labels}
	a.Target, a.server = l.target(m.target, tree, p)
	a.tree = *tree
	a.tree.Server, a.tree.Module = a.Target.Server, m.name
	if tree.Password != nil {
		a.tree.Password = &Secret{}
	}
	a.Fingerprint, a.secret = secretReader(a.Target.Secret).fingerprint, l.secretIdentity(tree)
	return a
}

// target completes a module's target with what is the account's own.
func (l *loader) target(shared *probe.Target, tree *accountTree, p place) (*probe.Target, server) {
	t := *shared
	t.Account, t.Username = tree.Name, tree.Username
	if t.Username == "" && t.Auth != probe.AuthNone && t.Auth != probe.AuthExternal {
		p.key("username").refuse("is missing: auth %s needs it", t.Auth)
	}
	t.Secret = l.credential(tree, t.Auth, p)
	if t.TLSMode == probe.TLSNone && t.Auth != probe.AuthNone && !t.AllowPlaintextAuth {
		p.warn("every probe will fail with plaintext_refused: the module has tls: none; encrypt, or permit it with allow_plaintext_auth: true")
	}
	s, ok := l.parseServer(tree.Server, t.TLSMode, p.key("server"))
	if !ok {
		return &t, s
	}
	at(&t, s)
	return &t, s
}

// at has a target go to a server.
func at(t *probe.Target, s server) {
	t.Server, t.Address = s.label, s.address
	if t.TLSConfig != nil {
		t.TLSConfig = withServer(t.TLSConfig, s)
	}
}

// withServer returns a copy for one server: the embedded ones are trusted by their own authority, and by their own name, alone.
func withServer(shared *tls.Config, s server) *tls.Config {
	c := shared.Clone()
	if s.roots != nil {
		c.RootCAs, c.ServerName = s.roots, s.name
	}
	if c.ServerName == "" {
		c.ServerName = s.name
	}
	return c
}
