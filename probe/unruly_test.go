package probe

import (
	"bufio"
	"context"
	"io"
	"maps"
	"net"
	"strings"
	"testing"
	"time"

	"imap-exporter/internal/mailtest"
)

// unruly starts a server in clear text that answers each line by its verb alone, literals or not. TAG stands for the tag.
func unruly(t *testing.T, answers map[string]string) *Target {
	t.Helper()
	all := map[string]string{
		"CAPABILITY": "* CAPABILITY IMAP4rev1 UNSELECT QUOTA\r\nTAG OK\r\n", "LOGIN": "TAG OK\r\n", "EXAMINE": "* 24 EXISTS\r\nTAG OK\r\n",
		"FETCH":    "* 24 FETCH (INTERNALDATE \" 1-Jan-2020 00:00:00 +0000\" BODY[HEADER]<0> {3}\r\nabc)\r\nTAG OK\r\n",
		"UNSELECT": "TAG OK\r\n", "STATUS": "* STATUS INBOX (MESSAGES 5)\r\nTAG OK\r\n", "GETQUOTAROOT": "TAG OK\r\n", "LOGOUT": "* BYE x\r\nTAG OK\r\n",
	}
	maps.Copy(all, answers)
	server, err := mailtest.StartRaw(func(c net.Conn) {
		lines := bufio.NewScanner(c)
		_, _ = io.WriteString(c, "* OK hi\r\n")
		for lines.Scan() {
			words := strings.Fields(lines.Text())
			if len(words) < 2 || all[words[1]] == "" {
				continue
			}
			if _, err := io.WriteString(c, strings.ReplaceAll(all[words[1]], "TAG", words[0])); err != nil {
				return
			}
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = server.Close() })
	target := targetAt(server.Addr(), nil)
	target.TLSMode, target.AllowPlaintextAuth, target.Timeout = TLSNone, true, 2*time.Second
	return target
}

// TestUnrulyServers: whatever go-imap's client makes of an answer, and whatever becomes of a literal, Run returns.
func TestUnrulyServers(t *testing.T) {
	const literal = "canary-größe-secret" // goes as a literal
	fetch := func(items string) map[string]string {
		return map[string]string{"FETCH": "* 24 FETCH (" + items + ")\r\nTAG OK\r\n"}
	}
	for name, c := range map[string]struct {
		answers  map[string]string
		password string
		phase    Phase
		reason   Reason // "" for success
	}{
		"an honest one":                {nil, "", "", ""},
		"a literal refused":            {map[string]string{"LOGIN": "TAG NO [CANNOT] no literals\r\n"}, literal, PhaseAuth, ReasonRejected},
		"a literal not understood":     {map[string]string{"LOGIN": "TAG BAD what\r\n"}, literal, PhaseAuth, ReasonCommandRejected},
		"OK ahead of the literal":      {map[string]string{"LOGIN": "TAG OK come in\r\n"}, literal, PhaseAuth, ReasonProtocol},
		"a literal nobody asked for":   {map[string]string{"LOGIN": "+ go on\r\n"}, "", PhaseAuth, ReasonProtocol},
		"a literal that ends in +}":    {map[string]string{"LOGIN": "+ go on\r\n"}, literal + "+}", PhaseAuth, ReasonTimeout},
		"a section without its end":    {fetch("BODY[HEADER {1}\r\nx"), "", "", ""},
		"a section with too many ends": {fetch("BODY[]]]]]< {1}\r\nx"), "", "", ""},
		"a section out of range":       {fetch("BODY[99999999999999999999999.1] {1}\r\nx"), "", "", ""},
		"a year 0":                     {fetch(`INTERNALDATE "01-jan-0000 00:00:00 +2359"`), "", "", ""},
		"message 0":                    {map[string]string{"FETCH": "* 0 FETCH (INTERNALDATE \"01-Jan-2020 00:00:00 +0000\")\r\nTAG OK\r\n"}, "", "", ""},
		"one message 200 times":        {map[string]string{"FETCH": strings.Repeat("* 24 FETCH (BODY[HEADER]<0> \"abc\")\r\n", 200) + "TAG OK\r\n"}, "", "", ""},
		"one body 200 times":           {fetch(strings.Repeat(`BODY[HEADER]<0> "abc" `, 200)), "", "", ""},
		"4294967295 messages":          {map[string]string{"EXAMINE": "* 4294967295 EXISTS\r\nTAG OK\r\n"}, "", "", ""},
		"counts without a list":        {map[string]string{"STATUS": "* STATUS INBOX MESSAGES 3\r\nTAG OK\r\n"}, "", PhaseStatus, ReasonProtocol},
		"an empty list of counts":      {map[string]string{"STATUS": "* STATUS INBOX ()\r\nTAG OK\r\n"}, "", PhaseStatus, ReasonProtocol},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			target := unruly(t, c.answers)
			if c.password != "" {
				target.Secret = func(context.Context) (string, error) { return c.password, nil }
			}
			if c.reason == "" {
				succeed(t, target)
				return
			}
			r := fail(t, target, c.phase, c.reason)
			for _, line := range r.Transcript {
				if strings.Contains(line.Text, "größe") || strings.Contains(line.Text, mailtest.DemoUser) {
					t.Errorf("transcript has %q", line.Text)
				}
			}
		})
	}
}

// TestEarlyAnswers: an answer sent ahead of its command is none, since nobody knows the command's tag.
func TestEarlyAnswers(t *testing.T) {
	target := unruly(t, map[string]string{"CAPABILITY": "* CAPABILITY IMAP4rev1\r\nTAG OK\r\nTAG OK\r\n"})
	fail(t, target, PhaseAuth, ReasonProtocol)
}

// TestLastWords: what the server said before it broke the connection counts more than that it did.
func TestLastWords(t *testing.T) {
	for name, c := range map[string]struct {
		handler mailtest.Handler
		phase   Phase
		reason  Reason
	}{
		"BYE along with an OK": {func(c *mailtest.Conn, cmd mailtest.Command) error {
			c.Raw("* CAPABILITY IMAP4rev1\r\n" + cmd.Tag + " OK\r\n* BYE [UNAVAILABLE] down for maintenance\r\n")
			return c.Reset()
		}, PhaseAuth, ReasonUnavailable},
		"clear text inside TLS": {func(c *mailtest.Conn, _ mailtest.Command) error {
			_, _ = io.WriteString(c.TCP(), "* BYE in clear\r\n")
			return c.Hang()
		}, PhaseCapability, ReasonTLS},
	} {
		t.Run(name, func(t *testing.T) {
			_, target := serve(t, mailtest.Options{Handle: map[string]mailtest.Handler{"CAPABILITY": c.handler}})
			target.Timeout = 2 * time.Second
			fail(t, target, c.phase, c.reason)
		})
	}
}

// TestNoAlertFromClearText: what was said before TLS explains nothing after it.
func TestNoAlertFromClearText(t *testing.T) {
	_, target := serve(t, mailtest.Options{Mode: mailtest.ModeStartTLS, Handle: map[string]mailtest.Handler{
		"STARTTLS": func(c *mailtest.Conn, cmd mailtest.Command) error {
			c.Line("* NO [ALERT] call this number")
			return c.Default(cmd)
		},
		"LOGIN": hang,
	}})
	target.Timeout = 300 * time.Millisecond
	if r := fail(t, target, PhaseAuth, ReasonTimeout); strings.Contains(r.Err.Text, "number") {
		t.Errorf("text %q is of whoever sits on the line", r.Err.Text)
	}
}

// TestRepeatedCredential: a server that repeats what it was sent, quoted or in other places, gets it into no output.
func TestRepeatedCredential(t *testing.T) {
	const secret = `canary-"q\u-secret`
	for name, handlers := range map[string]map[string]mailtest.Handler{
		"the command": {"LOGIN": func(c *mailtest.Conn, cmd mailtest.Command) error { return c.BAD(cmd.Tag, "error in "+cmd.Line) }},
		"a code":      {"LOGIN": func(c *mailtest.Conn, cmd mailtest.Command) error { return c.NO(cmd.Tag, "["+cmd.Args[1]+"] no") }},
		"names": {
			"LIST": func(c *mailtest.Conn, cmd mailtest.Command) error {
				c.Line(`* LIST () "/" "my-canary-\"q\\u-secret"`)
				return c.OK(cmd.Tag, "")
			},
			"STATUS": func(c *mailtest.Conn, cmd mailtest.Command) error {
				c.Line(`* STATUS "my-canary-\"q\\u-secret" (MESSAGES 5)`)
				return c.OK(cmd.Tag, "")
			},
			"GETQUOTAROOT": func(c *mailtest.Conn, cmd mailtest.Command) error {
				c.Line(`* QUOTA "my-canary-\"q\\u-secret" (STORAGE 1 2)`)
				return c.OK(cmd.Tag, "")
			},
		},
	} {
		t.Run(name, func(t *testing.T) {
			u := user()
			u.Password = secret
			_, target := serve(t, mailtest.Options{Data: mailtest.Data{Users: []*mailtest.User{u}}, Handle: handlers})
			target.Secret = func(context.Context) (string, error) { return secret, nil }
			target.Mailboxes = []string{"*"}
			r := Run(t.Context(), target)
			text := strings.ToLower(everythingOf(r))
			for _, form := range []string{secret, `canary-\"q\\u-secret`} {
				if strings.Contains(text, strings.ToLower(form)) {
					t.Errorf("%q shows in %s", form, text)
				}
			}
			if !strings.Contains(text, "***") {
				t.Error("nothing was blanked: the test has lost its point")
			}
		})
	}
}
