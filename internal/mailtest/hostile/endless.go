package hostile

import (
	"fmt"
	"strings"

	"imap-exporter/internal/mailtest"
)

// fetched begins the answer to FETCH of the newest message's header.
const fetched = "* 24 FETCH (BODY[HEADER]<0> "

// endless are servers that send endless lines, endless literals, or lines without end.
func endless() []Case {
	floods := func(name, verb, begin, piece, want string) Case {
		return Case{Name: name, Want: want, Server: on(verb, flood(begin, piece))}
	}
	return in("flood",
		floods("greeting", "GREETING", "* OK ", "x", "greeting/too_large"),
		floods("text", "EXAMINE", "* OK ", "x", "select/too_large"),
		floods("code", "EXAMINE", "* OK [", "x", "select/too_large"),
		floods("atom", "EXAMINE", "* ", "x", "select/too_large"),
		floods("tag", "EXAMINE", "", "x", "select/too_large"),
		floods("spaces", "EXAMINE", "* ", " ", "select/too_large"),
		floods("NUL", "EXAMINE", "", "\x00", "select/too_large"),
		floods("quoted string", "STATUS", `* STATUS "`, "x", "status/too_large"),
		floods("capabilities", "CAPABILITY", "* CAPABILITY", " X", "capability/too_large"),
		floods("capabilities in many lines", "CAPABILITY", "", "* CAPABILITY X\r\n", "capability/too_large"),
		Case{Name: "301 capabilities", Want: "capability/too_large", Server: says("CAPABILITY", "* CAPABILITY IMAP4rev1"+many(301, " X%d")+"\r\nTAG OK\r\n")},
		floods("OK", "EXAMINE", "", "* OK still here\r\n", "select/too_large"),
		Case{Name: "9,900 responses", Want: Success, Server: on("EXAMINE", first(strings.Repeat("* OK\r\n", 9_900)))},
		Case{Name: "10,000 responses", Want: "select/too_large", Server: on("EXAMINE", hangAfter(strings.Repeat("* OK\r\n", 10_000)))},
		floods("EXISTS", "EXAMINE", "", "* 1 EXISTS\r\n", "select/too_large"),
		floods("NO", "EXAMINE", "", "* NO [ALERT] look\r\n", "select/too_large"),
		floods("FETCH", "FETCH", "", "* 24 FETCH (FLAGS (a b c))\r\n", "fetch/too_large"),
		Case{Name: "LIST", Account: Account{Mailboxes: []string{"*"}}, Want: "list/too_large", Server: on("LIST", flood("", "* LIST () \"/\" box\r\n"))},
		floods("STATUS", "STATUS", "", "* STATUS Other (MESSAGES 718001)\r\n", "status/too_large"),
		floods("empty lines", "EXAMINE", "", "\r\n", "select/too_large"),
		floods("line feeds", "EXAMINE", "", "\n", "select/too_large"),
		floods("QUOTA", "GETQUOTAROOT", "", "* QUOTA x (STORAGE 1 2)\r\n", "quota/too_large"),
		floods("QUOTA in one line", "GETQUOTAROOT", "* QUOTA x (", "STORAGE 1 2 ", "quota/too_large"),
		floods("challenges", "LOGIN", "", "+ go on\r\n", "auth/protocol"),
		floods("BYE", "LOGOUT", "", "* BYE x\r\n", Success),
		Case{Name: "descending SEARCH", Want: "select/too_large", Server: on("EXAMINE", numbered("* SEARCH %d\r\n"))},
		floods("a literal of 4 GiB, sent", "FETCH", fetched+"{4294967295}\r\n", "x", "fetch/too_large"),
		Case{Name: "a literal of 4 GiB, announced", Want: "fetch/too_large", Server: on("FETCH", hangAfter(fetched+"{4294967295}\r\n"))},
		Case{Name: "a literal of 2 MiB, announced", Want: "fetch/too_large", Server: on("FETCH", hangAfter(fetched+"{2097152}\r\n"))},
		Case{Name: "a literal of 2^63", Want: "fetch/too_large", Server: on("FETCH", hangAfter(fetched+"{9223372036854775808}\r\n"))},
		Case{Name: "a literal of 2^64", Want: "fetch/too_large", Server: on("FETCH", hangAfter(fetched+"{18446744073709551616}\r\n"))},
		Case{Name: "a literal without its bytes", Want: "fetch/timeout", Server: on("FETCH", hangAfter(fetched+"{100000}\r\n"))},
		Case{Name: "a literal and no end", Want: "fetch/timeout", Server: on("FETCH", hangAfter(fetched+"{3}\r\nabc"))},
		Case{Name: "64 literals", Want: Success, Server: on("FETCH", first("* XVENDOR ("+strings.Repeat("{1}\r\nx", 64)+")\r\n"))},
		Case{Name: "65 literals", Want: "fetch/too_large", Server: on("FETCH", hangAfter("* XVENDOR ("+strings.Repeat("{1}\r\nx", 65)))},
		floods("literals", "FETCH", fetched, "{1}\r\nx", "fetch/too_large"),
		floods("empty literals", "FETCH", fetched, "{0}\r\n", "fetch/too_large"),
		Case{Name: "16 KiB in one line", Want: Success, Server: on("EXAMINE", first("* OK "+strings.Repeat("x", 16<<10-7)+"\r\n"))},
		Case{Name: "a byte more than 16 KiB in one line", Want: "select/too_large", Server: on("EXAMINE", hangAfter("* OK "+strings.Repeat("x", 16<<10-6)+"\r\n"))},
		Case{Name: "16 KiB around literals", Want: "fetch/too_large", // Each line is short, and their sum isn't.
			Server: on("FETCH", hangAfter("* XVENDOR "+strings.Repeat(strings.Repeat("x", 800)+" {1}\r\nx", 30)))},
	)
}

// many repeats line with its number.
func many(n int, line string) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, line, i)
	}
	return b.String()
}

// nested are nested parentheses that overflow a parser's stack or make it loop forever.
func nested() []Case {
	deep, lists := strings.Repeat("(", 10_000), strings.Repeat("(a)", 300_000)
	bomb := func(name, verb, line, want string) Case {
		return Case{Name: name, Want: want, Server: on(verb, hangAfter(line+"\r\n"))}
	}
	return in("nesting",
		Case{Name: "BODYSTRUCTURE without end", Want: "fetch/too_large", Server: on("FETCH", flood("* 1 FETCH (BODYSTRUCTURE ", "("))},
		bomb("BODYSTRUCTURE", "FETCH", "* 1 FETCH (BODYSTRUCTURE "+deep, "fetch/too_large"),
		bomb("BODYSTRUCTURE before a login", "CAPABILITY", "* 1 FETCH (BODYSTRUCTURE "+deep, "capability/too_large"),
		Case{Name: "by literals", Want: "fetch/too_large", Server: on("FETCH", flood("* 1 FETCH (BODYSTRUCTURE ", "((((((((((((((((({1}\r\nx"))},
		bomb("THREAD", "FETCH", "* THREAD "+deep, "fetch/too_large"),
		bomb("STATUS", "STATUS", "* STATUS INBOX "+deep, "status/too_large"),
		bomb("QUOTA", "GETQUOTAROOT", "* QUOTA x "+deep, "quota/too_large"),
		Case{Name: "LIST", Account: Account{Mailboxes: []string{"%"}}, Want: "list/too_large", Server: on("LIST", hangAfter("* LIST "+deep+"\r\n"))},
		bomb("65 parentheses", "FETCH", "* XVENDOR "+strings.Repeat("(", 65)+strings.Repeat(")", 65), "fetch/too_large"),
		Case{Name: "64 parentheses", Want: Success, Server: on("FETCH", first("* XVENDOR "+strings.Repeat("(", 64)+strings.Repeat(")", 64)+"\r\n"))},
		Case{Name: "lists in a literal: STATUS", Want: "status/protocol", Server: statuses("* STATUS a {900000}\r\n" + lists + "\r\n")},
		Case{Name: "lists in a literal: QUOTA", Want: Success, Server: quotas("* QUOTA a {900000}\r\n" + lists + "\r\n")},
		Case{Name: "lists in a literal: LIST", Account: Account{Mailboxes: []string{"%"}}, Want: Success, Server: says("LIST",
			"* LIST () NIL a {900000}\r\n"+lists+"\r\nTAG OK\r\n")},
		// Shallow enough for a line, but deeper than any list that means something to us: it is not looked at.
		Case{Name: "a quota 20 deep", Want: Success, Values: map[string]float64{"quota_storage_used_bytes": 1024}, Server: says("GETQUOTAROOT",
			"* QUOTA deep ("+strings.Repeat("(", 20)+strings.Repeat(")", 20)+" 1 2 STORAGE 5 6)\r\n* QUOTA b (STORAGE 1 2)\r\nTAG OK\r\n")},
		Case{Name: "loop: code in the greeting", Want: Success, Server: mailtest.Options{Greeting: "* OK [CAPABILITY (\r\n"}},
		Case{Name: "loop: CAPABILITY", Want: "capability/protocol", Server: says("CAPABILITY", "* CAPABILITY (\r\nTAG OK\r\n")},
		Case{Name: "loop: CAPABILITY, later", Want: Success, Server: on("FETCH", first("* CAPABILITY (\r\n"))},
		Case{Name: "loop: ENABLED", Want: Success, Server: on("EXAMINE", first("* ENABLED (\r\n"))},
		Case{Name: "loop: tagged code", Want: Success, Server: mailtest.Options{Handle: map[string]mailtest.Handler{
			"EXAMINE": answer("* 0 EXISTS\r\nTAG OK [CAPABILITY x(\r\n"), "UNSELECT": answer("TAG OK\r\n"),
		}}},
		Case{Name: "range bomb", Want: Success, Server: on("EXAMINE",
			first("* ESEARCH (TAG \"x\") ALL 1:4294967295\r\n* OK [COPYUID 1 1:4294967295 1:4294967295] x\r\n"))},
		Case{Name: "range bomb, VANISHED", Want: Success, Server: on("FETCH", first("* VANISHED (EARLIER) 1:4294967295\r\n"))},
		Case{Name: "unterminated code", Want: "auth/rejected", Server: says("LOGIN", "TAG NO [ALERT unterminated\r\n")},
		Case{Name: "unterminated string", Want: "status/protocol", Server: says("STATUS", "* STATUS \"INBOX (MESSAGES 1)\r\nTAG OK\r\n")},
		Case{Name: "lists that nobody closes", Want: "status/protocol", Server: says("STATUS", "* STATUS INBOX (MESSAGES 1\r\nTAG OK\r\n")},
		Case{Name: "lists that nobody opened", Want: Success, Server: on("EXAMINE", first("* FLAGS ))))\r\n"))},
	)
}

// slow are servers that send a few bytes at a time without end, so that no pause is long (slowloris).
func slow() []Case {
	slowly := func(name, verb, begin, piece, want string) Case {
		return Case{Name: name, Want: want, Server: on(verb, sendSlowly(begin, piece))}
	}
	return in("slowloris",
		slowly("greeting", "GREETING", "", "*", "greeting/timeout"),
		slowly("line", "EXAMINE", "", "x", "select/timeout"),
		slowly("responses", "EXAMINE", "", "* OK still here\r\n", "select/timeout"),
		slowly("empty lines", "LOGIN", "", "\r\n", "auth/timeout"),
		slowly("literal", "FETCH", fetched+"{90000}\r\n", "x", "fetch/timeout"),
		slowly("capabilities", "CAPABILITY", "* CAPABILITY", " X", "capability/timeout"),
		slowly("counts", "STATUS", "* STATUS INBOX (", "MESSAGES 1 ", "status/timeout"),
		Case{Name: "after BYE", Want: Success, Slow: true, Server: on("LOGOUT", sendSlowly("* BYE see you\r\n", "* BYE x\r\n"))},
		Case{Name: "an honest server, byte by byte", Want: Success, Server: mailtest.Options{Chunk: 1}},
	)
}
