package hostile

import (
	"imap-exporter/internal/mailtest"
)

// broken are servers that send BYE, reset, close or stop answering, at each step of the conversation.
func broken() []Case {
	var cases []Case
	for _, step := range []struct{ verb, phase string }{
		{"GREETING", "greeting"},
		{"CAPABILITY", "capability"},
		{"LOGIN", "auth"},
		{"AUTHENTICATE", "auth"},
		{"ID", "id"},
		{"EXAMINE", "select"},
		{"FETCH", "fetch"},
		{"UNSELECT", "unselect"},
		{"LIST", "list"},
		{"STATUS", "status"},
		{"GETQUOTAROOT", "quota"},
		{"LOGOUT", ""},
	} {
		account := Account{SendID: step.verb == "ID"}
		if step.verb == "LIST" {
			account.Mailboxes = []string{"*"}
		}
		if step.verb == "AUTHENTICATE" {
			account.Auth = "plain"
		}
		for _, fault := range []struct {
			name, reason string
			handler      mailtest.Handler
		}{
			{"BYE", "unavailable", bye},
			{"a reset", "reset", reset},
			{"the end", "reset", drop},
			{"half the end", "reset", halfClose},
			{"half a line, and the end", "reset", dropAfter("TAG OK half a li")},
			{"silence", "timeout", hang},
		} {
			want := step.phase + "/" + fault.reason
			if step.phase == "" {
				want = Success // LOGOUT never fails a probe.
			}
			cases = append(cases, Case{Name: fault.name + " at " + step.verb, Account: account, Want: want, Slow: fault.reason == "timeout", Server: on(step.verb, fault.handler)})
		}
	}
	for _, fault := range []struct {
		name, reason string
		handler      mailtest.Handler
	}{
		{"BYE", "unavailable", bye}, {"a reset", "reset", reset}, {"the end", "reset", drop}, {"silence", "timeout", hang},
	} {
		cases = append(cases,
			Case{Name: fault.name + " at STARTTLS", Mode: inClear, Want: "starttls/" + fault.reason, Server: on("STARTTLS", fault.handler)},
			Case{Name: fault.name + " at CAPABILITY in clear text", Mode: inClear, Want: "capability/" + fault.reason, Server: on("CAPABILITY", fault.handler)},
		)
	}
	return in("broken", append(cases,
		Case{Name: "the end within a literal", Want: "fetch/reset", Server: on("FETCH", dropAfter(fetched+"{500}\r\nhalf of it"))},
		Case{Name: "BYE to a mailbox of a pattern", Want: "status/bye", Account: Account{Mailboxes: []string{"*"}}, Server: says("STATUS", "* BYE enough\r\n")},
		Case{Name: "BYE along with an OK", Want: "auth/unavailable", Server: on("CAPABILITY", both(
			answer("* CAPABILITY IMAP4rev1\r\nTAG OK\r\n* BYE [UNAVAILABLE] down for maintenance\r\n"), reset))},
	)...)
}
