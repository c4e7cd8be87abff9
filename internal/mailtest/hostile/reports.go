package hostile

import (
	"slices"
	"strings"

	"imap-exporter/internal/mailtest"
)

// reports are dialogues from public bug reports about dates, counts, quotas and names. Each must succeed, with what can be
// known, and without what can't.
func reports() []Case {
	return in(Quirks, slices.Concat(dates(), expunged(), unquoted(), limits(), selected())...)
}

// dated is a server with this INTERNALDATE of message 24, and another of message 1.
func dated(date string) mailtest.Options {
	return on("FETCH", func(c *mailtest.Conn, cmd mailtest.Command) error {
		if cmd.Args[0] == "1" {
			c.Line(`* 1 FETCH (INTERNALDATE "17-Jul-1996 02:44:25 -0700")`)
		} else {
			c.Line(`* 24 FETCH (INTERNALDATE %s BODY[HEADER]<0> {3}`+"\r\nabc)", date)
		}
		return c.OK(cmd.Tag, "done")
	})
}

const newest = "mailbox_newest_message_timestamp_seconds"

// dates are INTERNALDATEs that can't be one, or that are written as no RFC permits.
func dates() []Case {
	none := func(name, source, date string) Case {
		return Case{
			Name: name, Source: source, Want: Success, Server: dated(date), Absent: []string{newest},
			Values: values{"mailbox_messages": 24, "fetch_bytes": 3},
		}
	}
	read := func(name, source, date string) Case {
		return Case{Name: name, Source: source, Want: Success, Server: dated(date), Values: values{newest: 1770606731}}
	}
	return []Case{
		none("a date of year 1", "Proton: https://github.com/ProtonMail/gluon (internal/response/item_internal_date.go), of a message without a time", `"01-Jan-0001 00:00:00 +0000"`),
		none("a date of year 0", "Domino 10: https://github.com/jstedfast/MailKit/issues/1236", `"00-Jan-0000 00:00:00 +0000"`),
		none("the beginning of Unix time", "Dovecot, of a message that is gone: https://github.com/dovecot/core (src/imap/imap-fetch.c)", `"01-Jan-1970 00:00:00 +0000"`),
		none("the beginning of Unix time, west of Greenwich", "the same, with the server's time zone", `"31-Dec-1969 16:00:00 -0800"`),
		none("a date of year 9999", "several: https://github.com/jstedfast/MailKit/issues/95", `"31-Dec-9999 23:59:59 +0000"`),
		none("a date 12 years ahead", "several: https://github.com/jstedfast/MailKit/issues/95", `"19-Jan-2038 03:14:07 +0000"`),
		none("a date of NIL", "several: https://github.com/imapsync/imapsync/pull/94", "NIL"),
		none("a date with points", "several: https://github.com/Webklex/php-imap/issues/173", `"2022.07.27-14.35.59"`),
		read("a date as in a header", "asimap: https://github.com/scanner/asimap/pull/458", `"Mon, 09 Feb 2026 03:12:11 +0000"`),
		read("a day of one digit", "several: https://github.com/apple/swift-nio-imap/pull/735", `"9-Feb-2026 11:12:11 +0800"`),
	}
}

// expunged are servers whose newest message another client expunged between EXAMINE and FETCH.
func expunged() []Case {
	gone := func(name, source, answer string) Case {
		return Case{
			Name: name, Source: source, Want: Success, Server: says("FETCH", answer),
			Values: values{"mailbox_messages": 24}, Absent: []string{newest, "fetch_bytes"},
		}
	}
	return []Case{
		gone("the newest message is gone: Dovecot", "Dovecot: https://github.com/dovecot/core (src/imap/cmd-fetch.c)",
			"* 24 FETCH (INTERNALDATE \"01-Jan-1970 00:00:00 +0000\" BODY[HEADER]<0> NIL)\r\nTAG OK [EXPUNGEISSUED] Some messages were already expunged.\r\n"),
		gone("the newest message is gone: NO with a code", "allowed: RFC 5530, section 3, and RFC 2180, section 4.1.2",
			"TAG NO [EXPUNGEISSUED] Some of the requested messages no longer exist.\r\n"),
		gone("the newest message is gone: Exchange", "Exchange: InvalidMessageSet and MessagesDeleted of Microsoft.Exchange.Imap4",
			"TAG NO [*] Some of the requested messages no longer exist.\r\n"),
		gone("the newest message is gone: NO without a code", "Scalix: https://github.com/ikvk/imap_tools/pull/203",
			"TAG NO Some of the requested messages no longer exist.\r\n"),
		gone("the newest message is gone: nothing but OK", "allowed: RFC 2180, section 4.1.3", "TAG OK FETCH completed\r\n"),
		{
			Name: "NO, though the message was sent", Source: "several: https://github.com/emailjs/emailjs-imap-client/issues/60", Want: Success,
			Values: values{"mailbox_messages": 24},
			Server: says("FETCH", "* 24 FETCH (INTERNALDATE \"17-Jul-1996 02:44:25 -0700\" BODY[HEADER]<0> {3}\r\nabc)\r\nTAG NO [EXPUNGEISSUED] Some messages are gone\r\n"),
		},
	}
}

// unquoted are servers that write names with blanks, tabs and brackets without quotes.
func unquoted() []Case {
	listed := func(name, source, line, status string) Case {
		return Case{
			Name: name, Source: source, Want: Success, Account: Account{Mailboxes: []string{"*"}},
			Values: values{"mailbox_messages": 24 + 7, "mailbox_unseen_messages": 2},
			Server: mailtest.Options{Handle: map[string]mailtest.Handler{
				"LIST": answer(line + "\r\nTAG OK done\r\n"),
				"STATUS": func(c *mailtest.Conn, cmd mailtest.Command) error {
					if !strings.HasPrefix(status, "* STATUS "+cmd.Args[0]+" (") && !strings.HasPrefix(status, `* STATUS "`+cmd.Args[0]+`" (`) {
						return c.NO(cmd.Tag, "[NONEXISTENT] Unknown mailbox: "+cmd.Args[0])
					}
					c.Line("%s", status)
					return c.OK(cmd.Tag, "done")
				},
			}},
		}
	}
	return []Case{
		{
			Name: "counts of an unquoted name with a blank", Source: "grommunio: https://github.com/grommunio/gromox/issues/5", Want: Success,
			Account: Account{Mailboxes: []string{"Deleted Items"}}, Values: values{"mailbox_messages": 24 + 7, "mailbox_unseen_messages": 2},
			Server: says("STATUS", "* STATUS Deleted Items (MESSAGES 7 UNSEEN 2 RECENT 0)\r\nTAG OK STATUS completed\r\n"),
		},
		listed("an unquoted name with a blank", "grommunio: https://github.com/grommunio/gromox/issues/5",
			`* LIST (\HasNoChildren) "/" Deleted Items`, "* STATUS Deleted Items (MESSAGES 7 UNSEEN 2)"),
		listed("an unquoted name with parentheses", "Exchange: https://github.com/jstedfast/MailKit/issues/945",
			`* LIST (\HasNoChildren) "/" Newsletters (QuickFile)`, "* STATUS Newsletters (QuickFile) (MESSAGES 7 UNSEEN 2)"),
		listed("an unquoted name with quotes", "several: https://github.com/karastojko/mailio/issues/136",
			`* LIST () "/" My "own" mail`, `* STATUS My "own" mail (MESSAGES 7 UNSEEN 2)`),
		listed("an unquoted name with tabs", "Exchange: https://github.com/jstedfast/MailKit/issues/945",
			"* LIST (\\HasNoChildren) \"/\" INBOX/Da\tOggetto\tRicevuto", "* STATUS \"INBOX/Da\tOggetto\tRicevuto\" (MESSAGES 7 UNSEEN 2)"),
		listed("an unquoted name with an open bracket", "Dovecot: https://github.com/mjs/imapclient/issues/583",
			`* LIST (\HasNoChildren) "." b585.[b49c20cf`, "* STATUS b585.[b49c20cf (MESSAGES 7 UNSEEN 2)"),
		listed("a name that is a number", "Dovecot: https://github.com/stalwartlabs/vandelay/issues/26",
			`* LIST (\HasNoChildren \UnMarked) "/" 200`, "* STATUS 200 (MESSAGES 7 UNSEEN 2)"),
		listed("extended data behind a name", "allowed: RFC 5258, section 6",
			`* LIST (\HasChildren) "/" foo ("CHILDINFO" ("SUBSCRIBED"))`, "* STATUS foo (MESSAGES 7 UNSEEN 2)"),
	}
}

// limits are quotas without a limit, and of one root in two responses.
func limits() []Case {
	quota := func(name, source, lines string, values map[string]float64, absent ...string) Case {
		return Case{Name: name, Source: source, Want: Success, Server: quotas(lines), Values: values, Absent: absent}
	}
	const usedBytes, limitBytes = "quota_storage_used_bytes", "quota_storage_limit_bytes"
	return []Case{
		quota("two responses for one quota root", "Apache James: https://github.com/apache/james-project (GetQuotaRootProcessor.java)",
			"* QUOTAROOT INBOX #private&demo\r\n* QUOTA #private&demo (MESSAGE 45 100000)\r\n* QUOTA #private&demo (STORAGE 97517 102400)\r\n",
			values{usedBytes: 97517 * 1024, limitBytes: 102400 * 1024, "quota_messages_used": 45, "quota_messages_limit": 100000}),
		quota("an unquoted quota root with a blank", "several, as of mailboxes: https://github.com/grommunio/gromox/issues/5",
			"* QUOTAROOT INBOX User quota\r\n* QUOTA User quota (STORAGE 10 512)\r\n", values{usedBytes: 10 * 1024, limitBytes: 512 * 1024}),
		quota("a limit of 0", "Stalwart: https://github.com/nextcloud/mail/issues/12235",
			"* QUOTA \"x\" (STORAGE 123 0 MESSAGE 4 0)\r\n", values{usedBytes: 123 * 1024, "quota_messages_used": 4}, limitBytes, "quota_messages_limit"),
		quota("a limit of 0, and nothing stored", "Roundcube's users, of PostfixAdmin: https://github.com/roundcube/roundcubemail/pull/9310",
			"* QUOTA \"x\" (STORAGE 0 0)\r\n", values{usedBytes: 0}, limitBytes),
		quota("a limit of -1", "several, for unlimited: https://github.com/sismics/docs/issues/709",
			"* QUOTA \"x\" (STORAGE 123 -1)\r\n", values{usedBytes: 123 * 1024}, limitBytes),
		quota("a limit of 2^64-1", "several: https://github.com/jstedfast/MailKit/issues/1602",
			"* QUOTA \"x\" (STORAGE 123 18446744073709551615)\r\n", values{usedBytes: 123 * 1024}, limitBytes),
		quota("a limit of 7 exabytes", "Gmail: https://github.com/jstedfast/MailKit/issues/1602",
			"* QUOTA \"\" (STORAGE 123 7881299347898368)\r\n", values{usedBytes: 123 * 1024, limitBytes: 7881299347898368 * 1024}),
		quota("a limit of NIL", "several: https://github.com/mscdex/node-imap/pull/282",
			"* QUOTA \"x\" (STORAGE 123 NIL)\r\n", values{usedBytes: 123 * 1024}, limitBytes),
	}
}

// selected are servers without UNSELECT that refuse STATUS of the selected mailbox. What EXAMINE said of it counts.
func selected() []Case {
	refusing := func(name, source, status string) Case {
		return Case{
			Name: name, Source: source, Want: Success, Never: []string{"UNSELECT", "CLOSE"},
			Values: values{"mailbox_messages": 24, "mailbox_uidnext": 31, "mailbox_uidvalidity": 7}, Absent: []string{"mailbox_unseen_messages"},
			Server: replay("* OK hi\r\n", answers{"CAPABILITY": "* CAPABILITY IMAP4 IMAP4rev1 IDLE NAMESPACE CHILDREN ID UIDPLUS\r\nTAG OK done\r\n", "STATUS": status}),
		}
	}
	return []Case{
		refusing("STATUS of the selected mailbox is BAD", "Sina: https://github.com/MailCore/mailcore2/issues/1165", "TAG BAD Command not allowed in this state\r\n"),
		refusing("STATUS of the selected mailbox is NO", "allowed: RFC 3501, section 6.3.10", "TAG NO STATUS on a selected mailbox\r\n"),
		refusing("STATUS of the selected mailbox is OK and empty", "several: https://github.com/lefcha/imapfilter/issues/136", "TAG OK STATUS completed\r\n"),
	}
}
