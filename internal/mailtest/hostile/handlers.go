package hostile

import (
	"fmt"
	"strings"
	"time"

	"imap-exporter/internal/mailtest"
)

// slowPause is the time between two pieces of sendSlowly.
const slowPause = 20 * time.Millisecond

// answer sends raw, in which TAG stands for the command's tag.
func answer(raw string) mailtest.Handler {
	return func(c *mailtest.Conn, cmd mailtest.Command) error {
		c.Raw(strings.ReplaceAll(raw, "TAG", cmd.Tag))
		return nil
	}
}

// first sends raw, then answers as an ordinary server.
func first(raw string) mailtest.Handler {
	return func(c *mailtest.Conn, cmd mailtest.Command) error {
		c.Raw(raw)
		return c.Default(cmd)
	}
}

// flood sends begin, then piece without end.
func flood(begin, piece string) mailtest.Handler {
	block := strings.Repeat(piece, 1+16<<10/len(piece))
	return func(c *mailtest.Conn, _ mailtest.Command) error {
		c.Raw(begin)
		return c.Flood(func(int) string { return block })
	}
}

// numbered sends lines without end, each with its number.
func numbered(format string) mailtest.Handler {
	return func(c *mailtest.Conn, _ mailtest.Command) error {
		return c.Flood(func(i int) string { return fmt.Sprintf(format, 4_000_000_000-int64(i)) })
	}
}

// sendSlowly sends begin, then piece again and again, with a pause before each (slowloris).
func sendSlowly(begin, piece string) mailtest.Handler {
	return func(c *mailtest.Conn, cmd mailtest.Command) error {
		c.Raw(strings.ReplaceAll(begin, "TAG", cmd.Tag))
		for {
			c.Raw(piece)
			if err := c.Wait(slowPause); err != nil {
				return err
			}
		}
	}
}

// hangAfter sends raw and then nothing more.
func hangAfter(raw string) mailtest.Handler {
	return func(c *mailtest.Conn, _ mailtest.Command) error {
		c.Raw(raw)
		return c.Hang()
	}
}

// dropAfter sends raw and closes the connection (FIN).
func dropAfter(raw string) mailtest.Handler {
	return func(c *mailtest.Conn, cmd mailtest.Command) error {
		c.Raw(strings.ReplaceAll(raw, "TAG", cmd.Tag))
		return c.Drop()
	}
}

func hang(c *mailtest.Conn, _ mailtest.Command) error  { return c.Hang() }
func reset(c *mailtest.Conn, _ mailtest.Command) error { return c.Reset() }
func drop(c *mailtest.Conn, _ mailtest.Command) error  { return c.Drop() }

// halfClose closes the sending direction of the TCP connection without TLS's close_notify, and continues to read.
func halfClose(c *mailtest.Conn, _ mailtest.Command) error {
	_ = c.CloseWrite()
	return c.Hang()
}

// bye sends BYE with a reason and closes.
func bye(c *mailtest.Conn, _ mailtest.Command) error { return c.Bye("[UNAVAILABLE] Going down.") }

// shake starts TLS, whatever was sent before.
func shake(c *mailtest.Conn, _ mailtest.Command) error { return c.StartTLS() }

// onHello calls do when the client's TLS handshake begins.
func onHello(do mailtest.Handler) mailtest.Handler {
	return func(c *mailtest.Conn, cmd mailtest.Command) error {
		_ = c.Flush()
		if _, err := c.TCP().Read(make([]byte, 1)); err != nil {
			return err
		}
		return do(c, cmd)
	}
}

// both runs two handlers, one after the other.
func both(a, b mailtest.Handler) mailtest.Handler {
	return func(c *mailtest.Conn, cmd mailtest.Command) error {
		if err := a(c, cmd); err != nil {
			return err
		}
		return b(c, cmd)
	}
}

// announce is a server with these capabilities: before a login, and after it.
func announce(before, after string) func(mailtest.Stage, []string) []string {
	return func(stage mailtest.Stage, _ []string) []string {
		if stage == mailtest.AfterAuth {
			return strings.Fields(after)
		}
		return strings.Fields(before)
	}
}
