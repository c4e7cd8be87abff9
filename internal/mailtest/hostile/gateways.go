package hostile

// gateways are peculiarities of self-hosted servers and gateways.
func gateways() []Case {
	return in(Quirks,
		Case{
			Name: "DavMail keeps the client awake with spaces", Source: "DavMail: https://github.com/mguessan/davmail/issues/41", Want: Success,
			Values: values{"mailbox_messages": 24},
			Server: replay("* OK [CAPABILITY IMAP4REV1 AUTH=LOGIN IDLE MOVE SPECIAL-USE UIDPLUS] IMAP4rev1 DavMail 6.3.0-3627 server ready\r\n", answers{
				"CAPABILITY": "* CAPABILITY IMAP4REV1 AUTH=LOGIN IDLE MOVE SPECIAL-USE UIDPLUS\r\nTAG OK CAPABILITY completed\r\n",
				"EXAMINE":    "*    24 EXISTS\r\n* 24 RECENT\r\n* OK [UIDVALIDITY 7]\r\n* OK [UIDNEXT 31]\r\n* FLAGS (\\Answered)\r\nTAG OK [READ-ONLY] EXAMINE completed\r\n",
				"STATUS":     "* STATUS \"INBOX\" (UIDVALIDITY 7 MESSAGES 24 )\r\nTAG OK STATUS completed\r\n",
			}),
		},
		Case{
			Name: "Courier says FETCH of message 0, and has no UIDNEXT", Source: "Courier: https://github.com/jstedfast/MailKit/issues/428", Want: Success,
			Values: values{"mailbox_messages": 24, "fetch_bytes": 3, "quota_storage_limit_bytes": 10 << 20}, Absent: []string{"mailbox_uidnext"},
			Server: replay("* OK [CAPABILITY IMAP4rev1 UIDPLUS CHILDREN NAMESPACE SORT QUOTA IDLE ACL ACL2=UNION] Courier-IMAP ready. Copyright 1998-2018 Double Precision, Inc.\r\n", answers{
				"EXAMINE":      "* FLAGS (\\Draft \\Answered)\r\n* OK [PERMANENTFLAGS ()] No permanent flags permitted\r\n* 24 EXISTS\r\n* 0 RECENT\r\n* OK [UIDVALIDITY 7] Ok\r\nTAG OK [READ-ONLY] Ok\r\n",
				"FETCH":        "* 0 FETCH (FLAGS ())\r\n* NUMBER FETCH (INTERNALDATE \"17-Jul-1996 02:44:25 -0700\" BODY[HEADER]<0> {3}\r\nabc)\r\nTAG OK FETCH completed.\r\n",
				"GETQUOTAROOT": "* QUOTAROOT \"INBOX\" \"ROOT\"\r\n* QUOTA \"ROOT\" (STORAGE 11 10240)\r\nTAG OK GETQUOTAROOT Ok.\r\n",
			}),
		},
		Case{
			Name: "Cyrus keeps keywords with brackets in them", Source: "Cyrus 3.6: https://github.com/pimalaya/himalaya/issues/641", Want: Success,
			Values: values{"mailbox_messages": 24},
			Server: replay("* OK [CAPABILITY IMAP4rev1 LITERAL+ ID ENABLE AUTH=PLAIN SASL-IR] mail.example.org Cyrus IMAP 3.6.1 server ready\r\n", answers{
				"EXAMINE": "* 24 EXISTS\r\n* 0 RECENT\r\n* FLAGS (\\Answered foo]bar (baz) \"a b\" [)\r\n* OK [PERMANENTFLAGS (\\Answered foo]bar)] Ok\r\n* OK [UIDVALIDITY 7] Ok\r\nTAG OK [READ-ONLY] Completed\r\n",
				"FETCH":   "* NUMBER FETCH (FLAGS (foo]bar) INTERNALDATE \"17-Jul-1996 02:44:25 -0700\" BODY[HEADER]<0> {3}\r\nabc)\r\nTAG OK Completed\r\n",
			}),
		},
		Case{
			Name: "Cyrus announces LOGINDISABLED after the login", Source: "Cyrus 3.6.1 of Debian 12, as internal/realtest runs it", Want: Success,
			Server: sasl(replay("* OK mail.example.org Cyrus IMAP 3.6.1 server ready\r\n", nil),
				"IMAP4rev1 LITERAL+ ID AUTH=PLAIN SASL-IR", "IMAP4rev1 LITERAL+ ID LOGINDISABLED QUOTA UNSELECT"),
		},
		Case{
			Name: "Domino has dates that are none, backslashes for levels, and parentheses too many", Want: Success,
			Source:  "Domino: https://github.com/jstedfast/MailKit/issues/1236, https://github.com/jstedfast/MailKit/issues/943",
			Account: Account{Mailboxes: []string{"*"}}, Values: values{"mailbox_messages": 24}, Absent: []string{"mailbox_newest_message_timestamp_seconds"},
			Server: replay("* OK Domino IMAP4 Server Release 10.0.1FP3 ready Wed, 30 Oct 2019 09:28:06 +0100\r\n", answers{
				"CAPABILITY": "* CAPABILITY IMAP4rev1 AUTH=PLAIN LITERAL+ NAMESPACE QUOTA UIDPLUS\r\nTAG OK CAPABILITY completed\r\n",
				"FETCH": "* 2 FETCH (UID 14935 (ENVELOPE (NIL NIL NIL NIL NIL NIL NIL NIL NIL NIL)))\r\n" +
					"* NUMBER FETCH (INTERNALDATE \"00-Jan-0000 00:00:00 +0000\" BODY[HEADER]<0> {3}\r\nabc)\r\nTAG OK FETCH completed\r\n",
				"LIST": "* LIST (\\Noinferiors \\HasNoChildren) \"\\\\\" Inbox\r\nTAG OK LIST completed\r\n",
			}),
		},
		Case{
			Name: "hMailServer greets with a protocol of its own, and quotes no folder", Want: Success,
			Source: "hMailServer: https://github.com/hmailserver/hmailserver/blob/master/hmailserver/source/Server/IMAP/IMAPConnection.cpp#L127",
			Values: values{"quota_storage_used_bytes": 1024 * 79, "quota_storage_limit_bytes": 1024 * 102400},
			Server: replay("* OK IMAPrev1\r\n", answers{
				"CAPABILITY":   "* CAPABILITY IMAP4 IMAP4rev1 CHILDREN IDLE QUOTA SORT ACL NAMESPACE RIGHTS=texk\r\nTAG OK CAPABILITY completed\r\n",
				"GETQUOTAROOT": "* QUOTAROOT Team Notes (old) \"\"\r\n* QUOTA \"\" (STORAGE 79 102400)\r\nTAG OK GETQUOTAROOT completed\r\n",
			}),
		},
		Case{
			Name: "SurgeMail puts a space behind the flags", Source: "SurgeMail 80e: https://github.com/modern-email/defects/issues/48", Want: Success,
			Values: values{"mailbox_messages": 24},
			Server: replay("* OK IMAP4rev1\r\n", answers{"EXAMINE": "* FLAGS (\\Answered \\Seen $Forwarded )\r\n* OK [PERMANENTFLAGS (\\Answered $Forwarded )] Limited\r\n* 24 EXISTS\r\nTAG OK [READ-ONLY] done\r\n"}),
		},
		Case{
			Name: "SmarterMail has an empty challenge without its space, and a huge modification sequence", Want: Success,
			Source: "SmarterMail: https://github.com/closeio/sync-engine/pull/504", Account: Account{Auth: "plain"}, Values: values{"mailbox_highest_modseq": 11600044621828},
			Server: smarterMail(),
		},
		Case{
			Name: "UW sends warnings along", Source: "UW imapd 2007f: https://github.com/jstedfast/MailKit (UnitTests/Net/Imap/Resources/uw)", Want: Success,
			Server: replay("* OK [CAPABILITY IMAP4REV1 I18NLEVEL=1 LITERAL+ SASL-IR LOGIN-REFERRALS AUTH=PLAIN] mail.example.org IMAP4rev1 2007f.404 at Wed, 27 Mar 2019 09:40:23 -0400 (EDT)\r\n", answers{
				"LOGIN": "* NO [ALERT] Mailbox is open by another process, access is readonly\r\nTAG OK [CAPABILITY IMAP4REV1] User demo authenticated\r\n",
			}),
		},
		Case{
			Name: "ProtonMail Bridge can't unselect", Source: "ProtonMail: https://github.com/jstedfast/MailKit (UnitTests/Net/Imap/Resources/protonmail)", Want: Success,
			Never: []string{"UNSELECT", "GETQUOTAROOT"}, Server: replay("* OK [CAPABILITY IMAP4rev1 STARTTLS AUTH=PLAIN AUTH=LOGIN ID APPENDLIMIT] IMAP4rev1 Service Ready\r\n", answers{
				"CAPABILITY": "* CAPABILITY IMAP4rev1 AUTH=PLAIN AUTH=LOGIN ID XSTOP APPENDLIMIT\r\nTAG OK CAPABILITY Complete\r\n",
			}),
		},
	)
}
