package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// spoilFile puts something in the place of a file that a reader would never be done with. It returns how to put the file back.
func spoilFile(t *testing.T, path string, spoil func(path string) error) (restore func()) {
	t.Helper()
	if err := os.Rename(path, path+".away"); err != nil {
		t.Fatal(err)
	}
	if err := spoil(path); err != nil {
		t.Fatal(err)
	}
	return func() {
		if err := os.Rename(path+".away", path); err != nil {
			t.Fatal(err)
		}
	}
}

// endless are files that a reader is never done with.
func endless() map[string]func(path string) error {
	return map[string]func(path string) error{
		"a named pipe": func(path string) error { return unix.Mkfifo(path, 0o600) },
		"a device":     func(path string) error { return os.Symlink("/dev/zero", path) },
		"a huge file": func(path string) error {
			if err := os.WriteFile(path, nil, 0o600); err != nil {
				return err
			}
			return os.Truncate(path, 1<<40)
		},
	}
}

// Whichever file of the web configuration has no end, check says so and the exporter doesn't start.
func TestEndlessWebFilesAreRefused(t *testing.T) {
	file, _ := webTLS(t)
	put(t, file, "tls_server_config: {cert_file: cert.pem, key_file: key.pem, client_ca_file: ca.pem, client_auth_type: VerifyClientCertIfGiven}\n")
	pem, err := os.ReadFile(filepath.Join(filepath.Dir(file), "cert.pem"))
	if err != nil {
		t.Fatal(err)
	}
	put(t, filepath.Join(filepath.Dir(file), "ca.pem"), string(pem))
	for _, name := range []string{"web.yaml", "cert.pem", "key.pem", "ca.pem"} {
		for kind, spoil := range endless() {
			restore := spoilFile(t, filepath.Join(filepath.Dir(file), name), spoil)
			ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
			for _, command := range [][]string{{"check"}, nil} {
				var stdout, stderr strings.Builder
				args := append(command, "--config.file="+idleFile(t), "--web.config.file="+file, "--web.listen-address=127.0.0.1:0")
				status := run(ctx, args, &stdout, &stderr)
				if status != 1 || !strings.Contains(stderr.String(), "is not a regular file") && !strings.Contains(stderr.String(), "is larger than 16 MiB") {
					t.Errorf("%s is %s, %q: status %d, %s", name, kind, command, status, &stderr)
				}
			}
			cancel()
			restore()
		}
	}
}

// Where a file gets no end later, connections and reloads fail at once, and neither they nor the stop wait. When it is back, all is
// well again.
func TestWebFilesThatBecomeEndless(t *testing.T) {
	file, roots := webTLS(t)
	x := startProcess(t, "--config.file="+idleFile(t), "--web.config.file="+file)
	get := func() (int, error) {
		transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots}}
		defer transport.CloseIdleConnections()
		response, err := (&http.Client{Transport: transport, Timeout: 5 * time.Second}).Get("https://" + x.address + "/metrics")
		if err != nil {
			return 0, err
		}
		defer response.Body.Close()
		_, err = io.Copy(io.Discard, response.Body)
		return response.StatusCode, err
	}
	for _, name := range []string{"web.yaml", "cert.pem", "key.pem"} {
		for kind, spoil := range endless() {
			if status, err := get(); status != http.StatusOK {
				t.Fatalf("before %s is %s: %d, %v", name, kind, status, err)
			}
			restore := spoilFile(t, filepath.Join(filepath.Dir(file), name), spoil)
			begun := time.Now()
			if status, err := get(); err == nil || time.Since(begun) > 3*time.Second {
				t.Errorf("%s is %s: %d, %v, after %s", name, kind, status, err, time.Since(begun))
			}
			x.signal(t, syscall.SIGHUP)
			x.waitForLog(t, "Configuration not reloaded")
			restore()
		}
	}
	spoilFile(t, filepath.Join(filepath.Dir(file), "key.pem"), endless()["a named pipe"])
	x.signal(t, syscall.SIGHUP)
	x.stop(t)
}

var _ = x509.NewCertPool
var _ = exec.Command
