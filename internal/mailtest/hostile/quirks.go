package hostile

import "imap-exporter/internal/mailtest"

// Quirks is the group of correct servers with peculiarities. Each must succeed, with the right values.
const Quirks = "quirk"

type (
	answers = map[string]string
	values  = map[string]float64
)

// july is the date of message 24 in a replay.
const july = 837596665

// quirks are peculiarities of the large providers.
func quirks() []Case {
	return in(Quirks,
		Case{
			Name:   "Gmail announces untagged before the OK of LOGIN, and has one nameless quota root",
			Source: "Gmail: https://github.com/modern-email/defects/issues/18", Want: Success,
			Values: values{"quota_storage_used_bytes": 1024 * 102400, "quota_storage_limit_bytes": 1024 * 15728640, "mailbox_messages": 24},
			Server: replay("* OK Gimap ready for requests from 192.0.2.1 a1mb1\r\n", answers{
				"LOGIN":        "* CAPABILITY IMAP4rev1 UNSELECT IDLE NAMESPACE QUOTA ID XLIST CHILDREN X-GM-EXT-1\r\nTAG OK demo@example.org authenticated (Success)\r\n",
				"GETQUOTAROOT": "* QUOTAROOT \"INBOX\" \"\"\r\n* QUOTA \"\" (STORAGE 102400 15728640)\r\nTAG OK Success\r\n",
			}),
		},
		Case{
			Name: "Gmail leaves out the text behind HIGHESTMODSEQ", Source: "Gmail: https://github.com/modern-email/defects/issues/28", Want: Success,
			Values: values{"mailbox_uidnext": 31},
			Server: replay("* OK Gimap ready\r\n", answers{"EXAMINE": "* FLAGS (\\Answered $NotPhishing $Phishing)\r\n* OK [PERMANENTFLAGS ()] Flags permitted.\r\n" +
				"* OK [UIDVALIDITY 7] UIDs valid.\r\n* 24 EXISTS\r\n* 0 RECENT\r\n* OK [UIDNEXT 31] Predicted next UID.\r\n* OK [HIGHESTMODSEQ 123456]\r\nTAG OK [READ-ONLY] INBOX selected. (Success)\r\n"}),
		},
		Case{
			Name: "iCloud leaves out texts, even that of BYE", Source: "iCloud: https://github.com/emersion/go-imap/issues/502", Want: Success,
			Values: values{"mailbox_uidnext": 31, "mailbox_uidvalidity": 7},
			Server: replay("* OK [CAPABILITY XAPPLEPUSHSERVICE IMAP4 IMAP4rev1 SASL-IR AUTH=ATOKEN AUTH=PLAIN] (2313B20-3ff771b405ab) mr36p00im.example.org\r\n", answers{
				"EXAMINE": "* 24 EXISTS\r\n* 0 RECENT\r\n* OK [UIDVALIDITY 7]\r\n* OK [UIDNEXT 31]\r\n* FLAGS (\\Answered $MailFlagBit0 Redirected)\r\n" +
					"* OK [PERMANENTFLAGS (\\Answered $MailFlagBit0 Redirected \\*)]\r\nTAG OK [READ-ONLY] EXAMINE completed (took 1 ms)\r\n",
				"LOGOUT": "* BYE\r\nTAG OK LOGOUT completed (took 0 ms)\r\n",
			}),
		},
		Case{
			Name:   "Yahoo has HIGHESTMODSEQ but no CONDSTORE, an empty challenge, and a mailbox called Inbox",
			Source: "Yahoo: https://github.com/jstedfast/MailKit/issues/358", Want: Success, Account: Account{Auth: "plain", Mailboxes: []string{"*"}},
			Values: values{"mailbox_messages": 24, "mailbox_unseen_messages": 3}, Absent: []string{"mailbox_highest_modseq"},
			Server: sasl(replay("* OK [CAPABILITY IMAP4rev1 ID MOVE NAMESPACE X-ID-ACLID UIDPLUS LITERAL+ CHILDREN XAPPLEPUSHSERVICE XYMHIGHESTMODSEQ AUTH=PLAIN] IMAP4rev1 imapgate-1.8.1_01\r\n",
				answers{
					"EXAMINE": "* 24 EXISTS\r\n* 0 RECENT\r\n* OK [UIDVALIDITY 1] UIDs valid\r\n* OK [UIDNEXT 333878] Predicted next UID\r\n* OK [HIGHESTMODSEQ 102784]\r\nTAG OK [READ-ONLY] EXAMINE completed; now in selected state\r\n",
					"LIST":    "* LIST (\\Inbox \\HasNoChildren) \"/\" \"Inbox\"\r\nTAG OK LIST completed\r\n",
					"STATUS":  "* STATUS \"Inbox\" (MESSAGES 24 UNSEEN 3)\r\nTAG OK STATUS completed\r\n",
				}), "IMAP4rev1 ID AUTH=PLAIN AUTH=LOGIN AUTH=XYMCOOKIE", "IMAP4rev1 ID MOVE NAMESPACE XYMHIGHESTMODSEQ"),
		},
		Case{
			Name: "Office 365 offers XOAUTH2 alone, and neither QUOTA nor CONDSTORE", Source: "Exchange Online: https://github.com/mscdex/node-imap/issues/561",
			Want: Success, Account: Account{Auth: "xoauth2"}, Values: values{"mailbox_messages": 24, "quota_supported": 0}, Never: []string{"GETQUOTAROOT"},
			Server: sasl(replay("* OK The Microsoft Exchange IMAP4 service is ready. [TQBXAEgAUABSADIAMQBDAEEAMAAwADYAMAAuAG4A]\r\n", nil),
				"IMAP4 IMAP4rev1 AUTH=XOAUTH2 SASL-IR UIDPLUS ID UNSELECT CHILDREN IDLE NAMESPACE LITERAL+",
				"IMAP4 IMAP4rev1 AUTH=XOAUTH2 SASL-IR UIDPLUS MOVE ID UNSELECT CLIENTACCESSRULES CLIENTNETWORKPRESENCELOCATION BACKENDAUTHENTICATE CHILDREN IDLE NAMESPACE LITERAL+"),
		},
		Case{
			Name: "Exchange puts a space behind the counts", Source: "Exchange: https://github.com/duesee/imap-codec/pull/468", Want: Success,
			Values: values{"mailbox_messages": 5, "mailbox_unseen_messages": 2},
			Server: replay("* OK The Microsoft Exchange IMAP4 service is ready.\r\n", answers{"STATUS": "* STATUS INBOX (MESSAGES 5 UNSEEN 2) \r\nTAG OK STATUS completed.\r\n"}),
		},
		Case{
			Name: "Exchange 2003 says its OK again, without the tag", Source: "Exchange 2003: https://github.com/dinhvh/libetpan/issues/45", Want: Success,
			Server: replay("* OK Microsoft Exchange Server 2003 IMAP4rev1 server version 6.5.7638.1 (mail.example.org) ready.\r\n", answers{
				"CAPABILITY": "* CAPABILITY IMAP4 IMAP4rev1 IDLE LOGIN-REFERRALS MAILBOX-REFERRALS NAMESPACE LITERAL+ UIDPLUS CHILDREN\r\nTAG OK CAPABILITY completed.\r\nCAPABILITY completed.\r\n",
			}),
		},
		Case{
			Name: "163.com wants to know who we are", Source: "163.com: https://github.com/pimalaya/himalaya/issues/651", Want: Success, Account: Account{SendID: true},
			Values: values{"mailbox_messages": 24, "mailbox_newest_message_timestamp_seconds": july - 15*3600},
			Server: suspicious("SELECT Unsafe Login. Please contact kefu@188.com for help"),
		},
		Case{
			Name: "exmail.qq.com puts a space behind the capabilities", Source: "QQ: https://github.com/modern-email/defects/issues/21", Want: Success,
			Server: replay("* OK [CAPABILITY IMAP4 IMAP4rev1 ID AUTH=PLAIN AUTH=LOGIN NAMESPACE] QQMail IMAP4Server ready\r\n",
				answers{"CAPABILITY": "* CAPABILITY IMAP4rev1 \r\nTAG OK CAPABILITY completed\r\n"}),
		},
		Case{Name: "Yandex says BYE over and over", Source: "Yandex: https://github.com/jstedfast/MailKit/issues/938", Want: Success, Server: mailtest.Options{
			Greeting: "* OK Yandex IMAP4rev1 at mail-imap-production-171.example.org:993 ready to talk with ::ffff:192.0.2.1:50580\r\n",
			Handle:   map[string]mailtest.Handler{"LOGOUT": flood("", "* BYE Autologout; idle for too long\r\n")},
		}},
		Case{
			Name: "Zoho has modification sequences that float, and -1", Source: "Zoho: https://github.com/jstedfast/MailKit/issues/1686", Want: Success,
			Values: values{"mailbox_messages": 24, "mailbox_uidnext": 31},
			Server: replay("* OK svwall.zoho.com IMAP4 Server (Zoho Mail IMAP4rev1 Server version 1.0)\r\n", answers{
				"EXAMINE": "* 24 EXISTS\r\n* 19 RECENT\r\n* OK [UIDVALIDITY 2] UIDs valid \r\n* OK [UIDNEXT 31] Predicted next UID \r\n* OK [HIGHESTMODSEQ 1706092971947030001]\r\nTAG OK [READ-ONLY] EXAMINE completed\r\n",
				"FETCH":   "* NUMBER FETCH (MODSEQ (-1) FLAGS (\\Seen) INTERNALDATE \"17-Jul-1996 02:44:25 -0700\" BODY[HEADER]<0> {3}\r\nabc)\r\nTAG OK Success\r\n",
			}),
		},
	)
}
