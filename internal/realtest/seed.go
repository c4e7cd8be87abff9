package realtest

import (
	"context"
	"fmt"
	"time"
)

// provisionCyrus creates both users' INBOX and alice's quota, as only Cyrus' administrator may.
func provisionCyrus(ctx context.Context, s *Server) error {
	return as(ctx, s, User{"cyrus", adminPassword}, func(c *client) error {
		return c.all("CREATE user/alice", "CREATE user/bob", "SETQUOTA user/alice (STORAGE 10240 MESSAGE 1000)")
	})
}

// seed fills the mailboxes as Server says.
func seed(ctx context.Context, s *Server) error {
	err := as(ctx, s, s.Alice, func(c *client) error {
		dates := InboxDates()
		for i, date := range dates {
			size := 0
			if i == len(dates)-1 {
				size = 20 << 10
			}
			if err := c.add("INBOX", date, size); err != nil {
				return err
			}
		}
		drafts, notes := s.Mailbox("Entw&APw-rfe"), s.Mailbox("Team Notes") // Modified UTF-7, RFC 3501 section 5.1.3.
		if err := c.all(fmt.Sprintf("CREATE %q", drafts), fmt.Sprintf("CREATE %q", notes)); err != nil {
			return err
		}
		for _, mailbox := range []string{drafts, notes, notes} {
			if err := c.add(mailbox, dates[0], 0); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	return as(ctx, s, s.Bob, func(c *client) error { return c.fillBig(s.Mailbox("Big"), InboxDates()[0]) })
}

// fillBig copies the mailbox into itself until it has BigMessages: that takes a server a second, where appending takes minutes.
func (c *client) fillBig(mailbox string, date time.Time) error {
	if err := c.all(fmt.Sprintf("CREATE %q", mailbox)); err != nil {
		return err
	}
	const first = 10
	for range first {
		if err := c.add(mailbox, date, 0); err != nil {
			return err
		}
	}
	if err := c.all(fmt.Sprintf("SELECT %q", mailbox)); err != nil {
		return err
	}
	for n := first; n < BigMessages; {
		more := min(n, BigMessages-n)
		if err := c.all(fmt.Sprintf("COPY 1:%d %q", more, mailbox), "NOOP"); err != nil {
			return err
		}
		n += more
	}
	return nil
}

// as logs in on a connection of its own.
func as(ctx context.Context, s *Server, u User, work func(*client) error) error {
	c, err := dial(ctx, s.PlainAddr, nil)
	if err != nil {
		return err
	}
	defer c.conn.Close()
	if err := c.login(u); err != nil {
		return err
	}
	if err := work(c); err != nil {
		return err
	}
	return c.all("LOGOUT")
}

// all sends commands one after another.
func (c *client) all(commands ...string) error {
	for _, command := range commands {
		if _, err := c.do("%s", command); err != nil {
			return fmt.Errorf("%s: %w", command, err)
		}
	}
	return nil
}
