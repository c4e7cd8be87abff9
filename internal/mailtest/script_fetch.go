package mailtest

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"imap-exporter/internal/imap"
)

// fetch answers FETCH and UID FETCH (RFC 3501, section 6.4.5) of what a probe asks for: UID, FLAGS, RFC822.SIZE,
// INTERNALDATE, and BODY or BODY.PEEK of the whole message, its HEADER or its TEXT, whole or in part.
func (c *Conn) fetch(cmd Command) error {
	if len(cmd.Args) != 2 {
		return c.BAD(cmd.Tag, "FETCH takes a set and items.")
	}
	byUID := cmd.Verb == "UID FETCH"
	items := parseList(cmd.Args[1])
	if byUID {
		items = append([]string{"UID"}, items...)
	}
	c.server.mu.Lock()
	last := uint32(len(c.view)) //nolint:gosec // No mailbox in memory has 2^32 messages.
	if byUID && last > 0 {
		last = c.view[last-1].UID
	}
	set, err := parseSet(cmd.Args[0], last)
	for i := range c.view {
		number := uint32(i) + 1
		if byUID {
			number = c.view[i].UID
		}
		if err != nil || !set.contains(number) {
			continue
		}
		var answer string
		if answer, err = c.fetchItems(&c.view[i], items); err == nil {
			c.Line("* %d FETCH (%s)", i+1, answer)
		}
	}
	c.server.mu.Unlock()
	if err != nil {
		c.out = nil
		return c.BAD(cmd.Tag, err.Error())
	}
	return c.OK(cmd.Tag, "Fetch completed.")
}

// fetchItems returns what was asked for of one message.
func (c *Conn) fetchItems(m *Message, items []string) (string, error) {
	values := make([]string, 0, len(items))
	for _, item := range items {
		var value string
		switch item {
		case "UID":
			value = strconv.FormatUint(uint64(m.UID), 10)
		case "FLAGS":
			value = flags(m)
		case "RFC822.SIZE":
			value = strconv.Itoa(m.Size())
		case "INTERNALDATE":
			value = imap.Quote(m.Date.Format("_2-Jan-2006 15:04:05 -0700"))
		default:
			name, part, err := section(m, item)
			if err != nil {
				return "", err
			}
			if !strings.HasPrefix(item, "BODY.PEEK") {
				c.markSeen(m.UID)
			}
			item, value = name, fmt.Sprintf("{%d}\r\n%s", len(part), part)
		}
		values = append(values, item+" "+value)
	}
	return strings.Join(values, " "), nil
}

func flags(m *Message) string {
	var flags []string
	if m.Seen {
		flags = append(flags, `\Seen`)
	}
	if m.Recent {
		flags = append(flags, `\Recent`)
	}
	return "(" + strings.Join(flags, " ") + ")"
}

// markSeen sets \Seen, as BODY without PEEK does in a mailbox that is selected read-write. The caller holds the lock.
func (c *Conn) markSeen(uid uint32) {
	user := c.server.data.User(c.user)
	if c.readOnly || user == nil {
		return
	}
	mailbox := user.Mailbox(c.selected)
	if mailbox == nil {
		return
	}
	for i := range mailbox.Messages {
		if mailbox.Messages[i].UID == uid {
			mailbox.Messages[i].Seen = true
		}
	}
}

// bodyItem is a body section: which part, and from which byte on how many.
var bodyItem = regexp.MustCompile(`^BODY(?:\.PEEK)?\[(HEADER|TEXT|)\](?:<(\d{1,9})\.(\d{1,9})>)?$`)

// section returns a part of a message, and how the answer names it.
func section(m *Message, item string) (name, part string, err error) {
	parsed := bodyItem.FindStringSubmatch(item)
	if parsed == nil {
		return "", "", fmt.Errorf("Unknown item %s.", item) //nolint:staticcheck // It is what the client gets to read.
	}
	switch parsed[1] {
	case "HEADER":
		part = m.Header
	case "TEXT":
		part = m.Body
	default:
		part = m.Header + m.Body
	}
	name = "BODY[" + parsed[1] + "]"
	if parsed[2] == "" {
		return name, part, nil
	}
	offset, err := strconv.Atoi(parsed[2])
	if err != nil {
		return "", "", err
	}
	length, err := strconv.Atoi(parsed[3])
	if err != nil {
		return "", "", err
	}
	part = part[min(offset, len(part)):]
	return fmt.Sprintf("%s<%d>", name, offset), part[:min(length, len(part))], nil
}

// A numberSet is a set of sequence numbers or UIDs, as ranges with both ends.
type numberSet [][2]uint32

// parseSet reads a sequence set (RFC 3501, section 9), in which "*" is last.
func parseSet(s string, last uint32) (numberSet, error) {
	var set numberSet
	for part := range strings.SplitSeq(s, ",") {
		from, to, isRange := strings.Cut(part, ":")
		if !isRange {
			to = from
		}
		var ends [2]uint32
		for i, end := range []string{from, to} {
			if end == "*" {
				ends[i] = last
				continue
			}
			n, err := strconv.ParseUint(end, 10, 32)
			if err != nil || n == 0 {
				return nil, fmt.Errorf("Not a number set: %q.", s) //nolint:staticcheck // It is what the client gets to read.
			}
			ends[i] = uint32(n)
		}
		set = append(set, [2]uint32{min(ends[0], ends[1]), max(ends[0], ends[1])})
	}
	return set, nil
}

func (set numberSet) contains(n uint32) bool {
	for _, ends := range set {
		if ends[0] <= n && n <= ends[1] {
			return true
		}
	}
	return false
}
