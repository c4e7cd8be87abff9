package config

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"imap-exporter/probe"
)

// maxSecretBytes bounds a password or token. The longest tokens in use take some KiB.
const maxSecretBytes = 64 << 10

// credential returns the account's Target.Secret, checked once; nil where auth needs none.
func (l *loader) credential(tree *accountTree, auth probe.AuthMethod, p place) func(context.Context) (string, error) {
	var wanted, given []string
	misplaced := false
	switch auth {
	case probe.AuthNone, probe.AuthExternal:
	case probe.AuthXOAuth2, probe.AuthOAuthBearer:
		wanted = []string{"token_file"}
	default:
		wanted = []string{"password_file", "password_env", "password"}
	}
	for _, k := range []struct {
		key   string
		given bool
	}{
		{"password_file", tree.PasswordFile != ""},
		{"password_env", tree.PasswordEnv != ""},
		{"password", tree.Password != nil},
		{"token_file", tree.TokenFile != ""},
	} {
		switch {
		case k.given && len(wanted) == 0:
			p.key(k.key).refuse("auth %s sends no secret: delete it", auth)
		case k.given && !slices.Contains(wanted, k.key):
			p.key(k.key).refuse("auth %s needs %s in its place", auth, strings.Join(wanted, " or "))
			misplaced = true
		case k.given:
			given = append(given, k.key)
		}
	}
	switch {
	case len(given) > 1:
		p.key(given[1]).refuse("stands beside %s: only one of them may be given", given[0])
	case len(given) == 1 && !l.shard.Has(tree.Name):
		return nil // Another shard's secret need not be here.
	case len(given) == 1:
		return l.source(tree, given[0], p.key(given[0]))
	case len(wanted) > 0 && !misplaced:
		p.refuse("needs %s", strings.Join(wanted, ", or "))
	}
	return nil
}

// source returns the function that reads the secret from where the key says.
func (l *loader) source(tree *accountTree, key string, p place) func(context.Context) (string, error) {
	switch key {
	case "password":
		if text := tree.Password.Reveal(); text == "" || breaksLine(text) {
			p.refuse("must not be empty, nor have a line break or NUL")
		}
		if !isDemoName(tree.Server) { // What opens the embedded servers is no secret.
			l.exposure.note(p.doc.file, p)
		}
		return constant(*tree.Password)
	case "password_env":
		text := os.Getenv(tree.PasswordEnv)
		switch {
		case strings.ContainsAny(tree.PasswordEnv, "${}="):
			p.refuse("must be the bare name of an environment variable, without $")
		case text == "":
			p.refuse("the environment variable that it names is not set, or empty")
		case breaksLine(text):
			p.refuse("the environment variable that it names has a line break or NUL, which IMAP cannot send")
		}
		return constant(NewSecret(text))
	case "password_file":
		return l.fileSource(tree.PasswordFile, p)
	default:
		return l.fileSource(tree.TokenFile, p)
	}
}

// secretIdentity tells an account's secret from another without reading a file.
func (l *loader) secretIdentity(tree *accountTree) string {
	switch {
	case tree.Password != nil:
		return fingerprint(tree.Password.Reveal())
	case tree.PasswordEnv != "":
		return fingerprint(os.Getenv(tree.PasswordEnv))
	case tree.PasswordFile != "":
		return l.resolve(tree.PasswordFile)
	case tree.TokenFile != "":
		return l.resolve(tree.TokenFile)
	}
	return ""
}

// constant returns a Target.Secret that is known at load.
func constant(s Secret) func(context.Context) (string, error) {
	return func(context.Context) (string, error) { return s.Reveal(), nil }
}

// fileSource returns a function that reads a file at each call, so that a changed secret is used at the next login.
func (l *loader) fileSource(name string, p place) func(context.Context) (string, error) {
	read := func() (string, *problem) {
		path := l.resolve(name)
		text, err := readSecret(path)
		if err != nil {
			return "", p.problem("%s: %s", path, causeOf(err))
		}
		return text, nil
	}
	if _, wrong := read(); wrong != nil {
		l.report.add(wrong)
	}
	l.exposure.note(l.resolve(name), p)
	return func(ctx context.Context) (string, error) {
		if err := ctx.Err(); err != nil {
			return "", err
		}
		text, wrong := read()
		if wrong != nil {
			return "", wrong
		}
		return text, nil
	}
}

// readSecret reads a one-line file without the line break at its end. Its errors do not repeat what the file holds.
func readSecret(path string) (string, error) {
	data, err := readRegular(path, maxSecretBytes)
	if err != nil {
		return "", err
	}
	if hasByteOrderMark(data) {
		return "", errors.New("starts with a byte order mark: save it as UTF-8 without one")
	}
	if cut, ok := bytes.CutSuffix(data, []byte("\n")); ok {
		data = bytes.TrimSuffix(cut, []byte("\r"))
	}
	switch text := string(data); {
	case text == "":
		return "", errors.New("is empty")
	case breaksLine(text):
		return "", errors.New("has more than one line, or NUL: it must hold the secret alone")
	default:
		return text, nil
	}
}

// resolve finds a file: a relative path first among systemd's credentials (systemd.exec(5), LoadCredential=), then beside the configuration.
func (l *loader) resolve(name string) string {
	if filepath.IsAbs(name) {
		return name
	}
	if l.credentials != "" && filepath.IsLocal(name) {
		path := filepath.Join(l.credentials, name)
		if _, err := os.Stat(path); err == nil {
			return path
		}
	}
	return filepath.Join(l.folder, name)
}
