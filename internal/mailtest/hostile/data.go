package hostile

import (
	"strings"

	"imap-exporter/internal/mailtest"
)

// quotas is a server with this answer to GETQUOTAROOT.
func quotas(lines string) mailtest.Options { return says("GETQUOTAROOT", lines+"TAG OK\r\n") }

// statuses is a server with this answer to STATUS.
func statuses(lines string) mailtest.Options { return says("STATUS", lines+"TAG OK\r\n") }

// crafted are numbers out of range, and data that comes twice or not at all.
func crafted() []Case {
	type values = map[string]float64
	fetch := func(name, items string) Case {
		return Case{Name: name, Want: Success, Server: says("FETCH", "* 24 FETCH ("+items+")\r\nTAG OK\r\n")}
	}
	return in("numbers",
		Case{
			Name: "counts out of range", Want: Success, Absent: []string{"mailbox_unseen_messages", "mailbox_size_bytes", "mailbox_recent_messages"},
			Values: values{"mailbox_messages": 24}, // EXAMINE's
			Server: statuses("* STATUS INBOX (MESSAGES 4294967296 UNSEEN -1 UIDNEXT NIL SIZE 9223372036854775808 UIDVALIDITY )\r\n"),
		},
		Case{
			Name: "the largest counts", Want: Success, Values: values{"mailbox_messages": 4294967295, "mailbox_unseen_messages": 0},
			Server: statuses("* STATUS INBOX (MESSAGES 4294967295 UNSEEN 0 UIDNEXT 4294967295 SIZE 9223372036854775807)\r\n"),
		},
		Case{Name: "4294967295 messages", Want: Success, Server: mailtest.Options{Handle: map[string]mailtest.Handler{
			"EXAMINE": answer("* 4294967295 EXISTS\r\nTAG OK\r\n"), "FETCH": answer("TAG OK\r\n"), "UNSELECT": answer("TAG OK\r\n"),
		}}},
		Case{Name: "4294967296 messages", Want: "select/protocol", Server: says("EXAMINE", "* 4294967296 EXISTS\r\nTAG OK\r\n")},
		Case{Name: "-1 messages", Want: "select/protocol", Server: says("EXAMINE", "* -1 EXISTS\r\nTAG OK\r\n")},
		Case{
			Name: "the first count wins", Want: Success, Values: values{"mailbox_messages": 5}, Absent: []string{"mailbox_unseen_messages"},
			Server: statuses("* STATUS INBOX (MESSAGES 5 MESSAGES 6 UNSEEN -1)\r\n* STATUS INBOX (MESSAGES 7 UNSEEN 8)\r\n"),
		},
		Case{Name: "counts without a list", Want: "status/protocol", Server: statuses("* STATUS INBOX MESSAGES 3\r\n")},
		Case{Name: "an empty list of counts", Want: "status/protocol", Server: statuses("* STATUS INBOX ()\r\n")},
		Case{
			Name: "counts in lists", Want: Success, Values: values{"mailbox_unseen_messages": 4}, Absent: []string{"mailbox_recent_messages"},
			Server: statuses("* STATUS INBOX (MESSAGES (1) RECENT () UNSEEN 4)\r\n"),
		},
		Case{
			Name: "the first quota wins", Want: Success, Values: values{"quota_storage_used_bytes": 1024, "quota_storage_limit_bytes": 2048},
			Server: quotas("* QUOTA \"\" (STORAGE 1 2 STORAGE 3 4)\r\n* QUOTA \"\" (STORAGE 5 6)\r\n"),
		},
		Case{Name: "quotas without limit", Want: Success, Absent: []string{"quota_storage_limit_bytes", "quota_messages_limit"}, Server: quotas(
			"* QUOTA a ()\r\n* QUOTA b (STORAGE 1 18446744073709551615)\r\n* QUOTA c (STORAGE 1 -1)\r\n* QUOTA d (STORAGE 1 NIL)\r\n* QUOTA e (STORAGE 1)\r\n")},
		Case{Name: "100 quota roots", Want: Success, Values: values{"quota_messages_limit": 16 * 2}, Server: quotas(many(100, "* QUOTA root%d (MESSAGE 1 2)\r\n"))},
		Case{Name: "a quota that is none", Want: Success, Absent: []string{"quota_storage_limit_bytes"}, Server: quotas("* QUOTA\r\n* QUOTA x\r\n* QUOTA (x) (STORAGE 1 2)\r\n* QUOTA \"\r\n")},
		fetch("a section without its end", "BODY[HEADER {1}\r\nx"),
		fetch("a section with too many ends", "BODY[]]]]]< {1}\r\nx"),
		fetch("a section out of range", "BODY[99999999999999999999999.1] {1}\r\nx"),
		fetch("a year 0", `INTERNALDATE "01-jan-0000 00:00:00 +2359"`),
		fetch("a date that is none", `INTERNALDATE "yesterday" BODY[HEADER]<0> "x"`),
		fetch("one body 200 times", strings.Repeat(`BODY[HEADER]<0> "abc" `, 200)),
		fetch("NIL", "INTERNALDATE NIL BODY[HEADER]<0> NIL"),
		Case{Name: "message 0", Want: Success, Server: says("FETCH", "* 0 FETCH (INTERNALDATE \"01-Jan-2020 00:00:00 +0000\")\r\nTAG OK\r\n")},
		Case{Name: "one message 200 times", Want: Success, Server: says("FETCH", strings.Repeat("* 24 FETCH (BODY[HEADER]<0> \"abc\")\r\n", 200)+"TAG OK\r\n")},
		Case{Name: "an answer in two", Want: Success, Server: says("FETCH",
			"* 24 FETCH (INTERNALDATE \" 1-Jan-2020 00:00:00 +0000\")\r\n* 24 FETCH (BODY[HEADER]<0> NIL)\r\nTAG OK\r\n")},
		Case{
			Name: "5,000 mailboxes", Want: Success, Account: Account{Mailboxes: []string{"*"}}, Values: values{"mailboxes_truncated": 1, "mailbox_unseen_messages": 500},
			Server: mailtest.Options{Handle: map[string]mailtest.Handler{
				"LIST": answer(many(5000, "* LIST () \"/\" box%d\r\n") + "TAG OK\r\n"),
				"STATUS": func(c *mailtest.Conn, cmd mailtest.Command) error {
					c.Line("* STATUS %s (MESSAGES 5 UNSEEN 5)", cmd.Args[0])
					return c.OK(cmd.Tag, "done")
				},
			}},
		},
		Case{
			Name: "one mailbox 5,000 times", Want: Success, Account: Account{Mailboxes: []string{"*"}}, Values: values{"mailboxes_truncated": 0, "mailbox_messages": 24},
			Server: says("LIST", strings.Repeat("* LIST () \"/\" inbox\r\n", 5000)+"TAG OK\r\n"),
		},
	)
}

// foreign are answers about something that was not requested.
func foreign() []Case {
	type values = map[string]float64
	return in("others' data",
		Case{Name: "counts of another mailbox", Want: "status/protocol", Server: statuses("* STATUS Other (MESSAGES 718001)\r\n")},
		Case{
			Name: "counts of another mailbox first", Want: Success, Values: values{"mailbox_messages": 5},
			Server: statuses("* STATUS Other (MESSAGES 718001 UNSEEN 718002)\r\n* STATUS INBOX (MESSAGES 5)\r\n"),
		},
		Case{
			Name: "counts of mailboxes with longer names", Want: Success, Values: values{"mailbox_messages": 5},
			Server: statuses("* STATUS INBOX/718001 (MESSAGES 718001)\r\n* STATUS \"INBOX \" (MESSAGES 718001)\r\n* STATUS INBOX (MESSAGES 5)\r\n"),
		},
		Case{
			Name: "another message", Want: Success, Absent: []string{"mailbox_newest_message_timestamp_seconds"},
			Server: says("FETCH", "* 7 FETCH (INTERNALDATE \"01-Jan-2020 00:00:00 +0000\" BODY[HEADER]<0> {3}\r\nabc)\r\nTAG OK\r\n"),
		},
		Case{Name: "flags before the answer", Want: Success, Server: on("FETCH", first("* 24 FETCH (FLAGS (foo]bar))\r\n* 24 FETCH (UID 5 MODSEQ (1))\r\n"))},
		Case{Name: "counts in answer to EXAMINE", Want: Success, Values: values{"mailbox_messages": 24}, Server: on("EXAMINE", first("* STATUS INBOX (MESSAGES 718001)\r\n"))},
		Case{Name: "quota in answer to STATUS", Want: Success, Server: on("STATUS", first("* QUOTA \"718001\" (STORAGE 718001 718002)\r\n"))},
		Case{Name: "mailboxes in answer to STATUS", Want: Success, Server: on("STATUS", first("* LIST () \"/\" 718001\r\n"))},
		Case{Name: "EXISTS after STATUS", Want: Success, Values: values{"mailbox_messages": 24}, Server: on("GETQUOTAROOT", first("* 54321 EXISTS\r\n* 54321 EXPUNGE\r\n"))},
		Case{Name: "unknown responses", Want: Success, Server: on("FETCH", first("* VANISHED 1:5\r\n* XVENDOR (a {3}\r\nxyz b)\r\n* 5 XVENDOR\r\n\r\n* 3 EXPUNGE\r\n"))},
		Case{Name: "16 lines that are no response", Want: Success, Server: on("EXAMINE", first(strings.Repeat("hello there\r\n", 16)))},
		Case{Name: "17 lines that are no response", Want: "select/protocol", Server: on("EXAMINE", first(strings.Repeat("hello there\r\n", 17)))},
		Case{Name: "a response without a name", Want: "select/protocol", Server: on("EXAMINE", first("* \r\n"))},
		Case{Name: "RECENT in a panic", Want: Success, Values: values{"mailbox_recent_messages": 1}, Server: statuses("* STATUS INBOX (MESSAGES 1 RECENT 1)\r\n")},
	)
}
