package hostile

import (
	"strings"

	"imap-exporter/internal/mailtest"
)

// injected are answers sent before their command, for another command, or twice.
func injected() []Case {
	var guesses strings.Builder
	for _, tag := range []string{"1", "2", "A1", "A001", "a2", "T1", "T2", "A00000001", "0.1", "RUBY0002"} {
		guesses.WriteString(tag + " OK done\r\n")
	}
	const caps = "* CAPABILITY IMAP4rev1\r\n"
	return in("injection",
		Case{Name: "guessed tags", Want: "capability/protocol", Server: mailtest.Options{Greeting: "* OK hi\r\n" + guesses.String()}},
		Case{Name: "guessed tags in clear text", Mode: inClear, Want: "capability/protocol", Server: mailtest.Options{Greeting: "* OK hi\r\n" + guesses.String()}},
		Case{Name: "guessed tags after an answer", Want: "auth/protocol", Server: says("CAPABILITY", caps+"TAG OK\r\n"+guesses.String())},
		Case{Name: "STARTTLS answered ahead", Mode: inClear, Want: "starttls/protocol", Server: says("CAPABILITY", "* CAPABILITY IMAP4rev1 STARTTLS\r\nTAG OK\r\nA2 OK begin\r\n")},
		Case{Name: "another's tag", Want: "capability/protocol", Server: says("CAPABILITY", caps+"T1 OK done\r\n")},
		Case{Name: "another's tag first", Want: "capability/protocol", Server: says("CAPABILITY", "T2 OK done\r\n"+caps+"TAG OK done\r\n")},
		Case{Name: "another's refusal", Want: "capability/protocol", Server: says("CAPABILITY", "T2 NO done\r\n"+caps+"TAG OK done\r\n")},
		Case{Name: "the tag twice", Want: "auth/protocol", Server: says("CAPABILITY", caps+"TAG OK\r\nTAG OK\r\n")},
		Case{Name: "the tag, and one more letter", Want: "capability/protocol", Server: says("CAPABILITY", caps+"TAGA OK\r\n")},
		Case{Name: "the tag in small letters", Want: "capability/protocol", Server: on("CAPABILITY", func(c *mailtest.Conn, cmd mailtest.Command) error {
			c.Raw(caps + strings.ToLower(cmd.Tag) + "x OK\r\n")
			return nil
		})},
		Case{Name: "the tag in a literal", Want: "capability/timeout", Server: on("CAPABILITY", func(c *mailtest.Conn, cmd mailtest.Command) error {
			c.Line("* XVENDOR {%d}\r\n%s OK\r\n", len(cmd.Tag)+5, cmd.Tag)
			return c.Hang()
		})},
		Case{Name: "a tagged BYE", Want: "capability/protocol", Server: says("CAPABILITY", "TAG BYE no\r\n")},
		Case{Name: "a tagged CAPABILITY", Want: "capability/protocol", Server: says("CAPABILITY", "TAG CAPABILITY IMAP4rev1\r\n")},
		Case{Name: "a tag alone", Want: "capability/protocol", Server: says("CAPABILITY", "TAG\r\n")},
		Case{Name: "more is wanted", Want: "capability/protocol", Server: says("CAPABILITY", "+ go on\r\n")},
		Case{Name: "LOGIN wants a literal", Want: "auth/protocol", Server: says("LOGIN", "+ go on\r\n")},
		Case{Name: "EXAMINE wants more, late", Want: "fetch/protocol", Server: says("EXAMINE", "* 24 EXISTS\r\nTAG OK\r\n+ go on\r\n")},
		Case{Name: "the next answer is here already", Want: "fetch/protocol", Server: says("EXAMINE", "* 24 EXISTS\r\nTAG OK\r\nT9 OK\r\n")},
		Case{Name: "CAPABILITY OK without capabilities", Want: "capability/protocol", Server: says("CAPABILITY", "TAG OK done\r\n")},
		Case{Name: "SELECT OK without EXISTS", Want: "select/protocol", Server: says("EXAMINE", "TAG OK done\r\n")},
		Case{Name: "STATUS OK without counts", Want: "status/protocol", Server: says("STATUS", "TAG OK done\r\n")},
		Case{Name: "SCRAM OK without the server's proof", Account: Account{Auth: "scram-sha-256"}, Want: "auth/protocol", Server: says("AUTHENTICATE", "TAG OK done\r\n")},
		Case{
			Name: "SCRAM with 2^31 iterations", Account: Account{Auth: "scram-sha-256"}, Want: "auth/too_large",
			Server: on("AUTHENTICATE", scramOf("2147483647")),
		},
		Case{
			Name: "SCRAM with 2^63 iterations", Account: Account{Auth: "scram-sha-256"}, Want: "auth/too_large",
			Server: on("AUTHENTICATE", scramOf("9223372036854775808")),
		},
		Case{
			Name: "SCRAM with a negative count", Account: Account{Auth: "scram-sha-256"}, Want: "auth/protocol",
			Server: on("AUTHENTICATE", scramOf("-1")),
		},
		Case{Name: "a challenge that is no base64", Account: Account{Auth: "plain"}, Want: "auth/protocol", Server: mailtest.Options{
			Capabilities: announce("IMAP4rev1 AUTH=PLAIN AUTH=SCRAM-SHA-256", "IMAP4rev1"),
			Handle:       map[string]mailtest.Handler{"AUTHENTICATE": answer("+\r\n+ !!!\r\n")},
		}},
		Case{
			Name: "challenges without end", Account: Account{Auth: "xoauth2"}, Want: "auth/protocol",
			Server: on("AUTHENTICATE", flood("", "+ e30=\r\n")),
		},
	)
}

// scramOf is a server that demands this number of iterations.
func scramOf(iterations string) mailtest.Handler {
	return func(c *mailtest.Conn, cmd mailtest.Command) error { return scramFirst(c, cmd, iterations) }
}
