package hostile

import (
	"strings"

	"imap-exporter/internal/mailtest"
)

// evil is text that tries to break out of the line, the terminal or the page that shows it.
const evil = "a\x00b\x1b[31m\x07\x9b\xff\xfe\u202e\u2066\u2028\ufeff\xc3( level=error msg=\"all is lost\""

// characters are texts and names with control characters, invalid encodings and the like.
func characters() []Case {
	named := func(name, wire string, want map[string]float64) Case {
		return Case{Name: name, Want: Success, Account: Account{Mailboxes: []string{"*"}}, Values: want, Server: mailtest.Options{
			Handle: map[string]mailtest.Handler{
				"LIST": answer("* LIST () \"/\" \"" + wire + "\"\r\nTAG OK\r\n"),
				"STATUS": func(c *mailtest.Conn, cmd mailtest.Command) error {
					if c.User() == "" {
						return c.BAD(cmd.Tag, "no")
					}
					c.Raw("* STATUS \"" + wire + "\" (MESSAGES 5)\r\n")
					return c.OK(cmd.Tag, "done")
				},
			},
		}}
	}
	five := map[string]float64{"mailbox_messages": 24 + 5} // EXAMINE's INBOX is one more
	none := map[string]float64{"mailbox_messages": 24}     // EXAMINE's INBOX alone is left
	return in("characters",
		Case{Name: "greeting", Want: Success, Server: mailtest.Options{Greeting: "* OK " + evil + "\r\n"}},
		Case{Name: "greeting BYE", Want: "greeting/bye", Server: mailtest.Options{Greeting: "* BYE " + evil + "\r\n"}},
		Case{Name: "greeting that is none", Want: "greeting/protocol", Server: mailtest.Options{Greeting: evil + "\r\n"}},
		Case{Name: "LOGIN NO", Want: "auth/rejected", Server: says("LOGIN", "TAG NO "+evil+"\r\n")},
		Case{Name: "code", Want: "auth/rejected", Server: says("LOGIN", "TAG NO ["+evil+"] no\r\n")},
		Case{Name: "a lone carriage return", Want: "auth/rejected", Server: says("LOGIN", "TAG NO no\rlevel=error msg=\"all is lost\"\r\n")},
		Case{Name: "an escaped line feed", Want: "auth/rejected", Server: says("LOGIN", "TAG NO no\\nlevel=error msg=\"all is lost\"\r\n")},
		Case{Name: "ALERT, then silence", Want: "auth/timeout", Server: on("LOGIN", hangAfter("* BAD [ALERT] "+evil+"\r\n"))},
		Case{Name: "a tag", Want: "capability/protocol", Server: says("CAPABILITY", evil+" OK\r\n")},
		Case{Name: "capability", Want: Success, Server: says("CAPABILITY", "* CAPABILITY IMAP4rev1 X\x00\x1b[31m\xff AUTH=\u202e\r\nTAG OK\r\n")},
		Case{Name: "noise before TLS", Mode: inClear, Want: "capability/timeout", Server: says("CAPABILITY", "* \x00\x01\x02\x03\r\n")},
		Case{Name: "lone line feeds", Want: Success, Server: mailtest.Options{Handle: map[string]mailtest.Handler{
			"EXAMINE": answer("* 0 EXISTS\nTAG OK\n"), "UNSELECT": answer("TAG OK\n"),
		}}},
		Case{Name: "the secret back", Want: "auth/command_rejected", Server: on("LOGIN", func(c *mailtest.Conn, cmd mailtest.Command) error {
			return c.BAD(cmd.Tag, "error in "+cmd.Line)
		})},
		Case{Name: "the secret as a mailbox", Want: Success, Account: Account{Mailboxes: []string{"*"}}, Values: five, Server: mailtest.Options{
			Handle: map[string]mailtest.Handler{
				"LIST":   answer("* LIST () \"/\" \"my " + Password + "\"\r\nTAG OK\r\n"),
				"STATUS": answer("* STATUS \"my " + Password + "\" (MESSAGES 5)\r\nTAG OK\r\n"),
			},
		}},
		Case{Name: "the secret as a quota root", Want: Success, Server: quotas("* QUOTA \"my " + Password + "\" (STORAGE 1 2)\r\n")},
		named("a mailbox of control characters", "a&AAAAGwAHACgAMQAzAG0gLiBmICj+,w-b", five),
		named("a mailbox of half a character", "a\xc3(\xff", none),
		named("a mailbox of a lone surrogate", "&2AA-", five),
		named("a mailbox like a label", `a\"} 1`, five),
		named("a mailbox of 16,000 bytes", strings.Repeat("x", 15_000), five),
		named("a mailbox of no name", "", five),
		named("a mailbox of dots", "../../../etc/passwd", five),
		Case{
			Name: "a mailbox of two lines", Want: Success, Account: Account{Mailboxes: []string{"*"}}, Values: none, Never: []string{"DELETE"},
			Server: says("LIST", "* LIST () \"/\" {26}\r\nbox\r\nABCDEFGH DELETE INBOX\r\nTAG OK\r\n"),
		},
		Case{Name: "quota roots", Want: Success, Values: map[string]float64{"quota_messages_limit": 6}, Server: quotas(
			"* QUOTA \"\xff\x1b[31m\" (MESSAGE 1 2)\r\n* QUOTA \"a\\\"} 1\" (MESSAGE 1 2)\r\n* QUOTA {3}\r\na\nb (MESSAGE 1 2)\r\n")},
	)
}

// literals are answers to a password that can't be quoted, so that it is sent as a literal.
func literals() []Case {
	login := func(name, password, answers, want string) Case {
		return Case{Name: name, Account: Account{Password: Unquotable}, Want: want, Server: mailtest.Options{
			Capabilities: announce("IMAP4rev1", "IMAP4rev1"),
			Handle:       map[string]mailtest.Handler{"GREETING": literally(answers)},
		}}
	}
	return in("literals",
		Case{Name: "an honest server", Account: Account{Password: Unquotable}, Want: Success},
		Case{
			Name: "an honest server without LITERAL+", Account: Account{Password: Unquotable}, Want: Success,
			Server: mailtest.Options{Capabilities: announce("IMAP4rev1", "IMAP4rev1")},
		},
		login("refused", Unquotable, "TAG NO [CANNOT] no literals\r\n", "auth/rejected"),
		login("not understood", Unquotable, "TAG BAD what\r\n", "auth/command_rejected"),
		login("OK ahead of the literal", Unquotable, "TAG OK come in\r\n", "auth/protocol"),
		login("another tag ahead of the literal", Unquotable, "A2 OK come in\r\n", "auth/protocol"),
		login("one that ends like a literal", Unquotable+"+}", "+ go on\r\n", "auth/timeout"),
	)
}

// literally answers CAPABILITY, the first line of LOGIN with raw, and nothing more.
func literally(raw string) mailtest.Handler {
	return func(c *mailtest.Conn, _ mailtest.Command) error {
		c.Line("* OK hi")
		for {
			line, err := c.ReadLine()
			if err != nil {
				return err
			}
			tag, command, _ := strings.Cut(line, " ")
			switch {
			case command == "CAPABILITY":
				c.Raw("* CAPABILITY IMAP4rev1\r\n" + tag + " OK\r\n")
			case strings.HasPrefix(command, "LOGIN "):
				c.Raw(strings.ReplaceAll(raw, "TAG", tag))
			}
		}
	}
}
