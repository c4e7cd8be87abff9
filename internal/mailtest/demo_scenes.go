package mailtest

import (
	"context"
	"crypto/tls"
	"math/rand/v2"
	"sync"
	"time"
)

// A demoScene is a server of the demo: its name, how long its certificate is valid (0: as usual) and how it is started.
type demoScene struct {
	name     string
	lifetime time.Duration
	start    func(config *tls.Config) (demoServer, error)
}

// demoScenes are all of them. The honest ones are go-imap's server; the others need ours.
func demoScenes() []demoScene {
	return []demoScene{
		{name: "demo", start: func(config *tls.Config) (demoServer, error) { return startHonest(config, ModeImplicit) }},
		{name: "demo-slow", start: startSlow},
		{name: "demo-quota", start: startQuota},
		{name: "demo-growing", start: startGrowing},
		{name: "demo-starttls", start: func(config *tls.Config) (demoServer, error) { return startHonest(config, ModeStartTLS) }},
		{name: "demo-certificate", lifetime: 5 * 24 * time.Hour, start: func(config *tls.Config) (demoServer, error) {
			return startHonest(config, ModeImplicit)
		}},
		{name: "demo-rejected", start: startRejected},
		{name: "demo-hanging", start: startHanging},
		{name: "demo-busy", start: startBusy},
	}
}

func startHonest(config *tls.Config, mode Mode) (demoServer, error) {
	latency := newLatency()
	return StartMem(MemOptions{
		TLS: config, Mode: mode, IPv6: true,
		Before: func(ctx context.Context, verb string) error {
			wait(ctx, latency.next(verb))
			return nil
		},
	})
}

// startScripted runs a server of ours as a demo server is run. Handlers are by verb; before is called first, if any.
func startScripted(config *tls.Config, user *User, before Handler, handlers map[string]Handler) (demoServer, error) {
	latency := newLatency()
	return Start(Options{
		TLS: config, IPv6: true, IdleTimeout: time.Minute, NoRecord: true,
		Data: Data{Users: []*User{user}},
		Before: func(c *Conn, cmd Command) error {
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

// startSlow takes 0.4 to 0.9 s for a login.
func startSlow(config *tls.Config) (demoServer, error) {
	delay := newLatency()
	return startScripted(config, NewUser(time.Now()), func(c *Conn, cmd Command) error {
		if cmd.Verb != "LOGIN" && cmd.Verb != "AUTHENTICATE" {
			return nil
		}
		return c.Wait(delay.between(400*time.Millisecond, 900*time.Millisecond))
	}, nil)
}

// startQuota is healthy and has all that there is to see, but its storage is 93 % full.
func startQuota(config *tls.Config) (demoServer, error) {
	user := NewUser(time.Now())
	user.Quota = []Quota{{
		Root:     "User quota",
		Storage:  &Usage{Used: 95_232, Limit: 102_400},
		Messages: &Usage{Used: 6_120, Limit: 10_000},
	}}
	return startScripted(config, user, nil, nil)
}

// startGrowing gets mail every few seconds.
func startGrowing(config *tls.Config) (demoServer, error) {
	growth := newGrowth(time.Now())
	return startScripted(config, NewUser(time.Now()), func(c *Conn, _ Command) error {
		c.Update(func(d *Data) { growth.catchUp(d.User(DemoUser), time.Now()) })
		return nil
	}, nil)
}

// startRejected refuses any password, after a pause as servers make it.
func startRejected(config *tls.Config) (demoServer, error) {
	delay := newLatency()
	return startScripted(config, NewUser(time.Now()), nil, onLogin(func(c *Conn, cmd Command) error {
		if err := c.Wait(delay.between(200*time.Millisecond, 300*time.Millisecond)); err != nil {
			return err
		}
		return c.NO(cmd.Tag, "[AUTHENTICATIONFAILED] Authentication failed.")
	}))
}

// startHanging never answers SELECT on every third connection.
func startHanging(config *tls.Config) (demoServer, error) {
	hang := func(c *Conn, cmd Command) error {
		if c.Number%3 == 0 {
			return c.Hang()
		}
		return c.Default(cmd)
	}
	return startScripted(config, NewUser(time.Now()), nil, map[string]Handler{"SELECT": hang, "EXAMINE": hang})
}

// startBusy sends some logins away, for one reason or another.
func startBusy(config *tls.Config) (demoServer, error) {
	return startScripted(config, NewUser(time.Now()), nil, onLogin(func(c *Conn, cmd Command) error {
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
func onLogin(handle Handler) map[string]Handler {
	return map[string]Handler{"LOGIN": handle, "AUTHENTICATE": handle}
}

// Growth: a message every growthPause (and up to twice as long), until there are growthLimit; then all but
// growthKept are gone, as if somebody had tidied up.
const (
	growthPause = 3 * time.Second
	growthLimit = 300
	growthKept  = 20
)

// A growth is how a mailbox grows with time, whether somebody looks or not. It is used under a server's lock.
type growth struct {
	latency *latency
	next    time.Time
	number  int
}

func newGrowth(now time.Time) *growth {
	return &growth{latency: newLatency(), next: now}
}

// catchUp gives the user's INBOX the messages that came up to now.
func (g *growth) catchUp(user *User, now time.Time) {
	if earliest := now.Add(-growthLimit * growthPause); g.next.Before(earliest) {
		g.next = earliest // What came before has been tidied up.
	}
	inbox := user.Mailbox("INBOX")
	for ; !g.next.After(now); g.next = g.next.Add(g.latency.between(growthPause, 2*growthPause)) {
		g.number++
		if len(inbox.Messages) >= growthLimit {
			inbox.Messages = append([]Message(nil), inbox.Messages[len(inbox.Messages)-growthKept:]...)
		}
		inbox.Messages = append(inbox.Messages, NewMessage(g.number, g.next))
	}
	messages, octets := 0, 0
	for _, m := range user.Mailboxes {
		_, _, size := m.count()
		messages += len(m.Messages)
		octets += size
	}
	user.Quota = []Quota{{
		Root:     "User quota",
		Storage:  &Usage{Used: uint64(octets) / 1024, Limit: 1024},
		Messages: &Usage{Used: uint64(messages), Limit: 2 * growthLimit},
	}}
}

// A latency is how long a server takes: a little, and never quite the same, but the same in each run.
type latency struct {
	mu     sync.Mutex
	random *rand.Rand
}

func newLatency() *latency {
	return &latency{random: rand.New(rand.NewPCG(143, 993))} //nolint:gosec // It is to be the same in each run.
}

// next returns how long a command takes.
func (l *latency) next(verb string) time.Duration {
	usual := 500 * time.Microsecond
	switch verb {
	case "GREETING":
		usual = 2 * time.Millisecond
	case "LOGIN", "AUTHENTICATE":
		usual = 12 * time.Millisecond
	case "SELECT", "EXAMINE":
		usual = 4 * time.Millisecond
	case "FETCH", "STATUS":
		usual = 2 * time.Millisecond
	case "GETQUOTAROOT":
		usual = time.Millisecond
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	// Mostly near the usual, now and then a few times as much, as queues behave.
	return usual/2 + time.Duration(min(l.random.ExpFloat64(), 6)*float64(usual)/2)
}

// between returns a time from least to most.
func (l *latency) between(least, most time.Duration) time.Duration {
	l.mu.Lock()
	defer l.mu.Unlock()
	return least + time.Duration(l.random.Int64N(int64(most-least)))
}
