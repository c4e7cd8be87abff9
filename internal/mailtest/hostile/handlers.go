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

// first sends raw, then goes on as an honest server would.
func first(raw string) mailtest.Handler {
	return func(c *mailtest.Conn, cmd mailtest.Command) error {
		c.Raw(raw)
		return c.Default(cmd)
	}
}

// flood sends begin, and piece for ever.
func flood(begin, piece string) mailtest.Handler {
	block := strings.Repeat(piece, 1+16<<10/len(piece))
	return func(c *mailtest.Conn, _ mailtest.Command) error {
		c.Raw(begin)
		return c.Flood(func(int) string { return block })
	}
}

// numbered sends lines for ever, each with its number.
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

// hangAfter sends raw and falls silent.
func hangAfter(raw string) mailtest.Handler {
	return func(c *mailtest.Conn, _ mailtest.Command) error {
		c.Raw(raw)
		return c.Hang()
	}
}

// dropAfter sends raw and closes the connection in order.
func dropAfter(raw string) mailtest.Handler {
	return func(c *mailtest.Conn, cmd mailtest.Command) error {
		c.Raw(strings.ReplaceAll(raw, "TAG", cmd.Tag))
		return c.Drop()
	}
}

func hang(c *mailtest.Conn, _ mailtest.Command) error  { return c.Hang() }
func reset(c *mailtest.Conn, _ mailtest.Command) error { return c.Reset() }
func drop(c *mailtest.Conn, _ mailtest.Command) error  { return c.Drop() }

// halfClose sends the end of the TCP connection with no end of TLS before it, and keeps its own ears open.
func halfClose(c *mailtest.Conn, _ mailtest.Command) error {
	_ = c.CloseWrite()
	return c.Hang()
}

// bye takes leave with a reason and closes.
func bye(c *mailtest.Conn, _ mailtest.Command) error { return c.Bye("[UNAVAILABLE] Going down.") }

// shake goes on in TLS, whatever was said before.
func shake(c *mailtest.Conn, _ mailtest.Command) error { return c.StartTLS() }

// onHello does something once the client has begun to shake hands.
func onHello(do mailtest.Handler) mailtest.Handler {
	return func(c *mailtest.Conn, cmd mailtest.Command) error {
		_ = c.Flush()
		if _, err := c.TCP().Read(make([]byte, 1)); err != nil {
			return err
		}
		return do(c, cmd)
	}
}

// both does one thing, then another.
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
