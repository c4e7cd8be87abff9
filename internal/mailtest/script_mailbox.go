package mailtest

import (
	"fmt"
	"slices"
	"strings"

	"imap-exporter/internal/imap"
)

// withUser calls read with the logged-in user, with the server's data locked. It reports false if the user no longer exists.
func (c *Conn) withUser(read func(*User)) bool {
	c.server.mu.Lock()
	defer c.server.mu.Unlock()
	user := c.server.data.User(c.user)
	if user == nil {
		return false
	}
	read(user)
	return true
}

// withMailbox calls read with the mailbox of this encoded name. It reports false if there is no such mailbox with messages.
func (c *Conn) withMailbox(encoded string, read func(*User, *Mailbox)) bool {
	name, ok := imap.DecodeMailbox(encoded)
	if !ok {
		return false
	}
	found := false
	c.withUser(func(u *User) {
		if m := u.Mailbox(name); m != nil && !m.NoSelect {
			found = true
			read(u, m)
		}
	})
	return found
}

const noMailbox = "[NONEXISTENT] No such mailbox."

// selectMailbox answers SELECT and EXAMINE (RFC 3501, sections 6.3.1 and 6.3.2).
func (c *Conn) selectMailbox(cmd Command) error {
	if len(cmd.Args) == 0 {
		return c.BAD(cmd.Tag, cmd.Verb+" takes a mailbox.")
	}
	c.selected, c.view = "", nil
	readOnly := cmd.Verb == "EXAMINE"
	modSeq := c.offers("CONDSTORE")
	found := c.withMailbox(cmd.Args[0], func(_ *User, m *Mailbox) {
		_, recent, _ := m.count()
		c.selected, c.readOnly = m.Name, readOnly
		if !readOnly && recent > 0 {
			m.Messages = slices.Clone(m.Messages) // Other sessions keep their view.
			for i := range m.Messages {
				m.Messages[i].Recent = false
			}
		}
		c.view = m.Messages
		c.Line(`* FLAGS (\Answered \Flagged \Deleted \Seen \Draft)`)
		c.Line(`* OK [PERMANENTFLAGS (\Answered \Flagged \Deleted \Seen \Draft \*)] Flags permitted.`)
		c.Line("* %d EXISTS", len(m.Messages))
		c.Line("* %d RECENT", recent)
		if i := slices.IndexFunc(m.Messages, func(m Message) bool { return !m.Seen }); i >= 0 {
			c.Line("* OK [UNSEEN %d] First unseen.", i+1)
		}
		c.Line("* OK [UIDVALIDITY %d] UIDs valid.", m.UIDValidity)
		c.Line("* OK [UIDNEXT %d] Predicted next UID.", m.UIDNext)
		if modSeq {
			c.Line("* OK [HIGHESTMODSEQ %d] Highest.", m.HighestModSeq)
		}
	})
	switch {
	case !found:
		return c.NO(cmd.Tag, noMailbox)
	case readOnly:
		return c.OK(cmd.Tag, "[READ-ONLY] Examine completed.")
	}
	return c.OK(cmd.Tag, "[READ-WRITE] Select completed.")
}

// statusOf answers STATUS (RFC 3501, section 6.3.10; RFC 8438; RFC 7162, section 3.1.7).
func (c *Conn) statusOf(cmd Command) error {
	if len(cmd.Args) != 2 {
		return c.BAD(cmd.Tag, "STATUS takes a mailbox and a list.")
	}
	size, modSeq := c.offers("STATUS=SIZE"), c.offers("CONDSTORE")
	var unknown string
	found := c.withMailbox(cmd.Args[0], func(_ *User, m *Mailbox) {
		unseen, recent, octets := m.count()
		var items []string
		for _, item := range parseList(cmd.Args[1]) {
			var value any
			switch {
			case item == "MESSAGES":
				value = len(m.Messages)
			case item == "UNSEEN":
				value = unseen
			case item == "RECENT":
				value = recent
			case item == "UIDNEXT":
				value = m.UIDNext
			case item == "UIDVALIDITY":
				value = m.UIDValidity
			case item == "SIZE" && size:
				value = octets
			case item == "HIGHESTMODSEQ" && modSeq:
				value = m.HighestModSeq
			default:
				unknown = item
				return
			}
			items = append(items, fmt.Sprintf("%s %d", item, value))
		}
		c.Line("* STATUS %s (%s)", imap.EncodeMailbox(m.Name), strings.Join(items, " "))
	})
	switch {
	case unknown != "":
		return c.BAD(cmd.Tag, "Unknown item "+unknown+".")
	case !found:
		return c.NO(cmd.Tag, noMailbox)
	}
	return c.OK(cmd.Tag, "Status completed.")
}

// list answers LIST (RFC 3501, section 6.3.8).
func (c *Conn) list(cmd Command) error {
	if len(cmd.Args) != 2 {
		return c.BAD(cmd.Tag, "LIST takes a reference and a pattern.")
	}
	pattern, ok := imap.DecodeMailbox(cmd.Args[0] + cmd.Args[1])
	if !ok {
		return c.BAD(cmd.Tag, "The pattern is not modified UTF-7.")
	}
	if cmd.Args[1] == "" {
		c.Line(`* LIST (\Noselect) "/" ""`)
		return c.OK(cmd.Tag, "List completed.")
	}
	c.withUser(func(u *User) {
		for _, m := range u.Mailboxes {
			if !matchMailbox(pattern, m.Name) && (m.Name != "INBOX" || !matchMailbox(strings.ToUpper(pattern), m.Name)) {
				continue
			}
			attributes := `\HasNoChildren`
			if slices.ContainsFunc(u.Mailboxes, func(child *Mailbox) bool { return strings.HasPrefix(child.Name, m.Name+"/") }) {
				attributes = `\HasChildren`
			}
			if m.NoSelect {
				attributes += ` \Noselect`
			}
			c.Line(`* LIST (%s) "/" %s`, attributes, imap.EncodeMailbox(m.Name))
		}
	})
	return c.OK(cmd.Tag, "List completed.")
}

// matchMailbox matches a name with a LIST pattern: "*" is anything, "%" anything within a level.
func matchMailbox(pattern, name string) bool {
	reachable := make([]bool, len(name)+1) // Ends of prefixes of name that the pattern so far matches.
	reachable[0] = true
	for i := range len(pattern) {
		next := make([]bool, len(name)+1)
		for j := range reachable {
			switch {
			case pattern[i] == '*' || pattern[i] == '%':
				next[j] = reachable[j] || j > 0 && next[j-1] && (pattern[i] == '*' || name[j-1] != '/')
			case j > 0:
				next[j] = reachable[j-1] && name[j-1] == pattern[i]
			}
		}
		reachable = next
	}
	return reachable[len(name)]
}

// quota answers GETQUOTAROOT and GETQUOTA (RFC 9208, sections 4.2 and 4.3).
func (c *Conn) quota(cmd Command) error {
	if len(cmd.Args) != 1 {
		return c.BAD(cmd.Tag, cmd.Verb+" takes one argument.")
	}
	found := false
	if cmd.Verb == "GETQUOTA" {
		c.withUser(func(u *User) {
			for _, q := range u.Quota {
				if q.Root == cmd.Args[0] {
					found = true
					c.quotaLine(q)
				}
			}
		})
	} else {
		found = c.withMailbox(cmd.Args[0], func(u *User, m *Mailbox) {
			names := []string{imap.EncodeMailbox(m.Name)}
			for _, q := range u.Quota {
				names = append(names, imap.Quote(q.Root))
			}
			c.Line("* QUOTAROOT %s", strings.Join(names, " "))
			for _, q := range u.Quota {
				c.quotaLine(q)
			}
		})
	}
	if !found {
		return c.NO(cmd.Tag, "[NONEXISTENT] No such mailbox or quota root.")
	}
	return c.OK(cmd.Tag, "Quota completed.")
}

func (c *Conn) quotaLine(q Quota) {
	var resources []string
	if q.Storage != nil {
		resources = append(resources, fmt.Sprintf("STORAGE %d %d", q.Storage.Used, q.Storage.Limit))
	}
	if q.Messages != nil {
		resources = append(resources, fmt.Sprintf("MESSAGE %d %d", q.Messages.Used, q.Messages.Limit))
	}
	c.Line("* QUOTA %s (%s)", imap.Quote(q.Root), strings.Join(resources, " "))
}
