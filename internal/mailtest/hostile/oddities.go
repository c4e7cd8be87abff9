package hostile

import "imap-exporter/internal/mailtest"

// oddities are peculiarities of real servers in response codes, capabilities and BYE.
func oddities() []Case {
	return in(Quirks,
		Case{
			Name: "wp.pl says BYE with the tag", Source: "wp.pl: https://github.com/jonhoo/rust-imap/issues/210", Want: Success,
			Server: replay("* OK IMAP4rev1\r\n", answers{"LOGOUT": "TAG BYE IMAP4rev1 Server logging out\r\n"}),
		},
		Case{
			Name: "mox has no limit worth the name", Source: "mox: https://github.com/mjl-/mox (imapserver)", Want: Success,
			Server: replay("* OK [CAPABILITY IMAP4rev2 IMAP4rev1 ENABLE LITERAL+ IDLE APPENDLIMIT=9223372036854775807] mox imap\r\n", answers{
				"CAPABILITY": "* CAPABILITY IMAP4rev2 IMAP4rev1 ENABLE LITERAL+ IDLE UNSELECT STATUS=SIZE QUOTA=RES-STORAGE APPENDLIMIT=9223372036854775807\r\nTAG OK done\r\n",
			}),
		},
		Case{
			Name: "UIDNEXT and UIDVALIDITY are 0", Source: "several: https://github.com/jstedfast/MailKit (MailKit/Net/Imap/ImapEngine.cs)", Want: Success,
			Absent: []string{"mailbox_uidnext", "mailbox_uidvalidity"}, Server: replay("* OK hi\r\n", answers{
				"EXAMINE": "* 24 EXISTS\r\n* OK [UIDNEXT 0] x\r\n* OK [UIDVALIDITY 0] x\r\n* OK [UNSEEN 0] x\r\nTAG OK done\r\n",
				"STATUS":  "* STATUS INBOX (MESSAGES 24 UIDNEXT 0 UIDVALIDITY 0)\r\nTAG OK done\r\n",
			}),
		},
		Case{
			Name: "LITERAL and + stand apart", Source: "several: https://github.com/jstedfast/MailKit/issues/1654", Want: Success,
			Account: Account{Password: Unquotable}, Server: mailtest.Options{Capabilities: announce("IMAP4rev1 LITERAL + ID", "IMAP4rev1 LITERAL +")},
		},
		Case{
			Name: "a code stands without its OK", Source: "home.pl: https://github.com/jstedfast/MailKit/issues/115", Want: Success,
			Server: replay("* OK hi\r\n", answers{"UNSELECT": "* [COPYUID 55 31 6]\r\nTAG OK done\r\n"}),
		},
		Case{
			Name: "a code is not of the capitals that we know", Source: "bea-to-email.de: https://github.com/jstedfast/MailKit/issues/1589", Want: Success,
			Server: replay("* OK hi\r\n", answers{"EXAMINE": "* 24 EXISTS\r\n* OK [Flags (\\Answered \\Seen)] x\r\n* OK [UidNext 31] x\r\nTAG OK done\r\n"}),
			Values: values{"mailbox_uidnext": 31},
		},
		Case{
			Name: "a flag list begins with a space", Source: "several: https://github.com/emersion/go-imap/issues/633", Want: Success,
			Server: replay("* OK hi\r\n", answers{"EXAMINE": "* 24 EXISTS\r\n* OK [PERMANENTFLAGS ( \\*)] x\r\nTAG OK done\r\n"}),
		},
		Case{
			Name: "the root of the mailboxes is listed", Source: "139.com: https://github.com/MailCore/mailcore2/issues/1592", Want: Success,
			Account: Account{Mailboxes: []string{"*"}}, Values: values{"mailbox_messages": 24}, Absent: []string{"mailbox_uidnext"}, Server: replay(
				"* OK Richinfo Mail System commongw Server Ready (139coms)\r\n", answers{
					"CAPABILITY": "* CAPABILITY IMAP4rev1 XLIST RM_MAIL_TYPE\r\nTAG OK CAPABILITY completed\r\n",
					"EXAMINE":    "* 24 EXISTS\r\n* 5 RECENT\r\n* OK [UIDVALIDITY 1] UIDs valid\r\nTAG OK [READ-ONLY] EXAMINE completed\r\n",
					"LIST":       "* LIST (\\Noselect) \"/\" \"\"\r\n* LIST () \"/\" \"INBOX\"\r\nTAG OK LIST Completed\r\n",
				}),
		},
	)
}
