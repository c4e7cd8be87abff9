package probe

import (
	"context"
	"strings"
	"testing"
	"time"

	"imap-exporter/internal/mailtest"
)

// TestNoAlertFromClearText: what was said before TLS is in no error after it.
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

// TestRepeatedCredential: a server that repeats credentials, quoted or in unusual places, gets them into no output.
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
