package e2e

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
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

	"imap-exporter/internal/mailtest"
	"imap-exporter/internal/realtest/program"
)

// webTLS writes a configuration and a web configuration with TLS into a directory of their own. It returns that and the
// authority of the certificate.
func webTLS(t *testing.T) (dir string, roots *x509.CertPool) {
	t.Helper()
	ca, err := mailtest.NewCA()
	if err != nil {
		t.Fatal(err)
	}
	cert, err := ca.Issue(mailtest.CertOptions{Names: []string{"localhost"}})
	if err != nil {
		t.Fatal(err)
	}
	key, err := x509.MarshalPKCS8PrivateKey(cert.PrivateKey)
	if err != nil {
		t.Fatal(err)
	}
	dir = t.TempDir()
	certPEM := string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: cert.Certificate[0]}))
	write(t, filepath.Join(dir, "cert.pem"), certPEM)
	write(t, filepath.Join(dir, "ca.pem"), certPEM)
	write(t, filepath.Join(dir, "key.pem"), string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: key})))
	write(t, filepath.Join(dir, "web.yaml"), "tls_server_config: {cert_file: cert.pem, key_file: key.pem, client_ca_file: ca.pem, client_auth_type: VerifyClientCertIfGiven}\n")
	write(t, filepath.Join(dir, "config.yaml"), "web: {config_file: web.yaml}\nmodules: [{name: default, interval: 0s}]\n"+
		"accounts: [{name: canary, server: \"127.0.0.1:1\", username: u, password: canary-idle-secret}]\n")
	return dir, ca.Pool()
}

// endlessFiles make files that a reader is never done with.
func endlessFiles() map[string]func(path string) error {
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

// replaceFile moves a file away and puts another in its place, until restore is called.
func replaceFile(t *testing.T, path string, with func(path string) error) (restore func()) {
	t.Helper()
	if err := os.Rename(path, path+".away"); err != nil {
		t.Fatal(err)
	}
	if err := with(path); err != nil {
		t.Fatal(err)
	}
	return func() {
		if err := os.Rename(path+".away", path); err != nil {
			t.Fatal(err)
		}
	}
}

// Whichever file of a web configuration is endless: check names it, and the exporter doesn't start.
func TestEndlessFilesAreRefused(t *testing.T) {
	dir, _ := webTLS(t)
	binary, err := program.Build()
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"config.yaml", "web.yaml", "cert.pem", "key.pem", "ca.pem"} {
		for kind, with := range endlessFiles() {
			restore := replaceFile(t, filepath.Join(dir, name), with)
			for _, command := range [][]string{{"check"}, {}} {
				ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
				args := []string{"--config.file=" + filepath.Join(dir, "config.yaml"), "--web.listen-address=127.0.0.1:0"}
				output, err := exec.CommandContext(ctx, binary, append(args, command...)...).CombinedOutput()
				text := string(output)
				if err == nil || ctx.Err() != nil || !strings.Contains(text, filepath.Join(dir, name)) ||
					!strings.Contains(text, "is not a regular file") && !strings.Contains(text, "is larger than 16 MiB") {
					t.Errorf("%s is %s, %q: %v, %s", name, kind, command, err, text)
				}
				cancel()
			}
			restore()
		}
	}
}

// Where a file becomes endless later, handshakes, requests and reloads fail at once, and neither reloads nor the stop hang. Once it
// is back, the exporter answers again.
func TestFilesThatBecomeEndless(t *testing.T) {
	dir, roots := webTLS(t)
	e := start(t, program.Command(t, filepath.Join(dir, "config.yaml")))
	url := "https" + strings.TrimPrefix(e.URL, "http") + "/metrics"
	request := func(client *http.Client) (int, error) {
		response, err := client.Get(url)
		if err != nil {
			return 0, err
		}
		defer response.Body.Close()
		_, err = io.Copy(io.Discard, response.Body)
		return response.StatusCode, err
	}
	for _, name := range []string{"web.yaml", "cert.pem", "key.pem", "ca.pem"} {
		for kind, with := range endlessFiles() {
			transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots}}
			kept := &http.Client{Transport: transport, Timeout: 10 * time.Second}
			if status, err := request(kept); status != http.StatusOK {
				t.Fatalf("before %s is %s: %d, %v\n%s", name, kind, status, err, e.Log)
			}
			restore := replaceFile(t, filepath.Join(dir, name), with)
			if status, err := request(kept); err != nil || name == "web.yaml" && status != http.StatusInternalServerError {
				t.Errorf("%s is %s: on the connection from before, %d, %v", name, kind, status, err)
			}
			fresh := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots}}
			begun := time.Now()
			if status, err := request(&http.Client{Transport: fresh, Timeout: 10 * time.Second}); err == nil || time.Since(begun) > 5*time.Second {
				t.Errorf("%s is %s: on a new connection, %d, %v after %s", name, kind, status, err, time.Since(begun))
			}
			before := strings.Count(e.Log.String(), "Configuration not reloaded")
			e.signal(t, syscall.SIGHUP)
			if !await(func() bool { return strings.Count(e.Log.String(), "Configuration not reloaded") > before }) {
				t.Errorf("%s is %s: the reload has no end", name, kind)
			}
			restore()
			transport.CloseIdleConnections()
			fresh.CloseIdleConnections()
		}
	}
	replaceFile(t, filepath.Join(dir, "key.pem"), endlessFiles()["a named pipe"])
	e.signal(t, syscall.SIGHUP) // And then it must stop in time.
}
