package config_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"imap-exporter/internal/config"
)

// withPasswordFile writes a configuration and a file named password, which its account reads, and returns both paths.
func withPasswordFile(t *testing.T, password string) (file, path string) {
	t.Helper()
	file = writeFile(t, "config.yaml", strings.Replace(oneAccount, "password: p", "password_file: password", 1))
	path = filepath.Join(filepath.Dir(file), "password")
	replace(t, path, password)
	return file, path
}

func replace(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestPasswordFileIsReadEachTime(t *testing.T) {
	file, path := withPasswordFile(t, "first\n")
	secret := loadAccount(t, file, "canary").Target.Secret
	for _, c := range []struct{ text, want string }{
		{"first\n", "first"},
		{"second", "second"},
		{"third\r\n", "third"},
		{" with spaces \n", " with spaces "},
		{strings.Repeat("x", 64<<10), strings.Repeat("x", 64<<10)},
	} {
		replace(t, path, c.text)
		if got, err := secret(t.Context()); err != nil || got != c.want {
			t.Errorf("%q, %v, want %q", got, err, c.want)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := secret(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("canceled: %v", err)
	}
}

func TestPasswordFileGoneBad(t *testing.T) {
	file, path := withPasswordFile(t, "first\n")
	secret := loadAccount(t, file, "canary").Target.Secret
	for want, spoil := range map[string]func() error{
		"no such file or directory":                            func() error { return nil },
		"is a directory, not a file":                           func() error { return os.Mkdir(path, 0o700) },
		"is not a regular file":                                func() error { return unix.Mkfifo(path, 0o600) },
		"is larger than 64 KiB":                                func() error { return os.WriteFile(path, []byte(strings.Repeat("hunter2", 10000)), 0o600) },
		"is empty":                                             func() error { return os.WriteFile(path, []byte("\n"), 0o600) },
		"must hold the secret alone":                           func() error { return os.WriteFile(path, []byte("hunter2\n\n"), 0o600) },
		"more than one line, or NUL":                           func() error { return os.WriteFile(path, []byte("hunter2\x00"), 0o600) },
		"starts with a byte order mark: save it as UTF-8 with": func() error { return os.WriteFile(path, []byte("\ufeffhunter2"), 0o600) },
	} {
		if err := os.RemoveAll(path); err != nil {
			t.Fatal(err)
		}
		if err := spoil(); err != nil {
			t.Fatal(err)
		}
		_, atLogin := secret(t.Context())
		_, atLoad := config.Load(config.Options{File: file})
		for _, err := range []error{atLogin, atLoad} {
			if err == nil || !strings.HasPrefix(err.Error(), file+":1: accounts[0].password_file: "+path+": ") ||
				!strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "hunter2") {
				t.Errorf("%v, want %s", err, want)
			}
		}
	}
}

func TestPasswordFromEnvironment(t *testing.T) {
	file := writeFile(t, "config.yaml", strings.Replace(oneAccount, "password: p", "password_env: CANARY_PASSWORD", 1))
	t.Setenv("CANARY_PASSWORD", "from the environment")
	if got, err := loadAccount(t, file, "canary").Target.Secret(t.Context()); err != nil || got != "from the environment" {
		t.Errorf("%q, %v", got, err)
	}
	for _, bad := range []string{"", "hunter2\n", "hun\rter2"} {
		t.Setenv("CANARY_PASSWORD", bad)
		if _, err := load(t, file); err == nil || strings.Contains(err.Error(), "hun") {
			t.Errorf("%q: %v", bad, err)
		}
	}
}

func TestCredentialsDirectory(t *testing.T) {
	file, _ := withPasswordFile(t, "beside the configuration\n")
	dir := t.TempDir()
	t.Setenv("CREDENTIALS_DIRECTORY", dir)
	secret := loadAccount(t, file, "canary").Target.Secret
	if got, err := secret(t.Context()); err != nil || got != "beside the configuration" {
		t.Errorf("without such a credential: %q, %v", got, err)
	}
	replace(t, filepath.Join(dir, "password"), "systemd's\n")
	if got, err := secret(t.Context()); err != nil || got != "systemd's" {
		t.Errorf("with it: %q, %v", got, err)
	}
}
