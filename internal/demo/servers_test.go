package demo

import (
	"crypto/tls"
	"errors"
	"net"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/emersion/go-imap/v2"
	"github.com/emersion/go-imap/v2/imapclient"

	"imap-exporter/internal/mailtest"
)

func newServers(t *testing.T) *Servers {
	t.Helper()
	s, err := New()
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

// connect opens a connection to a demo server, and verifies its certificate by the server's name.
func connect(t *testing.T, s *Servers, name string) *imapclient.Client {
	t.Helper()
	address, roots, err := s.Lookup(name)
	if err != nil {
		t.Fatal(err)
	}
	if host, _, err := net.SplitHostPort(address); host != "localhost" {
		t.Errorf("%s listens on %s: %v", name, address, err)
	}
	dial := imapclient.DialTLS
	if name == "demo-starttls" {
		dial = imapclient.DialStartTLS
	}
	c, err := dial(address, &imapclient.Options{TLSConfig: &tls.Config{RootCAs: roots, ServerName: name, MinVersion: tls.VersionTLS12}})
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

func login(c *imapclient.Client) error {
	return c.Login(mailtest.DemoUser, mailtest.DemoPassword).Wait()
}

func TestHealthyServers(t *testing.T) {
	t.Parallel()
	s := newServers(t)
	for _, name := range s.Names() {
		if name == "demo-rejected" {
			continue
		}
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := connect(t, s, name)
			began := time.Now()
			if err := login(c); err != nil {
				t.Fatal(err)
			}
			if slow := time.Since(began) >= 400*time.Millisecond; slow != (name == "demo-slow") {
				t.Errorf("LOGIN took %v", time.Since(began))
			}
			if caps, err := c.Capability().Wait(); err != nil || !caps.Has(imap.CapStatusSize) {
				t.Errorf("%v, %v", caps, err)
			}
			mailboxes, err := c.List("", "*", nil).Collect()
			var names []string
			for _, m := range mailboxes {
				names = append(names, m.Mailbox)
			}
			slices.Sort(names)
			if err != nil || !slices.Equal(names, []string{"Archive", "Entwürfe", "INBOX", "Sent", "Team Notes"}) {
				t.Errorf("%q, %v", names, err)
			}
			status, err := c.Status("INBOX", &imap.StatusOptions{NumMessages: true, NumUnseen: true, Size: true}).Wait()
			if err != nil || status.Size == nil || *status.NumMessages == 0 {
				t.Errorf("%+v, %v", status, err)
			}
			if selected, err := c.Select("INBOX", nil).Wait(); err != nil || selected.NumMessages == 0 {
				t.Errorf("%+v, %v", selected, err)
			}
			messages, err := c.Fetch(imap.SeqSetNum(1), &imap.FetchOptions{InternalDate: true, BodySection: []*imap.FetchItemBodySection{
				{Specifier: imap.PartSpecifierHeader, Peek: true},
			}}).Collect()
			if err != nil || len(messages) != 1 || !strings.Contains(string(messages[0].BodySection[0].Bytes), "Subject: Report number") {
				t.Errorf("%+v, %v", messages, err)
			}
			if err := c.Logout().Wait(); err != nil {
				t.Error(err)
			}
		})
	}
}

// code returns the response code of a refused command, "" of one that wasn't refused.
func code(err error) imap.ResponseCode {
	if refused := (*imap.Error)(nil); errors.As(err, &refused) {
		return refused.Code
	}
	return ""
}

func TestRejectedServer(t *testing.T) {
	t.Parallel()
	c := connect(t, newServers(t), "demo-rejected")
	if err := login(c); code(err) != imap.ResponseCodeAuthenticationFailed {
		t.Errorf("LOGIN: %v", err)
	}
	if err := c.Authenticate(plain{}); code(err) != imap.ResponseCodeAuthenticationFailed {
		t.Errorf("AUTHENTICATE: %v", err)
	}
}

// plain is the SASL mechanism PLAIN (RFC 4616).
type plain struct{}

func (plain) Start() (string, []byte, error) {
	return "PLAIN", []byte("\x00" + mailtest.DemoUser + "\x00" + mailtest.DemoPassword), nil
}

func (plain) Next([]byte) ([]byte, error) { return nil, errors.New("unexpected challenge") }

func TestBusyServer(t *testing.T) {
	t.Parallel()
	s := newServers(t)
	var codes []imap.ResponseCode
	for range 14 {
		c := connect(t, s, "demo-busy")
		codes = append(codes, code(login(c)))
		c.Close()
	}
	week := []imap.ResponseCode{"", "", imap.ResponseCodeLimit, imap.ResponseCodeLimit, "", "", imap.ResponseCodeUnavailable}
	if !slices.Equal(codes, append(slices.Clone(week), week...)) {
		t.Errorf("%q", codes)
	}
}

func TestHangingServer(t *testing.T) {
	t.Parallel()
	s := newServers(t)
	for n := 1; n <= 3; n++ {
		c := connect(t, s, "demo-hanging")
		if err := login(c); err != nil {
			t.Fatal(err)
		}
		answered := make(chan error, 1)
		go func() {
			_, err := c.Select("INBOX", nil).Wait()
			answered <- err
		}()
		select {
		case err := <-answered:
			if n == 3 || err != nil {
				t.Errorf("connection %d: SELECT was answered: %v", n, err)
			}
		case <-time.After(map[bool]time.Duration{false: 10 * time.Second, true: 200 * time.Millisecond}[n == 3]):
			if n < 3 {
				t.Errorf("connection %d: SELECT wasn't answered", n)
			}
			c.Close()
			<-answered
		}
	}
}

func TestQuotaServer(t *testing.T) {
	t.Parallel()
	c := connect(t, newServers(t), "demo-quota")
	if err := login(c); err != nil {
		t.Fatal(err)
	}
	quota, err := c.GetQuotaRoot("INBOX").Wait()
	if err != nil || len(quota) != 1 {
		t.Fatalf("%+v, %v", quota, err)
	}
	if q := quota[0].Resources[imap.QuotaResourceStorage]; q != (imapclient.QuotaResourceData{Usage: 95232, Limit: 102400}) {
		t.Errorf("%+v", q)
	}
}

func TestLookup(t *testing.T) {
	t.Parallel()
	s := newServers(t)
	address, _, err := s.Lookup("demo")
	if err != nil {
		t.Fatal(err)
	}
	again, _, err := s.Lookup("demo")
	if err != nil || address != again {
		t.Errorf("%s, then %s: %v", address, again, err)
	}
	_, port, _ := net.SplitHostPort(address)
	for _, host := range []string{"127.0.0.1", "::1"} {
		conn, err := net.Dial("tcp", net.JoinHostPort(host, port))
		if err != nil && host == "::1" {
			if ln, err := net.Listen("tcp6", "[::1]:0"); err != nil {
				t.Log("no IPv6 here")
				continue
			} else {
				ln.Close()
			}
		}
		if err != nil {
			t.Fatal(err)
		}
		conn.Close()
	}
	if _, _, err := s.Lookup("demo-missing"); err == nil || !strings.Contains(err.Error(), "demo-slow") {
		t.Errorf("%v", err)
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	if _, _, err := s.Lookup("demo"); err == nil {
		t.Error("a server was started after Close")
	}
}
