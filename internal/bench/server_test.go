package bench

import (
	"bufio"
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"imap-exporter/internal/mailtest"
)

// serverVariable makes this test binary a mail server, so that its CPU time is not that of the client under test.
// Its value is the mode, and after a slash the delay of LOGIN.
const serverVariable = "IMAP_EXPORTER_BENCH_SERVER"

// users is how many accounts the server has, and user the login of one.
const users = 500

func user(i int) string { return fmt.Sprintf("user%d@example.org", i) }

func TestMain(m *testing.M) {
	if value := os.Getenv(serverVariable); value != "" {
		if err := serve(value); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	os.Exit(m.Run())
}

// serve runs a scripted server until stdin ends. It prints its address, and the certificate of its authority.
func serve(value string) error {
	mode, wait, _ := strings.Cut(value, "/")
	delay, err := time.ParseDuration(wait)
	if err != nil {
		return err
	}
	ca, err := mailtest.NewCA()
	if err != nil {
		return err
	}
	o := mailtest.Options{Mode: mailtest.Mode(mode), NoRecord: true, Delay: map[string]time.Duration{"LOGIN": delay}}
	for i := range users {
		u := mailtest.NewUser(time.Now())
		u.Name = user(i)
		o.Data.Users = append(o.Data.Users, u)
	}
	if o.TLS, err = ca.ServerConfig(mailtest.CertOptions{Names: []string{"localhost"}}); err != nil {
		return err
	}
	server, err := mailtest.Start(o)
	if err != nil {
		return err
	}
	defer server.Close()
	fmt.Println(server.Addr())
	if err := pem.Encode(os.Stdout, &pem.Block{Type: "CERTIFICATE", Bytes: ca.Certificate().Raw}); err != nil {
		return err
	}
	_, err = io.Copy(io.Discard, os.Stdin)
	return err
}

// startServer runs a server in a process of its own until the end of the benchmark.
func startServer(b *testing.B, mode mailtest.Mode, loginDelay time.Duration) (address string, config *tls.Config) {
	b.Helper()
	address, authority := startServerProcess(b, mode, loginDelay)
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(authority) {
		b.Fatal("the server did not start")
	}
	return address, &tls.Config{RootCAs: roots, ServerName: "localhost", MinVersion: tls.VersionTLS12}
}

// startServerProcess returns the server's address, and its authority in PEM.
func startServerProcess(b *testing.B, mode mailtest.Mode, loginDelay time.Duration) (address string, authority []byte) {
	b.Helper()
	cmd := exec.CommandContext(b.Context(), os.Args[0])
	cmd.Env = append(os.Environ(), fmt.Sprintf("%s=%s/%s", serverVariable, mode, loginDelay))
	cmd.Stderr = os.Stderr
	stdin, err := cmd.StdinPipe()
	if err != nil {
		b.Fatal(err)
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		b.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		stdin.Close()
		_ = cmd.Wait()
	})
	lines := bufio.NewScanner(stdout)
	var certificate bytes.Buffer
	for lines.Scan() {
		if address == "" {
			address = lines.Text()
			continue
		}
		fmt.Fprintln(&certificate, lines.Text())
		if strings.HasPrefix(lines.Text(), "-----END") {
			break
		}
	}
	return address, certificate.Bytes()
}
