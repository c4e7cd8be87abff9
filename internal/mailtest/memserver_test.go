package mailtest

import (
	"context"
	"crypto/tls"
	"strings"
	"testing"
	"time"

	"github.com/emersion/go-imap/v2"
	"github.com/emersion/go-imap/v2/imapclient"
)

func startMem(t *testing.T, o MemOptions) *MemServer {
	t.Helper()
	s, err := StartMem(o)
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

func TestMemServer(t *testing.T) {
	server, config := serverTLS(t)
	dialers := map[Mode]func(string, *imapclient.Options) (*imapclient.Client, error){
		ModeImplicit: imapclient.DialTLS,
		ModeStartTLS: imapclient.DialStartTLS,
		ModePlain:    imapclient.DialInsecure,
	}
	for mode, dialMode := range dialers {
		s := startMem(t, MemOptions{Mode: mode, TLS: server, IPv6: true})
		c, err := dialMode(s.Addr(), &imapclient.Options{TLSConfig: config})
		if err != nil {
			t.Fatalf("%s: %v", mode, err)
		}
		t.Cleanup(func() { c.Close() })
		if err := c.Login(DemoUser, "wrong").Wait(); err == nil {
			t.Errorf("%s: a wrong password was accepted", mode)
		}
		if err := c.Login(DemoUser, DemoPassword).Wait(); err != nil {
			t.Fatalf("%s: %v", mode, err)
		}
		if err := s.Append(DemoUser, "Entwürfe", NewMessage(1, time.Now())); err != nil {
			t.Error(err)
		}
		status, err := c.Status("Entwürfe", &imap.StatusOptions{NumMessages: true, NumUnseen: true, Size: true}).Wait()
		if err != nil || *status.NumMessages != 3 || *status.NumUnseen != 1 || *status.Size < 500 {
			t.Errorf("%s: %+v, %v", mode, status, err)
		}
		mustSelect(t, c)
		messages, err := c.Fetch(imap.SeqSetNum(24), &imap.FetchOptions{InternalDate: true}).Collect()
		if err != nil || len(messages) != 1 || time.Since(messages[0].InternalDate) > 20*time.Minute {
			t.Errorf("%s: %+v, %v", mode, messages, err)
		}
		if err := c.Logout().Wait(); err != nil {
			t.Errorf("%s: %v", mode, err)
		}
	}
}

func TestMemServerBefore(t *testing.T) {
	s := startMem(t, MemOptions{Before: func(_ context.Context, verb string) error {
		if verb == "SELECT" {
			return &imap.Error{Type: imap.StatusResponseTypeNo, Code: imap.ResponseCodeLimit, Text: "Busy"}
		}
		return nil
	}})
	c := dial(t, s.Addr()).login()
	c.want("STATUS INBOX (MESSAGES)", "T OK")
	c.want("SELECT INBOX", "T NO [LIMIT] Busy")
}

func TestMemServerClose(t *testing.T) {
	server, config := serverTLS(t)
	entered := make(chan string)
	s, err := StartMem(MemOptions{TLS: server, Before: func(ctx context.Context, verb string) error {
		if verb == "LOGIN" {
			entered <- verb
			<-ctx.Done()
		}
		return nil
	}})
	if err != nil {
		t.Fatal(err)
	}
	dial(t, s.Addr()) // Never shakes hands.
	c := dial(t, s.Addr()).upgrade(config)
	c.line()
	c.send("T LOGIN a b")
	<-entered
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	if len(s.conns) != 0 {
		t.Errorf("%d connections after Close", len(s.conns))
	}
}

func TestModeNeedsTLS(t *testing.T) {
	if _, err := StartMem(MemOptions{Mode: ModeStartTLS}); err == nil || !strings.Contains(err.Error(), "TLS") {
		t.Errorf("%v", err)
	}
	if _, err := Start(Options{Mode: ModeImplicit}); err == nil {
		t.Error("no error")
	}
	s := startMem(t, MemOptions{Mode: ModePlain, TLS: &tls.Config{MinVersion: tls.VersionTLS12}})
	if greeting := dial(t, s.Addr()).line(); strings.Contains(greeting, "STARTTLS") {
		t.Error(greeting)
	}
}
