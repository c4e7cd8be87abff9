package hostile

import (
	"fmt"
	"strings"

	"imap-exporter/internal/mailtest"
)

// tampered are servers for which somebody on the network path injects responses in clear text, before TLS. A probe must
// succeed, and report nothing of it.
func tampered() []Case {
	var cases []Case
	for name, data := range map[string]string{
		"LIST":       "* LIST (\\HasNoChildren) \"/\" \"Archive 718001\"\r\n",
		"LSUB":       "* LSUB () \"/\" \"Archive 718001\"\r\n",
		"STATUS":     "* STATUS INBOX (MESSAGES 718001 UNSEEN 718002 SIZE 54321)\r\n",
		"other":      "* STATUS Sent (MESSAGES 718001)\r\n",
		"SEARCH":     "* SEARCH 54321\r\n",
		"FLAGS":      "* FLAGS (\\Seen X-INJECTED)\r\n",
		"EXISTS":     "* 54321 EXISTS\r\n",
		"RECENT":     "* 54321 RECENT\r\n",
		"EXPUNGE":    "* 54321 EXPUNGE\r\n",
		"FETCH":      "* 1 FETCH (BODY[HEADER] {24}\r\nSubject: call 718001\r\n\r\n)\r\n",
		"QUOTA":      "* QUOTA \"root 718001\" (STORAGE 718001 718002)\r\n",
		"ALERT":      "* NO [ALERT] call 54321\r\n",
		"UIDNEXT":    "* OK [UIDNEXT 718001] hi\r\n",
		"a referral": "* OK [REFERRAL IMAPS://718001.example.org/] hi\r\n",
		"capability": "* CAPABILITY IDLE\r\n",
		"CAPABILITY": "* OK [CAPABILITY IMAP4rev1 STARTTLS X-INJECTED] hi\r\n",
		"identity":   "* ID (\"name\" \"718001\")\r\n",
	} {
		for _, when := range []struct{ name, verb string }{{"after the greeting", "CAPABILITY"}, {"before STARTTLS", "STARTTLS"}} {
			cases = append(cases, Case{
				Name: name + " " + when.name, Mode: inClear, Want: Success, Values: map[string]float64{"mailbox_messages": 24},
				Server: on(when.verb, onlyInClear(data)),
			})
		}
	}
	return append(in("tampering", cases...), in("tampering",
		Case{
			Name: "capabilities with the OK of STARTTLS", Mode: inClear, Want: Success, Never: []string{"GETQUOTAROOT", "UNSELECT"},
			Values: map[string]float64{"quota_supported": 0}, Server: mailtest.Options{
				Capabilities: announce("IMAP4rev1 STARTTLS", "IMAP4rev1"),
				Handle: map[string]mailtest.Handler{
					"STARTTLS": both(answer("TAG OK [CAPABILITY IMAP4rev1 QUOTA UNSELECT X-INJECTED] begin\r\n"), shake),
				},
			},
		},
		Case{
			Name: "capabilities in clear text", Mode: inClear, Want: Success, Never: []string{"GETQUOTAROOT", "ID", "UNSELECT"}, Account: Account{SendID: true},
			Values: map[string]float64{"quota_supported": 0}, Server: mailtest.Options{
				Capabilities: func(stage mailtest.Stage, _ []string) []string {
					if stage == mailtest.BeforeTLS {
						return strings.Fields("IMAP4rev1 STARTTLS QUOTA UNSELECT ID SASL-IR LITERAL+ X-INJECTED")
					}
					return []string{"IMAP4rev1"}
				},
			},
		},
		Case{Name: "mechanisms in clear text", Mode: inClear, Account: Account{Auth: "plain"}, Want: "auth/mechanism", Server: mailtest.Options{
			Capabilities: func(stage mailtest.Stage, _ []string) []string {
				if stage == mailtest.BeforeTLS {
					return strings.Fields("IMAP4rev1 STARTTLS AUTH=PLAIN")
				}
				return []string{"IMAP4rev1"}
			},
		}},
	)...)
}

// onlyInClear sends data before the ordinary answer, as long as there is no TLS.
func onlyInClear(data string) mailtest.Handler {
	return func(c *mailtest.Conn, cmd mailtest.Command) error {
		if !c.TLS() {
			c.Raw(data)
		}
		return c.Default(cmd)
	}
}

// spoofed are servers whose texts are meant to mislead the user.
func spoofed() []Case {
	var cases []Case
	for _, code := range []string{"ALERT", "BADCHARSET (X)", "PARSE"} {
		words := fmt.Sprintf("[%s] <script>alert('call us')</script>\r\n", code)
		cases = append(cases,
			Case{Name: "greeting OK " + code, Mode: inClear, Want: Success, Server: mailtest.Options{Greeting: "* OK " + words}},
			Case{Name: "greeting NO " + code, Mode: inClear, Want: "greeting/protocol", Server: mailtest.Options{Greeting: "* NO " + words}},
			Case{Name: "LOGIN NO " + code, Want: "auth/rejected", Server: says("LOGIN", "TAG NO "+words)},
		)
	}
	return in("UI spoofing", append(cases,
		Case{Name: "STARTTLS OK ALERT", Mode: inClear, Want: Success, Server: on("STARTTLS", both(answer("TAG OK [ALERT] <b>call us</b>\r\n"), shake))},
		Case{
			Name: "a mailbox that is markup", Want: Success, Account: Account{Mailboxes: []string{"*"}}, Values: map[string]float64{"mailbox_messages": 24 + 5},
			Server: mailtest.Options{Handle: map[string]mailtest.Handler{
				"LIST":   answer("* LIST () \"/\" \"<img src=x onerror=alert(1)>\"\r\nTAG OK done\r\n"),
				"STATUS": answer("* STATUS \"<img src=x onerror=alert(1)>\" (MESSAGES 5)\r\nTAG OK done\r\n"),
			}},
		},
	)...)
}

// others are the remaining groups of the catalogue.
func others() []Case {
	greets := func(name, greeting, want string) Case {
		return Case{Name: name, Want: want, Server: mailtest.Options{Greeting: greeting}}
	}
	mechanisms := strings.Repeat("AUTH=X-1234 AUTH=GSSAPI AUTH=NTLM ", 20)
	return in("others",
		greets("greeting OK", "* OK\r\n", Success),
		greets("greeting NO", "* NO no\r\n", "greeting/protocol"),
		greets("greeting BAD", "* BAD no\r\n", "greeting/protocol"),
		greets("greeting BYE", "* BYE go away\r\n", "greeting/bye"),
		greets("greeting BYE with a code", "* BYE [UNAVAILABLE] down\r\n", "greeting/unavailable"),
		greets("a line ahead of the greeting", "hello there\r\n* OK hi\r\n", "greeting/protocol"),
		greets("data ahead of the greeting", "* 5 EXISTS\r\n* OK hi\r\n", "greeting/protocol"),
		greets("empty lines ahead of the greeting", "\r\n\r\n* OK hi\r\n", Success),
		greets("a tagged greeting", "A1 OK hi\r\n", "greeting/protocol"),
		greets("a greeting that wants more", "+ go on\r\n", "greeting/protocol"),
		greets("two greetings", "* OK hi\r\n* OK hi again\r\n", Success),
		greets("a greeting of nothing", "*\r\n", "greeting/protocol"),
		greets("POP3", "+OK POP3 ready\r\n", "greeting/protocol"),
		greets("SMTP", "220 mx ESMTP\r\n", "greeting/protocol"),
		greets("HTTP", "HTTP/1.1 400 Bad Request\r\n\r\n", "greeting/protocol"),
		greets("SSH", "SSH-2.0-OpenSSH_9.2\r\n", "greeting/protocol"),
		Case{Name: "no IMAP4rev1", Want: Success, Server: mailtest.Options{Capabilities: announce("IDLE", "IDLE")}},
		Case{
			Name: "60 mechanisms, not ours", Account: Account{Auth: "auto"}, Want: "auth/login_disabled",
			Server: mailtest.Options{Capabilities: announce("IMAP4rev1 LOGINDISABLED "+mechanisms, "IMAP4rev1")},
		},
		Case{Name: "60 mechanisms", Want: Success, Server: mailtest.Options{Capabilities: announce("IMAP4rev1 "+mechanisms, "IMAP4rev1")}},
		Case{
			Name: "no mechanism of ours", Account: Account{Auth: "plain"}, Want: "auth/mechanism",
			Server: mailtest.Options{Capabilities: announce("IMAP4rev1 AUTH=GSSAPI", "IMAP4rev1")},
		},
		Case{Name: "UTF8=ONLY", Want: Success, Server: mailtest.Options{Capabilities: announce("IMAP4rev1 UTF8=ONLY", "IMAP4rev1 UTF8=ONLY")}},
		Case{Name: "IMAPSIEVE=", Want: Success, Server: mailtest.Options{Capabilities: announce("IMAP4rev1 IMAPSIEVE=sieve://x", "IMAP4rev1 IMAPSIEVE=")}},
		Case{Name: "LOGINDISABLED", Want: "auth/login_disabled", Server: mailtest.Options{Capabilities: announce("IMAP4rev1 LOGINDISABLED", "IMAP4rev1")}},
		Case{
			Name: "LOGINDISABLED in clear text", Mode: mailtest.ModePlain, Want: "auth/login_disabled",
			Server: mailtest.Options{Capabilities: announce("IMAP4rev1 LOGINDISABLED", "IMAP4rev1")},
		},
	)
}
