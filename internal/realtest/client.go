package realtest

import (
	"bufio"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"strings"
	"time"
)

// commandTimeout limits each answer: Courier takes 5 s to reject a password, and copying thousands of messages takes seconds.
const commandTimeout = time.Minute

// A client speaks just enough IMAP to prepare and check a server, independently of the code under test.
type client struct {
	conn net.Conn
	in   *bufio.Reader
	tag  int
	// greeting is the server's first line.
	greeting string
}

// dial connects, with TLS if a configuration is given, and reads the greeting.
func dial(ctx context.Context, addr string, config *tls.Config) (*client, error) {
	conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", addr)
	if err != nil {
		return nil, err
	}
	if config != nil {
		conn = tls.Client(conn, config)
	}
	deadline, ok := ctx.Deadline()
	if !ok {
		deadline = time.Now().Add(commandTimeout)
	}
	c := &client{conn: conn, in: bufio.NewReader(conn)}
	if err := conn.SetDeadline(deadline); err != nil {
		return nil, err
	}
	c.greeting, err = c.in.ReadString('\n')
	if err == nil && !strings.HasPrefix(c.greeting, "* OK") {
		err = fmt.Errorf("greeting %q", c.greeting)
	}
	if err != nil {
		_ = conn.Close()
		return nil, err
	}
	return c, nil
}

// do sends a command and returns the untagged answers. A NO or BAD is an error.
func (c *client) do(format string, args ...any) ([]string, error) {
	c.tag++
	tag := fmt.Sprintf("T%d ", c.tag)
	if err := c.conn.SetDeadline(time.Now().Add(commandTimeout)); err != nil {
		return nil, err
	}
	if _, err := fmt.Fprintf(c.conn, tag+format+"\r\n", args...); err != nil {
		return nil, err
	}
	var untagged []string
	for {
		line, err := c.in.ReadString('\n')
		if err != nil {
			return untagged, err
		}
		line = strings.TrimRight(line, "\r\n")
		if answer, ok := strings.CutPrefix(line, tag); !ok {
			untagged = append(untagged, line)
		} else if strings.HasPrefix(answer, "OK") {
			return untagged, nil
		} else {
			return untagged, errors.New(answer)
		}
	}
}

// add appends a message with the given INTERNALDATE and a body of size bytes.
func (c *client) add(mailbox string, date time.Time, size int) error {
	body := strings.Repeat(strings.Repeat("x", 70)+"\r\n", size/72)
	message := fmt.Sprintf("From: sender@example.org\r\nTo: alice@example.org\r\nSubject: test\r\nDate: %s\r\nMessage-ID: <%d@example.org>\r\n\r\nHello.\r\n%s",
		date.Format(time.RFC1123Z), date.UnixNano(), body)
	c.tag++
	tag := fmt.Sprintf("T%d ", c.tag)
	_, err := fmt.Fprintf(c.conn, "%sAPPEND %q %q {%d}\r\n", tag, mailbox, date.Format("02-Jan-2006 15:04:05 -0700"), len(message))
	for err == nil {
		var line string
		line, err = c.in.ReadString('\n')
		switch {
		case strings.HasPrefix(line, "+"):
			_, err = fmt.Fprintf(c.conn, "%s\r\n", message)
		case strings.HasPrefix(line, tag+"OK"):
			return nil
		case strings.HasPrefix(line, tag):
			return fmt.Errorf("APPEND: %s", line)
		}
	}
	return err
}

// startTLS continues with TLS.
func (c *client) startTLS(config *tls.Config) error {
	if _, err := c.do("STARTTLS"); err != nil {
		return err
	}
	c.conn = tls.Client(c.conn, config)
	c.in = bufio.NewReader(c.conn)
	return nil
}

// login logs in with LOGIN.
func (c *client) login(u User) error {
	if _, err := c.do("LOGIN %q %q", u.Name, u.Password); err != nil {
		return fmt.Errorf("LOGIN of %s: %w", u.Name, err)
	}
	return nil
}
