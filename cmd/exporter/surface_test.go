package main

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"net/http"
	"path/filepath"
	"strings"
	"testing"

	"imap-exporter/internal/mailtest"
)

// idleFile is a configuration whose account is never probed.
func idleFile(t *testing.T) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "config.yaml")
	write(t, file, "modules: [{name: default, interval: 0s}]\naccounts: [{name: canary, server: \"127.0.0.1:1\", username: u, password: canary-idle-secret}]\n")
	return file
}

// answerTo asks for a page under the name of a host.
func answerTo(t *testing.T, address, host string) int {
	t.Helper()
	r, err := http.NewRequest(http.MethodGet, "http://"+address+"/metrics", nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Host, r.Close = host, true
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	response.Body.Close()
	return response.StatusCode
}

// The program checks for whom a request is where it listens on loopback, or is told the names.
func TestHostsOfTheProgram(t *testing.T) {
	for _, c := range []struct {
		name, host, listen string
		flags              []string
		status             int
	}{
		{"loopback", "evil.example.org", "127.0.0.1", nil, http.StatusMisdirectedRequest},
		{"loopback", "localhost", "127.0.0.1", nil, http.StatusOK},
		{"loopback, allowed", "exporter.example.org", "127.0.0.1", []string{"--web.allowed-hosts=exporter.example.org"}, http.StatusOK},
		{"everywhere", "imap-exporter.monitoring.svc", "0.0.0.0", nil, http.StatusOK},
		{"everywhere, not allowed", "evil.example.org", "0.0.0.0", []string{"--web.allowed-hosts=exporter.example.org"}, http.StatusMisdirectedRequest},
	} {
		t.Run(c.name+", "+c.host, func(t *testing.T) {
			if got := answerTo(t, serveOn(t, c.listen, idleFile(t), c.flags...).Address, c.host); got != c.status {
				t.Errorf("status %d, want %d", got, c.status)
			}
		})
	}
}

// Profiles are nowhere unless asked for, then on a port of loopback alone; internal/exporter tests what is listened on.
func TestProfilesAreForLoopbackAlone(t *testing.T) {
	for _, address := range []string{":0", "0.0.0.0:0", "192.0.2.1:0", "[::]:0", "example.org:0", "localhost"} {
		var stdout, stderr strings.Builder
		if status := run(t.Context(), []string{"check", "--config.file=" + idleFile(t), "--web.debug-listen-address=" + address}, &stdout, &stderr); status != 1 ||
			!strings.HasPrefix(stderr.String(), "--web.debug-listen-address: must be host:port on loopback") {
			t.Errorf("%s: status %d, %s", address, status, &stderr)
		}
	}
}

// webTLS writes a web configuration with TLS, and returns it with a client that trusts it.
func webTLS(t *testing.T) (file string, roots *x509.CertPool) {
	t.Helper()
	ca, err := mailtest.NewCA()
	if err != nil {
		t.Fatal(err)
	}
	cert, err := ca.Issue(mailtest.CertOptions{Names: []string{"127.0.0.1"}})
	if err != nil {
		t.Fatal(err)
	}
	key, err := x509.MarshalPKCS8PrivateKey(cert.PrivateKey)
	if err != nil {
		t.Fatal(err)
	}
	folder := t.TempDir()
	write(t, filepath.Join(folder, "cert.pem"), string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: cert.Certificate[0]})))
	write(t, filepath.Join(folder, "key.pem"), string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: key})))
	file = filepath.Join(folder, "web.yaml")
	write(t, file, "tls_server_config: {cert_file: cert.pem, key_file: key.pem}\nhttp_server_config: {headers: {X-Frame-Options: sameorigin}}\n")
	return file, ca.Pool()
}

// The toolkit's TLS: from 1.2 on, and nothing in clear text. Our own headers and limits are within.
func TestWebTLS(t *testing.T) {
	file, roots := webTLS(t)
	address := serve(t, idleFile(t), "--web.config.file="+file).Address
	get := func(scheme string, config *tls.Config) (*http.Response, error) {
		transport := &http.Transport{TLSClientConfig: config, ForceAttemptHTTP2: config != nil && config.MaxVersion == 0}
		defer transport.CloseIdleConnections()
		response, err := (&http.Client{Transport: transport}).Get(scheme + "://" + address + "/metrics")
		if err == nil {
			response.Body.Close()
		}
		return response, err
	}
	response, err := get("https", &tls.Config{RootCAs: roots})
	if err != nil {
		t.Fatal(err)
	}
	if response.StatusCode != http.StatusOK || response.Header.Get("X-Content-Type-Options") != "nosniff" ||
		response.Header.Get("X-Frame-Options") != "sameorigin" || !strings.HasPrefix(response.Header.Get("Content-Security-Policy"), "default-src 'none'") {
		t.Errorf("%s, %v", response.Status, response.Header)
	}
	if _, err := get("https", &tls.Config{RootCAs: roots, MaxVersion: tls.VersionTLS11, MinVersion: tls.VersionTLS10}); err == nil {
		t.Error("TLS 1.1 is accepted")
	}
	if response, err := get("http", nil); err == nil && response.StatusCode == http.StatusOK {
		t.Error("metrics in clear text")
	}
}

// What the toolkit says of its file quotes none of it: internal/exporter tests the log of each request.
func TestWebConfigurationErrorsHaveNoValues(t *testing.T) {
	const secret = "canary-web-secret"
	file := filepath.Join(t.TempDir(), "web.yaml")
	for _, text := range []string{
		"basic_auth_users: " + secret, "tls_server_config: {key: [" + secret + "]}", "tls_server_config: " + secret,
		"basic_auth_users: {prometheus: {" + secret + ": x}}", "basic_auth_users: {prometheus: " + secret + "}", "rate_limit: {burst: " + secret + "}",
	} {
		write(t, file, text)
		var stdout, stderr strings.Builder
		if status := run(t.Context(), []string{"check", "--config.file=" + idleFile(t), "--web.config.file=" + file}, &stdout, &stderr); status != 1 {
			t.Errorf("%s: status %d", text, status)
		}
		if strings.Contains(stderr.String(), "canary-") {
			t.Errorf("%s: %s", text, &stderr)
		}
	}
}
