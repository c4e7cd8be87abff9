package hostile

import (
	"encoding/base64"
	"strings"

	"imap-exporter/internal/mailtest"
)

// counts are peculiarities of real servers in counts, quotas and names.
func counts() []Case {
	return in(Quirks,
		Case{
			Name: "everything is in small letters", Source: "dings imap: https://github.com/jstedfast/MailKit (UnitTests/Net/Imap/Resources/lowercase)", Want: Success,
			Account: Account{Mailboxes: []string{"*"}}, Values: values{"mailbox_messages": 9, "quota_storage_limit_bytes": 512 * 1024},
			Server: replay("* ok [capability imap4rev1 special-use] dings imap.\r\n", answers{
				"CAPABILITY":   "* capability imap4rev1 special-use unselect quota\r\nTAG ok done\r\n",
				"EXAMINE":      "* 24 exists\r\n* ok [uidnext 31] x\r\nTAG ok done\r\n",
				"FETCH":        "* NUMBER fetch (internaldate \"17-jul-1996 02:44:25 -0700\" body[header]<0> {3}\r\nabc)\r\nTAG ok done\r\n",
				"LIST":         "* List (\\hasnochildren) \"/\" \"inbox\"\r\nTAG ok List\r\n",
				"STATUS":       "* status inbox (messages 9)\r\nTAG ok done\r\n",
				"GETQUOTAROOT": "* quotaroot inbox x\r\n* quota x (storage 10 512)\r\nTAG ok done\r\n",
			}),
		},
		Case{
			Name: "the quota root's mailbox has parentheses", Source: "Telus: https://github.com/jakartaee/mail-api/issues/32", Want: Success,
			Values: values{"quota_storage_used_bytes": 79 * 1024, "quota_messages_limit": 10000}, Server: replay("* OK hi\r\n", answers{
				"GETQUOTAROOT": "* QUOTAROOT folderB/TESTfolder(S)C \"\"\r\n* QUOTA \"\" (STORAGE 79 102401 MESSAGE 26 10000)\r\nTAG OK GETQUOTAROOT completed\r\n",
			}),
		},
		Case{
			Name: "the quota has spaces too many", Source: "several: https://github.com/modern-email/defects/issues/23", Want: Success,
			Values: values{"quota_storage_used_bytes": 1024, "quota_storage_limit_bytes": 2048},
			Server: replay("* OK hi\r\n", answers{"GETQUOTAROOT": "* QUOTA  \"a\"  ( STORAGE  1  2 ) \r\nTAG OK done\r\n"}),
		},
		Case{
			Name: "no quota root is named", Source: "GreenMail: https://github.com/greenmail-mail-test/greenmail/issues/497", Want: Success,
			Values: values{"quota_storage_limit_bytes": 1000 * 1024},
			Server: replay("* OK hi\r\n", answers{"GETQUOTAROOT": "* QUOTAROOT INBOX\r\n* QUOTA someroot (STORAGE 10 1000)\r\nTAG OK completed\r\n"}),
		},
		Case{
			Name: "the quota comes before its root", Source: "go-imap v2.0.0-beta.8 loses it: docs/decisions/0001-instrumented-connection.md", Want: Success,
			Values: values{"quota_storage_limit_bytes": 2048},
			Server: replay("* OK hi\r\n", answers{"GETQUOTAROOT": "* QUOTA a (STORAGE 1 2)\r\n* QUOTAROOT INBOX a\r\nTAG OK done\r\n"}),
		},
		Case{
			Name: "counts for NIL, and items that nobody asked for", Source: "several, of APPENDLIMIT and MAILBOXID: https://github.com/linagora/james-project/issues/5347", Want: Success,
			Values: values{"mailbox_messages": 5, "mailbox_unseen_messages": 2}, Server: replay("* OK hi\r\n", answers{
				"STATUS": "* STATUS \"INBOX\" (MESSAGES 5 APPENDLIMIT NIL MAILBOXID (F2212ea87) UNSEEN 2)\r\nTAG OK done\r\n",
			}),
		},
		Case{
			Name: "a mailbox's name comes as a literal", Source: "allowed: RFC 9051, section 5.1", Want: Success, Values: values{"mailbox_messages": 5},
			Server: replay("* OK hi\r\n", answers{"STATUS": "* STATUS {5}\r\nINBOX (MESSAGES 5)\r\nTAG OK done\r\n"}),
		},
		Case{
			Name: "a mailbox's name is in UTF-8", Source: "allowed: RFC 6855, and sent unasked by several", Want: Success, Account: Account{Mailboxes: []string{"*"}},
			Values: values{"mailbox_messages": 24 + 5}, Server: replay("* OK hi\r\n", answers{
				"LIST": "* LIST () \"/\" \"Entwürfe\"\r\nTAG OK done\r\n", "STATUS": "* STATUS \"Entwürfe\" (MESSAGES 5)\r\nTAG OK done\r\n",
			}),
		},
	)
}

// smarterMail asks for the response to AUTHENTICATE with a bare plus.
func smarterMail() mailtest.Options {
	o := replay("* OK IMAP4rev1 SmarterMail\r\n", answers{
		"CAPABILITY": "* CAPABILITY IMAP4rev1 AUTH=CRAM-MD5 AUTH=NTLM AUTH=PLAIN UIDPLUS QUOTA MOVE XLIST CHILDREN ENABLE CONDSTORE\r\nTAG OK CAPABILITY completed\r\n",
		"STATUS":     "* STATUS INBOX (MESSAGES 36 HIGHESTMODSEQ 11600044621828)\r\nTAG OK STATUS completed\r\n",
	})
	o.Handle["AUTHENTICATE"] = func(c *mailtest.Conn, cmd mailtest.Command) error {
		c.Raw("+\r\n")
		line, err := c.ReadLine()
		if err != nil {
			return err
		}
		response, err := base64.StdEncoding.DecodeString(line)
		if err != nil || !strings.HasSuffix(string(response), "\x00"+Password) {
			return c.NO(cmd.Tag, "no")
		}
		return c.OK(cmd.Tag, "PLAIN authentication successful")
	}
	return o
}
