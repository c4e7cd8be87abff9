package mailtest

import (
	"bufio"
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/emersion/go-imap/v2/imapclient"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func newCA(t *testing.T) *CA {
	t.Helper()
	ca, err := NewCA()
	if err != nil {
		t.Fatal(err)
	}
	return ca
}

// serverTLS returns a server's configuration for localhost, and a client's.
func serverTLS(t *testing.T) (server, client *tls.Config) {
	t.Helper()
	ca := newCA(t)
	server, err := ca.ServerConfig(CertOptions{Names: []string{"localhost", "127.0.0.1"}})
	if err != nil {
		t.Fatal(err)
	}
	return server, &tls.Config{RootCAs: ca.Pool(), ServerName: "localhost", MinVersion: tls.VersionTLS12}
}

func start(t *testing.T, o Options) *Server {
	t.Helper()
	s, err := Start(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

// A client is a raw IMAP client, for the exact bytes.
type client struct {
	net.Conn
	t *testing.T
	r *bufio.Reader
}

func dial(t *testing.T, address string) *client {
	t.Helper()
	nc, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	return wrapClient(t, nc)
}

func wrapClient(t *testing.T, nc net.Conn) *client {
	t.Helper()
	if err := nc.SetDeadline(time.Now().Add(10 * time.Second)); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { nc.Close() })
	return &client{Conn: nc, t: t, r: bufio.NewReader(nc)}
}

func (c *client) upgrade(config *tls.Config) *client {
	c.t.Helper()
	conn := tls.Client(c.Conn, config)
	if err := conn.Handshake(); err != nil {
		c.t.Fatal(err)
	}
	return wrapClient(c.t, conn)
}

func (c *client) send(format string, args ...any) {
	c.t.Helper()
	if _, err := fmt.Fprintf(c.Conn, format+"\r\n", args...); err != nil {
		c.t.Fatal(err)
	}
}

func (c *client) line() string {
	c.t.Helper()
	line, err := c.r.ReadString('\n')
	if err != nil {
		c.t.Fatalf("after %q: %v", line, err)
	}
	return strings.TrimSuffix(line, "\r\n")
}

// do sends a command with the tag T and returns all lines up to its tagged answer.
func (c *client) do(format string, args ...any) (lines []string) {
	c.t.Helper()
	c.send("T "+format, args...)
	for {
		line := c.line()
		lines = append(lines, line)
		if strings.HasPrefix(line, "T ") {
			return lines
		}
	}
}

// want sends a command and requires that its answer contains all of these texts.
func (c *client) want(command string, parts ...string) {
	c.t.Helper()
	answer := strings.Join(c.do("%s", command), "\n")
	for _, part := range parts {
		if !strings.Contains(answer, part) {
			c.t.Errorf("%s: no %q in the answer:\n%s", command, part, answer)
		}
	}
}

// eof requires the server to close, and returns what it sent until then.
func (c *client) eof() string {
	c.t.Helper()
	rest, err := io.ReadAll(c.r)
	if err != nil {
		c.t.Fatalf("after %q: %v", rest, err)
	}
	return string(rest)
}

func (c *client) login() *client {
	c.t.Helper()
	c.line()
	c.want("LOGIN demo@example.org canary-demo-secret", "T OK")
	return c
}

// goimap connects go-imap's client to a server.
func goimap(t *testing.T, address string, config *tls.Config) *imapclient.Client {
	t.Helper()
	c, err := imapclient.DialTLS(address, &imapclient.Options{TLSConfig: config})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

func within(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	t.Cleanup(cancel)
	return ctx
}
