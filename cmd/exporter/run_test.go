package main

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"imap-exporter/internal/config"
	"imap-exporter/internal/demo"
)

// shipped is the configuration that comes with the program.
const shipped = "../../config.yaml"

// Every faulty configuration of package config's table is refused with just the lines that it announces itself.
func TestCheckRefusesBadFiles(t *testing.T) {
	for _, file := range tableFiles(t, "*.bad.yaml") {
		t.Run(file, func(t *testing.T) {
			var stdout, stderr bytes.Buffer
			status := run(t.Context(), []string{"check", "--config.file", file}, &stdout, &stderr)
			if status != 1 || stdout.Len() > 0 {
				t.Errorf("status %d, stdout %q", status, &stdout)
			}
			var want strings.Builder
			for _, problem := range comments(t, file, "want") {
				fmt.Fprintf(&want, "%s\n", problem)
			}
			if diff := cmp.Diff(want.String(), stderr.String()); diff != "" || want.Len() == 0 {
				t.Errorf("stderr (-want +got):\n%s", diff)
			}
		})
	}
}

func TestCheckAcceptsGoodFiles(t *testing.T) {
	for _, file := range tableFiles(t, "*.good.yaml") {
		t.Run(file, func(t *testing.T) {
			for _, env := range comments(t, file, "env") {
				name, value, _ := strings.Cut(env, "=")
				t.Setenv(name, value)
			}
			var stdout, stderr bytes.Buffer
			status := run(t.Context(), []string{"check", "--config.file", file}, &stdout, &stderr)
			if status != 0 || !strings.HasPrefix(stdout.String(), "ACCOUNT ") {
				t.Errorf("status %d, stdout %q, stderr %q", status, &stdout, &stderr)
			}
			var want strings.Builder
			for _, warning := range comments(t, file, "warn") {
				fmt.Fprintf(&want, "warning: %s\n", warning)
			}
			if diff := cmp.Diff(want.String(), stderr.String()); diff != "" {
				t.Errorf("stderr (-want +got):\n%s", diff)
			}
		})
	}
}

// tableFiles makes package config's table the working directory and returns the files that match.
func tableFiles(t *testing.T, pattern string) []string {
	folder := t.TempDir() // Nobody else may read it, so no file is exposed, whatever a checkout made of its mode.
	if err := os.CopyFS(folder, os.DirFS("../../internal/config/testdata")); err != nil {
		t.Fatal(err)
	}
	t.Chdir(folder)
	files, err := filepath.Glob(pattern)
	if err != nil || len(files) == 0 {
		t.Fatalf("%s: %d files, %v", pattern, len(files), err)
	}
	return files
}

// comments returns what the comments "# word: …" of a file say.
func comments(t *testing.T, file, word string) []string {
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var texts []string
	for line := range strings.Lines(strings.TrimPrefix(string(data), "\ufeff")) {
		if text, ok := strings.CutPrefix(line, "# "+word+": "); ok {
			texts = append(texts, strings.TrimSuffix(text, "\n"))
		}
	}
	return texts
}

// The shipped configuration shows what it says it shows, and no password, not even to those who debug.
func TestShippedConfiguration(t *testing.T) {
	p := serve(t, shipped, "--log.level=debug")
	var metrics, page string
	for _, want := range []string{
		`imap_probe_success{account="demo-healthy",server="demo:993"} 1`,
		`imap_probe_success{account="demo-slow",server="demo-slow:993"} 1`,
		`imap_probe_success{account="demo-quota",server="demo-quota:993"} 1`,
		`imap_probe_success{account="demo-growing",server="demo-growing:993"} 1`,
		`imap_probe_success{account="demo-starttls",server="demo-starttls:143"} 1`,
		`imap_probe_success{account="demo-certificate",server="demo-certificate:993"} 1`,
		`imap_probe_success{account="demo-rejected",server="demo-rejected:993"} 0`,
		`imap_probe_last_failure_info{account="demo-rejected",phase="auth",reason="rejected",server="demo-rejected:993"} 1`,
		`imap_probe_last_phase_duration_seconds{account="demo-quota",phase="resolve",server="demo-quota:993"} `,
		`imap_probe_last_phase_duration_seconds{account="demo-quota",phase="quota",server="demo-quota:993"} `,
		`imap_probe_last_phase_duration_seconds{account="demo-starttls",phase="starttls",server="demo-starttls:143"} `,
		`imap_probe_last_phase_duration_seconds{account="demo-healthy",phase="logout",server="demo:993"} `,
		`imap_quota_storage_used_bytes{account="demo-quota",`,
		`imap_mailbox_messages{account="demo-healthy",mailbox="INBOX",`,
		`imap_mailbox_size_bytes{account="demo-quota",mailbox="INBOX",`,
		`imap_tls_certificate_not_after_timestamp_seconds{account="demo-certificate",`,
	} {
		if !await(func() bool {
			_, metrics, _ = fetch(p.URL+"/metrics", "")
			return strings.Contains(metrics, want)
		}) {
			t.Errorf("/metrics has no %s", want)
		}
	}
	if !await(func() bool {
		_, page, _ = fetch(p.URL+"/", "")
		return strings.Contains(page, "auth/rejected")
	}) {
		t.Error("the landing page doesn't show the rejected account")
	}

	p.stop()
	if !strings.Contains(p.Log.String(), "msg=Transcript account=demo-rejected") {
		t.Error("the failed conversation is not in the log")
	}
	for _, secret := range secrets(t) {
		for where, text := range map[string]string{"the log": p.Log.String(), "/metrics": metrics, "/": page} {
			if strings.Contains(text, secret) {
				t.Errorf("%s has a password, as %q", where, secret)
			}
		}
	}
}

// secrets returns the shipped accounts' passwords, as they are and in the forms in which they cross the wire.
func secrets(t *testing.T) []string {
	demoServers, err := demo.New()
	if err != nil {
		t.Fatal(err)
	}
	cfg, err := config.Load(config.Options{File: shipped, Demo: idleDemo{demoServers}})
	if err != nil {
		t.Fatal(err)
	}
	var forms []string
	for _, a := range cfg.Accounts {
		user := a.Target.Username
		password, err := a.Target.Secret(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		forms = append(forms,
			password,
			base64.StdEncoding.EncodeToString([]byte(password)),
			base64.StdEncoding.EncodeToString([]byte("\x00"+user+"\x00"+password)))
	}
	return forms
}
