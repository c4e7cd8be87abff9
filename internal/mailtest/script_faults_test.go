package mailtest

import (
	"errors"
	"io"
	"net"
	"strings"
	"syscall"
	"testing"
	"time"
)

func TestHandlers(t *testing.T) {
	s := start(t, Options{
		Greeting: "* OK hello\r\n",
		Handle: map[string]Handler{
			"LOGIN": func(c *Conn, cmd Command) error {
				c.Line("* OK [ALERT] wrapped")
				return c.Default(cmd)
			},
			"SELECT":  func(c *Conn, cmd Command) error { return c.NO(cmd.Tag, "[LIMIT] No more.") },
			"EXAMINE": func(c *Conn, _ Command) error { return c.Bye("[UNAVAILABLE] Going down.") },
		},
	})
	c := dial(t, s.Addr())
	if c.line() != "* OK hello" {
		t.Error("not the greeting that was asked for")
	}
	c.want("LOGIN demo@example.org canary-demo-secret", "* OK [ALERT] wrapped", "T OK")
	c.want("SELECT INBOX", "T NO [LIMIT] No more.")
	c.send("T EXAMINE INBOX")
	if got := c.eof(); got != "* BYE [UNAVAILABLE] Going down.\r\n" {
		t.Errorf("%q", got)
	}
}

func TestFaults(t *testing.T) {
	s := start(t, Options{Handle: map[string]Handler{
		"RESET": func(c *Conn, _ Command) error { c.Raw("* OK so f"); return c.Reset() },
		"DROP":  func(c *Conn, _ Command) error { c.Raw("* OK so f"); return c.Drop() },
		"HALF":  func(c *Conn, _ Command) error { _ = c.CloseWrite(); return c.Hang() },
		"FLOOD": func(c *Conn, _ Command) error {
			return c.Flood(func(i int) string {
				if i == 100_000 {
					return ""
				}
				return "* 1 EXISTS\r\n"
			})
		},
		"FOREVER": func(c *Conn, _ Command) error { return c.Flood(func(int) string { return "* 1 EXISTS\r\n" }) },
	}})
	for command, want := range map[string]string{"DROP": "* OK so f", "HALF": ""} {
		c := dial(t, s.Addr())
		c.line()
		c.send("T %s", command)
		if got := c.eof(); got != want {
			t.Errorf("%s: %q", command, got)
		}
		c.Close()
	}
	c := dial(t, s.Addr())
	c.line()
	c.send("T RESET")
	if _, err := io.ReadAll(c.r); !errors.Is(err, syscall.ECONNRESET) {
		t.Errorf("RESET: %v", err)
	}
	c = dial(t, s.Addr())
	c.line()
	c.send("T FLOOD")
	for range 100_000 {
		if line := c.line(); line != "* 1 EXISTS" {
			t.Fatalf("%q", line)
		}
	}
	c.send("T FOREVER") // And don't read: Close, in the clean-up, has to end it.
	c.line()
}

func TestCloseEndsDelaysAndHangs(t *testing.T) {
	server, config := serverTLS(t)
	o := Options{TLS: server, Delay: map[string]time.Duration{"NOOP": time.Hour}, Handle: map[string]Handler{
		"HANG": func(c *Conn, _ Command) error { return c.Hang() },
		"WAIT": func(c *Conn, cmd Command) error {
			if err := c.Wait(time.Hour); err != nil {
				return err
			}
			return c.OK(cmd.Tag, "waited")
		},
	}}
	for _, command := range []string{"NOOP", "HANG", "WAIT", ""} {
		s, err := Start(o)
		if err != nil {
			t.Fatal(err)
		}
		c := dial(t, s.Addr()).upgrade(config)
		c.line()
		if command != "" {
			c.send("T %s", command)
		}
		half := dial(t, s.Addr()) // Never shakes hands.
		_, _ = half.Write([]byte{22})
		if err := s.Close(); err != nil {
			t.Error(err)
		}
		if s.Conversations()[0].Open {
			t.Errorf("%s: still open after Close", command)
		}
	}
}

func TestDelayIsTaken(t *testing.T) {
	s := start(t, Options{Delay: map[string]time.Duration{"NOOP": 30 * time.Millisecond}})
	c := dial(t, s.Addr())
	c.line()
	began := time.Now()
	c.want("NOOP", "T OK")
	if took := time.Since(began); took < 30*time.Millisecond {
		t.Errorf("NOOP took %v", took)
	}
}

func TestChunks(t *testing.T) {
	s := start(t, Options{Chunk: 4, ChunkDelay: 50 * time.Millisecond, Greeting: "* OK 12345\r\n"})
	began := time.Now()
	c := dial(t, s.Addr())
	first := make([]byte, 100)
	n, err := c.Read(first)
	if err != nil || n != 4 {
		t.Errorf("first read: %q, %v", first[:n], err)
	}
	c.line()
	if took := time.Since(began); took < 100*time.Millisecond {
		t.Errorf("three chunks, two pauses: %v", took)
	}
}

func TestIdleTimeout(t *testing.T) {
	s := start(t, Options{IdleTimeout: 30 * time.Millisecond})
	c := dial(t, s.Addr())
	c.line()
	c.eof()
	if err := s.WaitIdle(within(t)); err != nil {
		t.Error(err)
	}
}

func TestLinesTooLong(t *testing.T) {
	s := start(t, Options{})
	for _, line := range []string{strings.Repeat("x", 2*maxLine), "T LOGIN {999999999}"} {
		c := dial(t, s.Addr())
		c.line()
		_, _ = io.WriteString(c, line+"\r\n") // The server may close before all is written.
		if rest, _ := io.ReadAll(c.r); len(rest) != 0 {
			t.Errorf("%.20s: %q", line, rest)
		}
	}
}

func TestRaw(t *testing.T) {
	s, err := StartRaw(func(nc net.Conn) { _, _ = io.WriteString(nc, "HTTP/1.1 400 Bad Request\r\n\r\n") })
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if got := dial(t, s.Addr()).eof(); got != "HTTP/1.1 400 Bad Request\r\n\r\n" {
		t.Errorf("%q", got)
	}
}

func TestStartTLSInjection(t *testing.T) {
	server, config := serverTLS(t)
	s := start(t, Options{TLS: server, Mode: ModeStartTLS, Handle: map[string]Handler{
		"STARTTLS": func(c *Conn, cmd Command) error {
			c.Raw(cmd.Tag + " OK go\r\n* CAPABILITY EVIL\r\n")
			return c.StartTLS()
		},
	}})
	c := dial(t, s.Addr())
	c.line()
	c.send("T STARTTLS")
	if ok, evil := c.line(), c.line(); ok != "T OK go" || evil != "* CAPABILITY EVIL" {
		t.Errorf("%q, %q", ok, evil)
	}
	c.upgrade(config).want("CAPABILITY", "* CAPABILITY IMAP4rev1")
}
