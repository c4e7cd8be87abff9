package hostile

import (
	"fmt"

	"imap-exporter/internal/mailtest"
)

// inClear is the mode in which somebody on the network path can speak for the server.
const inClear = mailtest.ModeStartTLS

// withoutSTARTTLS are servers, or attackers in front of them, that don't offer STARTTLS or refuse it (STARTTLS stripping).
func withoutSTARTTLS() []Case {
	return in("STARTTLS stripping",
		Case{
			Name: "no STARTTLS offered", Mode: inClear, Want: "starttls/starttls_refused",
			Server: says("CAPABILITY", "* CAPABILITY IMAP4rev1 AUTH=PLAIN\r\nTAG OK done\r\n"),
		},
		Case{Name: "CAPABILITY is BAD", Mode: inClear, Want: "capability/command_rejected", Server: says("CAPABILITY", "TAG BAD what\r\n")},
		Case{Name: "CAPABILITY is NO", Mode: inClear, Want: "capability/command_rejected", Server: says("CAPABILITY", "TAG NO no\r\n")},
		Case{Name: "STARTTLS is NO", Mode: inClear, Want: "starttls/starttls_refused", Server: says("STARTTLS", "TAG NO not today\r\n")},
		Case{Name: "STARTTLS is BAD", Mode: inClear, Want: "starttls/starttls_refused", Server: says("STARTTLS", "TAG BAD what\r\n")},
		Case{Name: "STARTTLS wants more", Mode: inClear, Want: "starttls/protocol", Server: says("STARTTLS", "+ continue with something.\r\n")},
		Case{Name: "STARTTLS is private", Mode: inClear, Want: "starttls/plaintext_refused", Server: says("STARTTLS", "TAG NO [PRIVACYREQUIRED] no\r\n")},
		Case{Name: "STARTTLS is BYE", Mode: inClear, Want: "starttls/bye", Server: says("STARTTLS", "* BYE no\r\n")},
		Case{Name: "STARTTLS is a tagged PREAUTH", Mode: inClear, Want: "starttls/protocol", Server: says("STARTTLS", "TAG PREAUTH come in\r\n")},
		Case{
			Name: "STARTTLS, then clear text", Mode: inClear, Want: "tls/tls",
			Server: on("STARTTLS", both(answer("TAG OK begin\r\n"), onHello(hangAfter("* OK still here\r\n")))),
		},
		Case{
			Name: "STARTTLS in capitals and small", Mode: inClear, Want: Success,
			Server: mailtest.Options{
				Capabilities: announce("imap4rev1 StartTLS", "IMAP4rev1"),
				Handle:       map[string]mailtest.Handler{"STARTTLS": both(answer("TAG OK begin\r\n"), shake)},
			},
		},
	)
}

// preauth are servers that greet with PREAUTH, so that a client might skip TLS.
func preauth() []Case {
	greets := func(name, greeting string) Case {
		return Case{Name: name, Mode: inClear, Want: "greeting/preauth", Server: mailtest.Options{Greeting: greeting}}
	}
	return in("PREAUTH",
		greets("PREAUTH", "* PREAUTH welcome\r\n"),
		greets("PREAUTH with STARTTLS", "* PREAUTH [CAPABILITY IMAP4rev1 STARTTLS] welcome\r\n"),
		greets("PREAUTH without STARTTLS", "* PREAUTH [CAPABILITY IMAP4rev1] welcome\r\n"),
		greets("PREAUTH with LOGINDISABLED", "* PREAUTH [CAPABILITY IMAP4rev1 STARTTLS LOGINDISABLED] welcome\r\n"),
		greets("PREAUTH with mechanisms", "* PREAUTH [CAPABILITY IMAP4rev1 AUTH=PLAIN AUTH=LOGIN] welcome\r\n"),
		greets("PREAUTH with later capabilities", "* PREAUTH [CAPABILITY IMAP4rev1 UNSELECT QUOTA MAILBOX-REFERRALS] welcome\r\n"),
		greets("PREAUTH in small letters", "* preauth welcome\r\n"),
		Case{Name: "PREAUTH inside TLS", Want: "greeting/preauth", Server: mailtest.Options{Greeting: "* PREAUTH welcome\r\n"}},
		Case{Name: "PREAUTH later on", Want: Success, Server: on("CAPABILITY", first("* PREAUTH welcome\r\n"))},
	)
}

// disguised are servers that pretend to be old ones without STARTTLS.
func disguised() []Case {
	return in("disguise",
		Case{Name: "no capabilities", Mode: inClear, Want: "capability/protocol", Server: says("CAPABILITY", "TAG OK done\r\n")},
		Case{
			Name: "IMAP4 in the greeting", Mode: inClear, Want: "starttls/starttls_refused",
			Server: mailtest.Options{Greeting: "* OK [CAPABILITY IMAP4] hi\r\n", Capabilities: announce("IMAP4", "IMAP4")},
		},
		Case{Name: "IMAP4 alone", Mode: inClear, Want: "starttls/starttls_refused", Server: says("CAPABILITY", "* CAPABILITY IMAP4\r\nTAG OK done\r\n")},
		Case{Name: "STARTTLS only in the greeting", Mode: inClear, Want: "starttls/starttls_refused", Server: mailtest.Options{
			Greeting: "* OK [CAPABILITY IMAP4rev1 STARTTLS] hi\r\n", Capabilities: announce("IMAP4rev1 AUTH=PLAIN", "IMAP4rev1"),
		}},
		Case{
			Name: "STARTTLS only in the tagged OK", Mode: inClear, Want: "starttls/starttls_refused",
			Server: says("CAPABILITY", "* CAPABILITY IMAP4rev1\r\nTAG OK [CAPABILITY IMAP4rev1 STARTTLS] done\r\n"),
		},
		Case{
			Name: "a login is invited", Mode: inClear, Want: "starttls/starttls_refused",
			Server: mailtest.Options{Capabilities: announce("IMAP4rev1 AUTH=PLAIN AUTH=LOGIN SASL-IR LITERAL+", "IMAP4rev1")},
		},
	)
}

// referrals are servers that refer the client to another server (RFC 2221, RFC 2193).
func referrals(elsewhere string) []Case {
	referral := fmt.Sprintf("[REFERRAL IMAP://user;AUTH=*@%s/]", elsewhere)
	mailbox := fmt.Sprintf("[REFERRAL IMAP://user;AUTH=*@%s/INBOX]", elsewhere)
	return in("referral",
		Case{Name: "login NO", Want: "auth/rejected", Server: says("LOGIN", "TAG NO "+referral+" go there\r\n")},
		Case{Name: "login OK", Want: Success, Server: on("LOGIN", first("* OK "+referral+" there it is quicker\r\n"))},
		Case{Name: "login tagged OK", Want: "select/command_rejected", // It never logged us in.
			Server: says("LOGIN", "TAG OK "+referral+" there it is quicker\r\n")},
		Case{Name: "login BYE", Want: "auth/bye", Server: says("LOGIN", "* BYE "+referral+" go there\r\n")},
		Case{Name: "PLAIN NO", Want: "auth/rejected", Account: Account{Auth: "plain"}, Server: says("AUTHENTICATE", "TAG NO "+referral+" go there\r\n")},
		Case{Name: "PLAIN BYE", Want: "auth/bye", Account: Account{Auth: "plain"}, Server: says("AUTHENTICATE", "* BYE "+referral+" go there\r\n")},
		Case{Name: "greeting", Want: "greeting/bye", Server: mailtest.Options{Greeting: "* BYE " + referral + " go there\r\n"}},
		Case{Name: "greeting in clear", Mode: inClear, Want: "greeting/bye", Server: mailtest.Options{Greeting: "* BYE " + referral + " go there\r\n"}},
		Case{Name: "STARTTLS NO", Mode: inClear, Want: "starttls/starttls_refused", Server: says("STARTTLS", "TAG NO "+referral+" go there\r\n")},
		Case{
			Name: "PREAUTH, then a mailbox", Mode: inClear, Want: "greeting/preauth",
			Server: mailtest.Options{Greeting: "* PREAUTH " + mailbox + " welcome\r\n"},
		},
		Case{Name: "mailbox after STARTTLS", Mode: inClear, Want: "select/command_rejected", Server: says("EXAMINE", "TAG NO "+mailbox+" go there\r\n")},
		Case{Name: "mailbox", Want: "select/command_rejected", Server: says("EXAMINE", "TAG NO "+mailbox+" go there\r\n")},
		Case{Name: "counts", Want: "status/command_rejected", Server: says("STATUS", "TAG NO "+mailbox+" go there\r\n")},
		Case{Name: "on the way", Want: Success, Server: on("EXAMINE", first("* OK "+mailbox+" go there\r\n"))},
	)
}

// buffered are servers that send more in clear text than the answer to STARTTLS (CVE-2011-0411 and similar ones).
func buffered() []Case {
	starttls := func(name, raw, want string) Case {
		return Case{Name: name, Mode: inClear, Want: want, Server: on("STARTTLS", both(answer(raw), shake))}
	}
	const injection = "starttls/starttls_injection"
	return in("buffering",
		starttls("an answer to CAPABILITY", "TAG OK begin\r\n* CAPABILITY IMAP4rev1 X-INJECTED\r\n2 OK done\r\n", injection),
		starttls("an answer to LOGIN", "TAG OK begin\r\nA2 OK logged in\r\n", injection),
		starttls("ALERT behind", "TAG OK begin\r\n* OK [ALERT] call 54321\r\n", injection),
		starttls("BYE behind", "TAG OK begin\r\n* BYE see you\r\n", injection),
		starttls("half a line behind", "TAG OK begin\r\n* O", injection),
		starttls("one byte behind", "TAG OK begin\r\n*", injection),
		starttls("a line end behind", "TAG OK begin\r\n\r\n", injection),
	)
}
