package probe

import (
	"fmt"
	"runtime"
	"runtime/debug"
	"strings"
	"testing"
	"time"

	"imap-exporter/internal/mailtest"
)

const (
	heapGrowth = 8 << 20 // what one hostile server may cost in bytes
	slack      = 250 * time.Millisecond
)

// flood sends s for ever, after begin.
func flood(begin, s string) mailtest.Handler {
	block := strings.Repeat(s, 1+4096/len(s))
	return func(c *mailtest.Conn, cmd mailtest.Command) error {
		c.Raw(strings.ReplaceAll(begin, "%s", cmd.Tag))
		return c.Flood(func(int) string { return block })
	}
}

// once sends s, then goes on as an honest server would.
func once(s string) mailtest.Handler {
	return func(c *mailtest.Conn, cmd mailtest.Command) error {
		c.Raw(s)
		return c.Default(cmd)
	}
}

// drip sends s again and again, a piece every 20 ms.
func drip(s string) mailtest.Handler {
	return func(c *mailtest.Conn, _ mailtest.Command) error {
		for {
			c.Raw(s)
			if err := c.Wait(20 * time.Millisecond); err != nil {
				return err
			}
		}
	}
}

func descending(i int) string { return fmt.Sprintf("* SEARCH %d\r\n", 4_000_000_000-i) }

// TestHostileServers holds the probe against everything that is known to hang, bloat or crash go-imap's client: each case
// ends in time, in its place, with little memory, in this very process.
func TestHostileServers(t *testing.T) {
	defer debug.SetGCPercent(debug.SetGCPercent(5)) // so that the heap is what is in use, ours and the server's
	parentheses := strings.Repeat("(", 10_000)
	for name, c := range map[string]struct {
		verb    string
		handler mailtest.Handler
		reason  Reason // of a failure in the phase of verb; "" for success
	}{
		"endless loop: greeting code":        {"GREETING", answer("* OK [CAPABILITY (\r\n"), ""},
		"endless loop: CAPABILITY":           {"CAPABILITY", answer("* CAPABILITY (\r\n%s OK\r\n"), ReasonProtocol},
		"endless loop: CAPABILITY, later":    {"FETCH", once("* CAPABILITY (\r\n"), ""},
		"endless loop: ENABLED":              {"EXAMINE", once("* ENABLED (\r\n"), ""},
		"endless loop: tagged code":          {"EXAMINE", answer("* 0 EXISTS\r\n%s OK [CAPABILITY x(\r\n"), ""},
		"stack overflow: BODYSTRUCTURE":      {"FETCH", flood("* 1 FETCH (BODYSTRUCTURE ", "("), ReasonTooLarge},
		"stack overflow, in one line":        {"FETCH", once("* 1 FETCH (BODYSTRUCTURE " + parentheses + "\r\n"), ReasonTooLarge},
		"stack overflow, by literals":        {"FETCH", flood("* 1 FETCH (BODYSTRUCTURE ", "((((((((((((((((({1}\r\nx"), ReasonTooLarge},
		"nested THREAD":                      {"FETCH", once("* THREAD " + parentheses + "\r\n"), ReasonTooLarge},
		"panic: STATUS RECENT":               {"STATUS", answer("* STATUS INBOX (MESSAGES 1 RECENT 1)\r\n%s OK\r\n"), ""},
		"literal of 4 GiB, streaming":        {"FETCH", flood("* 24 FETCH (BODY[HEADER]<0> {4294967295}\r\n", "x"), ReasonTooLarge},
		"literal of 2^64":                    {"FETCH", answer("* 24 FETCH (BODY[HEADER]<0> {18446744073709551616}\r\n"), ReasonTooLarge},
		"literal announced, none sent":       {"FETCH", hangAfter("* 24 FETCH (BODY[HEADER]<0> {100000}\r\n"), ReasonTimeout},
		"swarm of literals":                  {"FETCH", flood("* 24 FETCH (BODY[HEADER]<0> ", "{1}\r\nx"), ReasonTooLarge},
		"endless greeting":                   {"GREETING", flood("* OK ", "x"), ReasonTooLarge},
		"endless text":                       {"EXAMINE", flood("* OK ", "x"), ReasonTooLarge},
		"endless code":                       {"EXAMINE", flood("* OK [", "x"), ReasonTooLarge},
		"endless atom":                       {"EXAMINE", flood("* ", "x"), ReasonTooLarge},
		"endless tag":                        {"EXAMINE", flood("", "x"), ReasonTooLarge},
		"endless quoted string":              {"STATUS", flood(`* STATUS "`, "x"), ReasonTooLarge},
		"endless capabilities":               {"CAPABILITY", flood("* CAPABILITY", " X"), ReasonTooLarge},
		"endless capabilities in many lines": {"CAPABILITY", flood("", "* CAPABILITY X\r\n"), ReasonTooLarge},
		"endless OK":                         {"EXAMINE", flood("", "* OK still here\r\n"), ReasonTooLarge},
		"endless EXISTS":                     {"EXAMINE", flood("", "* 1 EXISTS\r\n"), ReasonTooLarge},
		"endless FETCH":                      {"FETCH", flood("", "* 24 FETCH (FLAGS (a b c))\r\n"), ReasonTooLarge},
		"endless empty lines":                {"EXAMINE", flood("", "\r\n"), ReasonTooLarge},
		"endless QUOTA":                      {"GETQUOTAROOT", flood("", "* QUOTA x (STORAGE 1 2)\r\n"), ReasonTooLarge},
		"endless QUOTA in one line":          {"GETQUOTAROOT", flood("* QUOTA x (", "STORAGE 1 2 "), ReasonTooLarge},
		"descending SEARCH":                  {"EXAMINE", func(c *mailtest.Conn, _ mailtest.Command) error { return c.Flood(descending) }, ReasonTooLarge},
		"range bomb":                         {"EXAMINE", once("* ESEARCH (TAG \"x\") ALL 1:4294967295\r\n* OK [COPYUID 1 1:4294967295 1:4294967295] x\r\n"), ""},
		"dripped line":                       {"EXAMINE", drip("x"), ReasonTimeout},
		"dripped responses":                  {"EXAMINE", drip("* OK still here\r\n"), ReasonTimeout},
		"dripped literal":                    {"FETCH", dripAfter("* 24 FETCH (BODY[HEADER]<0> {90000}\r\n", "x"), ReasonTimeout},
		"dripped greeting":                   {"GREETING", drip("*"), ReasonTimeout},
		"unterminated code":                  {"LOGIN", answer("%s NO [ALERT unterminated\r\n"), ReasonRejected},
		"NUL and 8-bit":                      {"LOGIN", answer("%s NO a\x00b\x1b[31m\xff\u202e\r\n"), ReasonRejected},
		"unknown responses":                  {"FETCH", once("* VANISHED 1:5\r\n* XVENDOR (a {3}\r\nxyz b)\r\n* 5 XVENDOR\r\n\r\n* 3 EXPUNGE\r\n"), ""},
		"odd keywords in FLAGS":              {"EXAMINE", once("* FLAGS (foo]bar \"a b\" [)\r\n* OK [PERMANENTFLAGS ( \\*)] x\r\n"), ""},
		"two spaces":                         {"EXAMINE", answer("*  0  EXISTS\r\n* OK  [UIDNEXT 25]\r\n%s OK\r\n"), ""},
		"lone line feeds":                    {"EXAMINE", answer("* 0 EXISTS\n%s OK\n"), ""},
		"numbers out of range":               {"STATUS", answer("* STATUS INBOX (MESSAGES 4294967296 UNSEEN -1 UIDNEXT NIL SIZE 9223372036854775808 UIDVALIDITY )\r\n%s OK\r\n"), ""},
		"unlimited quota":                    {"GETQUOTAROOT", answer("* QUOTA a ()\r\n* QUOTA b (STORAGE 1 18446744073709551615)\r\n* QUOTA c (STORAGE 1 -1)\r\n* QUOTA d (STORAGE 1 NIL)\r\n* QUOTA e (STORAGE 1)\r\n%s OK\r\n"), ""},
		"duplicate data":                     {"GETQUOTAROOT", answer("* QUOTA \"\" (STORAGE 1 2 STORAGE 3 4)\r\n* QUOTA \"\" (STORAGE 5 6)\r\n%s OK\r\n"), ""},
		"flags before the answer":            {"FETCH", once("* 24 FETCH (FLAGS (foo]bar))\r\n* 24 FETCH (UID 5 MODSEQ (1))\r\n"), ""},
		"an answer nobody asked for":         {"FETCH", once("* 7 FETCH (INTERNALDATE \"01-Jan-2020 00:00:00 +0000\" BODY[HEADER]<0> {3}\r\nabc)\r\n"), ""},
		"an answer in two":                   {"FETCH", answer("* 24 FETCH (INTERNALDATE \" 1-Jan-2020 00:00:00 +0000\")\r\n* 24 FETCH (BODY[HEADER]<0> NIL)\r\n%s OK\r\n"), ""},
		"a bad date":                         {"FETCH", answer("* 24 FETCH (INTERNALDATE \"yesterday\" BODY[HEADER]<0> \"x\")\r\n%s OK\r\n"), ""},
		"the tag of the next command":        {"CAPABILITY", answer("* CAPABILITY IMAP4rev1\r\n%s OK\r\nT2 OK\r\nT3 OK\r\n"), ReasonProtocol},
		"an early OK":                        {"EXAMINE", answer("* 24 EXISTS\r\n%s OK\r\n+ go on\r\n"), ReasonProtocol},
	} {
		t.Run(name, func(t *testing.T) {
			_, target := serve(t, mailtest.Options{
				Handle: map[string]mailtest.Handler{"UNSELECT": answer("%s OK\r\n"), c.verb: c.handler},
			})
			target.Timeout = time.Second
			var before, after runtime.MemStats
			runtime.GC()
			runtime.ReadMemStats(&before)
			begin := time.Now()
			r := Run(t.Context(), target)
			d := time.Since(begin)
			runtime.ReadMemStats(&after)
			if d > target.Timeout+slack {
				t.Errorf("ended after %v, want at most %v", d, target.Timeout)
			}
			if grown := int64(after.HeapAlloc) - int64(before.HeapAlloc); grown > heapGrowth {
				t.Errorf("the heap grew by %d bytes", grown)
			}
			var got Reason
			if r.Err != nil {
				got = r.Err.Reason
			}
			if got != c.reason {
				logTranscript(t, r)
				t.Errorf("got %v, want reason %q", r.Err, c.reason)
			}
			for _, line := range r.Transcript {
				if len(line.Text) > 210 || strings.ContainsAny(line.Text, "\x00\x1b\u202e") {
					t.Errorf("transcript has %q", line.Text)
				}
			}
		})
	}
}

func hangAfter(s string) mailtest.Handler {
	return func(c *mailtest.Conn, _ mailtest.Command) error {
		c.Raw(s)
		return c.Hang()
	}
}

func dripAfter(begin, s string) mailtest.Handler {
	more := drip(s)
	return func(c *mailtest.Conn, cmd mailtest.Command) error {
		c.Raw(begin)
		return more(c, cmd)
	}
}

// TestFirstOfDuplicatesWins and what is no number is absent.
func TestFirstOfDuplicatesWins(t *testing.T) {
	_, target := serve(t, mailtest.Options{Handle: map[string]mailtest.Handler{
		"STATUS":       answer("* STATUS Other (MESSAGES 9)\r\n* STATUS INBOX (MESSAGES 5 MESSAGES 6 UNSEEN -1 SIZE NIL)\r\n%s OK\r\n"),
		"GETQUOTAROOT": answer("* QUOTA a (STORAGE 1 2 STORAGE 3 4 MESSAGE 1 18446744073709551615)\r\n* QUOTA a (STORAGE 5 6)\r\n%s OK\r\n"),
	}})
	r := succeed(t, target)
	if m := r.Mailboxes[0]; *m.Messages != 5 || m.Unseen != nil || m.SizeBytes != nil {
		t.Errorf("mailbox %+v", m)
	}
	if len(r.Quota.Roots) != 1 || *r.Quota.Roots[0].Storage != (Resource{1024, 2048}) || r.Quota.Roots[0].Messages != nil {
		t.Errorf("quota %+v", r.Quota)
	}
}
