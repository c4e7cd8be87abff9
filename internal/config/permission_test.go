package config_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"imap-exporter/internal/config"
)

// openDirectory returns a directory that every user may enter, like those of the system.
func openDirectory(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	for _, above := range []string{filepath.Dir(dir), dir} {
		chmod(t, above, 0o755)
	}
	for above := filepath.Dir(dir); above != "/"; above = filepath.Dir(above) {
		if info, err := os.Stat(above); err != nil || info.Mode().Perm()&0o001 == 0 {
			t.Skipf("not every user may enter %s", above)
		}
	}
	return dir
}

func chmod(t *testing.T, path string, mode os.FileMode) {
	t.Helper()
	if err := os.Chmod(path, mode); err != nil {
		t.Fatal(err)
	}
}

// warnings loads a file that is in order, and returns its warnings.
func warnings(t *testing.T, file string) []string {
	t.Helper()
	c, err := load(t, file)
	if err != nil {
		t.Fatal(err)
	}
	return c.Warnings
}

// A secret that every user may read is warned of, and used all the same.
func TestExposedFilesAreWarnedOf(t *testing.T) {
	for _, c := range []struct {
		file, dir os.FileMode
		exposed   bool
	}{
		{0o644, 0o755, true},
		{0o604, 0o711, true},
		{0o640, 0o755, false},
		{0o600, 0o755, false},
		{0o644, 0o750, false},
		{0o644, 0o700, false},
	} {
		dir := openDirectory(t)
		path, file := filepath.Join(dir, "password"), filepath.Join(dir, "config.yaml")
		replace(t, path, "canary-exposed-secret\n")
		replace(t, file, strings.Replace(oneAccount, "password: p", "password_file: password", 1))
		chmod(t, path, c.file)
		chmod(t, dir, c.dir)
		var want []string
		if c.exposed {
			want = []string{fmt.Sprintf("%s:1: accounts[0].password_file: %s: every user of this machine may read this secret (mode %04o): "+
				"chmod o= %s; in Kubernetes, defaultMode: 0440 with an fsGroup", file, path, c.file, path)}
		}
		if got := warnings(t, file); fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("mode %04o in a dir of mode %04o: %q, want %q", c.file, c.dir, got, want)
		}
		if got, err := loadAccount(t, file, "canary").Target.Secret(t.Context()); err != nil || got != "canary-exposed-secret" {
			t.Errorf("mode %04o: %q, %v", c.file, got, err)
		}
		chmod(t, dir, 0o700) // For the clean-up.
	}
}

// Every file that has a secret counts, and many of them make one warning.
func TestEveryKindOfExposedFile(t *testing.T) {
	dir := openDirectory(t)
	if err := os.CopyFS(dir, os.DirFS("testdata")); err != nil {
		t.Fatal(err)
	}
	const head = "{name: %s, server: imap.example.org, username: u, %s}"
	at := func(account, keys string) string { return "accounts: [" + fmt.Sprintf(head, account, keys) + "]\n" }
	bearer := "modules: [{name: default, auth: xoauth2}]\n"
	external := "modules: [{name: default, auth: external, tls_config: {cert_file: tls/client.pem, key_file: tls/client.key}}]\n"
	for name, c := range map[string]struct{ text, want string }{
		"a token":               {bearer + at("a", "token_file: secrets/token"), "accounts[0].token_file: " + filepath.Join(dir, "secrets/token") + ": "},
		"a key":                 {external + "accounts: [{name: a, server: imap.example.org}]\n", "key_file: " + filepath.Join(dir, "tls/client.key") + ": "},
		"the file itself":       {at("a", "password: canary-inline-secret"), "accounts[0].password: " + filepath.Join(dir, "config.yaml") + ": "},
		"a demo's is no secret": {"demo: {enabled: true}\n" + strings.Replace(at("a", "password: canary-demo-secret"), "imap.example.org", "demo", 1), ""},
		"many, and one twice": {
			"accounts: [" + fmt.Sprintf(head, "a", "password_file: secrets/password") + ", " + fmt.Sprintf(head, "b", "password_file: secrets/password") + ", " +
				fmt.Sprintf(head, "c", "password_file: secrets/token") + ", " + fmt.Sprintf(head, "d", "password: canary-inline-secret") + "]\n",
			"accounts[0].password_file: " + filepath.Join(dir, "secrets/password") + ": every user of this machine may read this secret (mode 0644), and 2 more: ",
		},
	} {
		file := filepath.Join(dir, "config.yaml")
		replace(t, file, c.text)
		for _, exposed := range []string{file, filepath.Join(dir, "secrets/token"), filepath.Join(dir, "secrets/password"), filepath.Join(dir, "tls/client.key")} {
			chmod(t, exposed, 0o644)
		}
		got := warnings(t, file)
		if c.want == "" && len(got) > 0 || c.want != "" && (len(got) != 1 || !strings.Contains(got[0], c.want)) {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
		if strings.Contains(fmt.Sprint(got), "-secret") {
			t.Errorf("%s: the warning has a secret: %q", name, got)
		}
	}
}

// A symbolic link counts as what it leads to, as Kubernetes has them; what is in systemd's directory counts for none.
func TestExposedByALink(t *testing.T) {
	dir := openDirectory(t)
	file := filepath.Join(dir, "config.yaml")
	replace(t, file, strings.Replace(oneAccount, "password: p", "password_file: password", 1))
	data := filepath.Join(dir, "..data")
	if err := os.Mkdir(data, 0o755); err != nil {
		t.Fatal(err)
	}
	replace(t, filepath.Join(data, "password"), "canary-link-secret\n")
	if err := os.Symlink("..data/password", filepath.Join(dir, "password")); err != nil {
		t.Fatal(err)
	}
	chmod(t, filepath.Join(data, "password"), 0o600)
	if got := warnings(t, file); got != nil {
		t.Errorf("a link to what nobody else may read: %q", got)
	}
	chmod(t, filepath.Join(data, "password"), 0o644)
	if got := warnings(t, file); len(got) != 1 {
		t.Errorf("a link to what everybody may read: %q", got)
	}
	t.Setenv("CREDENTIALS_DIRECTORY", data)
	if got := warnings(t, file); got != nil {
		t.Errorf("one of systemd's credentials: %q", got)
	}
}

// Anything but a regular file of one line is an error at once, with file, line and key. Nothing waits for it.
func TestOddSecretFiles(t *testing.T) {
	file, path := withPasswordFile(t, "canary-odd-secret\n")
	for name, c := range map[string]struct {
		spoil func() error
		want  string
	}{
		"a device":         {func() error { return os.Symlink("/dev/zero", path) }, "is not a regular file"},
		"a socket":         {func() error { return unix.Mknod(path, unix.S_IFSOCK|0o600, 0) }, "no such device or address"},
		"a link to itself": {func() error { return os.Symlink(path, path) }, "too many levels of symbolic links"},
		"one CR":           {func() error { return os.WriteFile(path, []byte("canary-odd\r-secret"), 0o600) }, "has more than one line, or NUL"},
		"without an end":   {func() error { return os.Truncate(path, 1<<40) }, "is larger than 64 KiB"},
	} {
		if err := os.RemoveAll(path); err != nil {
			t.Fatal(err)
		}
		if name == "without an end" {
			replace(t, path, "")
		}
		if err := c.spoil(); err != nil {
			t.Fatal(err)
		}
		_, err := config.Load(config.Options{File: file})
		if err == nil || !strings.HasPrefix(err.Error(), file+":1: accounts[0].password_file: "+path+": "+c.want) || strings.Contains(err.Error(), "canary-odd") {
			t.Errorf("%s: %v, want %s", name, err, c.want)
		}
	}
}
