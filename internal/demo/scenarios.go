package demo

import (
	"context"
	"crypto/tls"
	"time"

	"imap-exporter/internal/mailtest"
)

// A scenario is one server of the demo.
type scenario struct {
	name string
	// certificateLifetime is how long its certificate is valid; 0 is [certificateLifetime].
	certificateLifetime time.Duration
	start               func(config *tls.Config) (server, error)
}

// scenarios returns all of them. The healthy servers are go-imap's; those that have a fault or quota are [mailtest.Server].
func scenarios() []scenario {
	return []scenario{
		{name: "demo", start: func(config *tls.Config) (server, error) { return startHealthy(config, mailtest.ModeImplicit) }},
		{name: "demo-slow", start: startSlow},
		{name: "demo-quota", start: startQuota},
		{name: "demo-growing", start: startGrowing},
		{name: "demo-starttls", start: func(config *tls.Config) (server, error) { return startHealthy(config, mailtest.ModeStartTLS) }},
		{name: "demo-certificate", certificateLifetime: 5 * 24 * time.Hour, start: func(config *tls.Config) (server, error) {
			return startHealthy(config, mailtest.ModeImplicit)
		}},
		{name: "demo-rejected", start: startRejected},
		{name: "demo-hanging", start: startHanging},
		{name: "demo-busy", start: startBusy},
	}
}

func startHealthy(config *tls.Config, mode mailtest.Mode) (server, error) {
	latency := newLatency()
	return mailtest.StartMem(mailtest.MemOptions{
		TLS: config, Mode: mode, IPv6: true,
		Before: func(ctx context.Context, verb string) error {
			wait(ctx, latency.next(verb))
			return nil
		},
	})
}

// startScripted runs a [mailtest.Server]. It calls before, unless nil, ahead of each command; handlers are by verb.
func startScripted(config *tls.Config, user *mailtest.User, before mailtest.Handler, handlers map[string]mailtest.Handler) (server, error) {
	latency := newLatency()
	return mailtest.Start(mailtest.Options{
		TLS: config, IPv6: true, IdleTimeout: time.Minute, NoRecord: true,
		Data: mailtest.Data{Users: []*mailtest.User{user}},
		Before: func(c *mailtest.Conn, cmd mailtest.Command) error {
			if before != nil {
				if err := before(c, cmd); err != nil {
					return err
				}
			}
			return c.Wait(latency.next(cmd.Verb))
		},
		Handle: handlers,
	})
}

// startSlow starts a server that takes 0.4 to 0.9 s for a login.
func startSlow(config *tls.Config) (server, error) {
	delay := newLatency()
	return startScripted(config, mailtest.NewUser(time.Now()), func(c *mailtest.Conn, cmd mailtest.Command) error {
		if cmd.Verb != "LOGIN" && cmd.Verb != "AUTHENTICATE" {
			return nil
		}
		return c.Wait(delay.between(400*time.Millisecond, 900*time.Millisecond))
	}, nil)
}

// startQuota starts a healthy server that supports everything that a probe uses, but its storage is 93 % full.
func startQuota(config *tls.Config) (server, error) {
	user := mailtest.NewUser(time.Now())
	user.Quota = []mailtest.Quota{{
		Root:     "User quota",
		Storage:  &mailtest.Usage{Used: 95_232, Limit: 102_400},
		Messages: &mailtest.Usage{Used: 6_120, Limit: 10_000},
	}}
	return startScripted(config, user, nil, nil)
}

// startGrowing starts a server whose INBOX gets a message every few seconds.
func startGrowing(config *tls.Config) (server, error) {
	mailbox := newGrowingMailbox(time.Now())
	return startScripted(config, mailtest.NewUser(time.Now()), func(c *mailtest.Conn, _ mailtest.Command) error {
		c.Update(func(d *mailtest.Data) { mailbox.deliver(d.User(mailtest.DemoUser), time.Now()) })
		return nil
	}, nil)
}

// startRejected starts a server that rejects any password, after a delay as on real servers.
func startRejected(config *tls.Config) (server, error) {
	delay := newLatency()
	return startScripted(config, mailtest.NewUser(time.Now()), nil, onLogin(func(c *mailtest.Conn, cmd mailtest.Command) error {
		if err := c.Wait(delay.between(200*time.Millisecond, 300*time.Millisecond)); err != nil {
			return err
		}
		return c.NO(cmd.Tag, "[AUTHENTICATIONFAILED] Authentication failed.")
	}))
}

// startHanging starts a server that never answers SELECT on every third connection.
func startHanging(config *tls.Config) (server, error) {
	hang := func(c *mailtest.Conn, cmd mailtest.Command) error {
		if c.Number%3 == 0 {
			return c.Hang()
		}
		return c.Default(cmd)
	}
	return startScripted(config, mailtest.NewUser(time.Now()), nil, map[string]mailtest.Handler{"SELECT": hang, "EXAMINE": hang})
}

// startBusy starts a server that throttles some logins.
func startBusy(config *tls.Config) (server, error) {
	return startScripted(config, mailtest.NewUser(time.Now()), nil, onLogin(func(c *mailtest.Conn, cmd mailtest.Command) error {
		switch c.Number % 7 {
		case 3, 4:
			return c.NO(cmd.Tag, "[LIMIT] Too many simultaneous connections.")
		case 0:
			return c.NO(cmd.Tag, "[UNAVAILABLE] The user database is away for a moment.")
		}
		return c.Default(cmd)
	}))
}

// onLogin makes a handler answer all ways to log in.
func onLogin(handle mailtest.Handler) map[string]mailtest.Handler {
	return map[string]mailtest.Handler{"LOGIN": handle, "AUTHENTICATE": handle}
}
