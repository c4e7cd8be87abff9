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

// credential returns the account's Target.Secret after reading it once; nil where auth needs none.
func (l *loader) credential(raw *rawAccount, auth probe.AuthMethod, p position) func(context.Context) (string, error) {
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
		{"password_file", raw.PasswordFile != ""},
		{"password_env", raw.PasswordEnv != ""},
		{"password", raw.Password != nil},
		{"token_file", raw.TokenFile != ""},
	} {
		switch {
		case k.given && len(wanted) == 0:
			p.key(k.key).errorf("auth %s sends no secret: delete it", auth)
		case k.given && !slices.Contains(wanted, k.key):
			p.key(k.key).errorf("auth %s takes %s instead", auth, strings.Join(wanted, " or "))
			misplaced = true
		case k.given:
			given = append(given, k.key)
		}
	}
	switch {
	case len(given) > 1:
		p.key(given[1]).errorf("is given together with %s: write only one of them", given[0])
	case len(given) == 1 && !l.shard.Has(raw.Name):
		return nil // The secrets of other shards may be missing here.
	case len(given) == 1:
		return l.secretReader(raw, given[0], p.key(given[0]))
	case len(wanted) > 0 && !misplaced:
		p.errorf("needs %s", strings.Join(wanted, ", or "))
	}
	return nil
}

// secretReader returns a function that reads the secret that a key gives.
func (l *loader) secretReader(raw *rawAccount, key string, p position) func(context.Context) (string, error) {
	switch key {
	case "password":
		if text := raw.Password.Reveal(); text == "" || breaksLine(text) {
			p.errorf("must not be empty, nor have a line break or NUL")
		}
		if !isDemoName(raw.Server) { // The passwords of the embedded servers are public.
			l.permissions.check(p.file.name, p)
		}
		return fixedSecret(*raw.Password)
	case "password_env":
		text := os.Getenv(raw.PasswordEnv)
		switch {
		case strings.ContainsAny(raw.PasswordEnv, "${}="):
			p.errorf("must be the name of an environment variable, without $")
		case text == "":
			p.errorf("the environment variable of that name is not set, or empty")
		case breaksLine(text):
			p.errorf("the environment variable of that name has a line break or NUL, which IMAP cannot send")
		}
		p.warnOfSecret("", text)
		return fixedSecret(NewSecret(text))
	case "password_file":
		return l.secretFromFile(raw.PasswordFile, p)
	default:
		return l.secretFromFile(raw.TokenFile, p)
	}
}

// secretIdentity returns Account.secret, without reading a file.
func (l *loader) secretIdentity(raw *rawAccount) string {
	switch {
	case raw.Password != nil:
		return fingerprint(raw.Password.Reveal())
	case raw.PasswordEnv != "":
		return fingerprint(os.Getenv(raw.PasswordEnv))
	case raw.PasswordFile != "":
		return l.resolve(raw.PasswordFile)
	case raw.TokenFile != "":
		return l.resolve(raw.TokenFile)
	}
	return ""
}

// fixedSecret returns a Target.Secret that is known when the configuration is loaded.
func fixedSecret(s Secret) func(context.Context) (string, error) {
	return func(context.Context) (string, error) { return s.Reveal(), nil }
}

// secretFromFile returns a function that reads a file at each call, so that a changed secret is used at the next login.
func (l *loader) secretFromFile(name string, p position) func(context.Context) (string, error) {
	read := func() (string, *diagnostic) {
		path := l.resolve(name)
		text, err := readSecret(path)
		if err != nil {
			return "", p.diagnosticf("%s: %s", path, fileError(name, err))
		}
		return text, nil
	}
	if secret, wrong := read(); wrong != nil {
		l.diagnostics.add(wrong)
	} else {
		p.warnOfSecret(l.resolve(name)+": ", secret)
	}
	l.permissions.check(l.resolve(name), p)
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

// warnOfSecret warns if a secret is probably not what was meant. The warning begins with the path of its file, if it has one.
func (p position) warnOfSecret(path, secret string) {
	if secret == "" {
		return // That is an error already.
	}
	if doubt := doubtfulSecret(secret); doubt != "" {
		p.warnf("%s%s", path, doubt)
	}
}

// readSecret reads a file of one line, without the line break at its end. Its errors don't repeat the content.
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

// resolve returns the path of a file with a secret or a certificate. A relative path is looked up among systemd's credentials
// first (systemd.exec(5), LoadCredential=), then in the directory of the configuration file.
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
	return filepath.Join(l.dir, name)
}
