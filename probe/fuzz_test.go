package probe

import (
	"bytes"
	"context"
	"net"
	"regexp"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"
	"unicode/utf8"

	"imap-exporter/internal/mailtest"
	"imap-exporter/internal/wire"
)

// FuzzProbe lets a server greet and answer each line of a whole probe with anything, in pieces of any size. The Result is
// compared with a model that knows which tagged OKs were sent after their command had been received in full. In answers,
// TAG stands for the tag of the line, and a line feed for CR LF.
func FuzzProbe(f *testing.F) {
	const honest = "* CAPABILITY IMAP4rev1 UNSELECT QUOTA\nTAG OK\x00TAG OK\x00* CAPABILITY IMAP4rev1 UNSELECT QUOTA\nTAG OK\x00* 24 EXISTS\nTAG OK\x00" +
		"* 24 FETCH (INTERNALDATE \" 1-Jan-2020 00:00:00 +0000\" BODY[HEADER]<0> {3}\nabc)\nTAG OK\x00TAG OK\x00TAG OK\x00* LIST () \"/\" INBOX\nTAG OK\x00" +
		"* STATUS INBOX (MESSAGES 5)\nTAG OK\x00* QUOTA x (STORAGE 1 2)\nTAG OK\x00* BYE x\nTAG OK"
	f.Add("* OK hi", honest, []byte{255}, uint8(0))
	f.Add("* OK hi", honest, []byte{1}, uint8(0))
	f.Add("* OK hi", strings.Replace(honest, "TAG OK\x00", "TAG OK\x00+ go on\x00", 1), []byte{7, 1}, uint8(1))
	f.Add("* OK hi", "* CAPABILITY IMAP4rev1\nTAG OK\x00TAG OK", []byte{3, 200}, uint8(1)) // OK ahead of the literal
	f.Add("* OK hi", "* CAPABILITY IMAP4rev1\nTAG OK\nTAG OK", []byte{100}, uint8(2))
	f.Add("* OK [CAPABILITY (", "* CAPABILITY (\nTAG OK", []byte{9}, uint8(0))
	f.Add("* OK hi", "* CAPABILITY IMAP4rev1\nTAG OK\x00TAG NO [ALERT (", []byte{200}, uint8(0))
	f.Add("* OK hi", strings.ReplaceAll(honest, "abc)", "abc BODYSTRUCTURE "+strings.Repeat("(", 99)), []byte{255}, uint8(0))
	f.Add("* OK hi", strings.ReplaceAll(honest, "{3}", "{4294967295}"), []byte{255}, uint8(2))
	f.Add("* OK hi", strings.ReplaceAll(honest, "INBOX", "\"a\\\"\xff\x1b&AAA-\""), []byte{255}, uint8(0))
	f.Add("* PREAUTH", honest, []byte{255}, uint8(0))
	f.Add("* BYE [UNAVAILABLE] x", "", []byte{2}, uint8(0))
	f.Add("+OK POP3", "x\x00y", []byte{0}, uint8(3))
	f.Fuzz(func(t *testing.T, greeting, script string, chunks []byte, options uint8) {
		m := &model{t: t, answers: strings.Split(script, "\x00"), chunks: chunks}
		server, err := mailtest.StartRaw(func(c net.Conn) { m.serve(c, greeting) })
		if err != nil {
			t.Skip(err) // No port is free.
		}
		target := targetAt(server.Addr(), nil)
		target.TLSMode, target.AllowPlaintextAuth, target.Timeout, target.Mailboxes = TLSNone, true, 500*time.Millisecond, []string{"*"}
		secret := password
		if options&1 != 0 {
			secret = "canary-größe-secret" // It is sent as a literal.
		}
		if options&2 != 0 {
			target.Auth = AuthAuto
		}
		target.Secret = func(context.Context) (string, error) { return secret, nil }
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		begin := time.Now()
		r := Run(t.Context(), target)
		took := time.Since(begin)
		runtime.ReadMemStats(&after)
		server.Close()
		if took > target.Timeout+2*time.Second { // Other fuzzers take time, too.
			t.Errorf("it took %v", took)
		}
		if grown := after.TotalAlloc - before.TotalAlloc; grown > 64<<20 {
			t.Errorf("%d bytes were allocated", grown)
		}
		m.check(r)
		assertFit(t, r, secret)
	})
}

// A model is a server that answers with anything, and remembers what it has granted.
type model struct {
	t       *testing.T
	answers []string
	chunks  []byte

	mu      sync.Mutex
	granted []grant
}

// A grant is a command, and whether it was answered with a tagged OK, or NO or BAD, after it had been received in full.
type grant struct {
	verb        string
	ok, refused bool
}

// silence is how long a server waits for a probe that may be waiting for the server.
const silence = 30 * time.Millisecond

func (m *model) serve(c net.Conn, greeting string) {
	defer c.Close()
	_ = c.SetWriteDeadline(time.Now().Add(3 * time.Second))
	lines := newLines(c)
	if !m.send(c, greeting+"\n") {
		return
	}
	tag, pending := "", false // pending says that a literal is to come.
	for _, answer := range m.answers {
		line, ok := lines.next()
		if !ok {
			return
		}
		if !pending {
			words := strings.SplitN(line, " ", 3)
			tag = words[0]
			if len(words) > 1 {
				m.begin(words[1])
			}
		}
		pending = literalEnd.MatchString(line)
		answer = strings.ReplaceAll(answer, "TAG", tag) + "\n"
		m.grant(tag, answer, !pending)
		if !m.send(c, answer) {
			return
		}
	}
	lines.next()
}

// literalEnd announces a literal that waits for a continuation request.
var literalEnd = regexp.MustCompile(`\{\d+\}$`)

func (m *model) begin(verb string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if n := len(m.granted); n > 0 && !m.granted[n-1].ok && !m.granted[n-1].refused && verb != "LOGOUT" {
		m.t.Errorf("%s was sent before %s was answered", verb, m.granted[n-1].verb)
	}
	m.granted = append(m.granted, grant{verb: verb})
}

// grant records what an answer grants, before it is sent.
func (m *model) grant(tag, answer string, whole bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if len(m.granted) == 0 || tag == "" || !whole {
		return
	}
	g := &m.granted[len(m.granted)-1]
	tagged := regexp.MustCompile(`(?i)` + regexp.QuoteMeta(tag) + ` *(OK|NO|BAD|BYE)`)
	for _, match := range tagged.FindAllStringSubmatch(answer, -1) {
		g.ok = g.ok || strings.EqualFold(match[1], "OK")
		g.refused = g.refused || !strings.EqualFold(match[1], "OK")
	}
}

// send sends s in pieces.
func (m *model) send(c net.Conn, s string) bool {
	b := bytes.ReplaceAll([]byte(s), []byte("\n"), []byte("\r\n"))
	for i := 0; len(b) > 0; i++ {
		n := len(b)
		if len(m.chunks) > 0 && i < 64 {
			n = min(n, 1+int(m.chunks[i%len(m.chunks)]))
		}
		if _, err := c.Write(b[:n]); err != nil {
			return false
		}
		b = b[n:]
	}
	return true
}

// check fails if the probe succeeded without the tagged OKs that it needs.
func (m *model) check(r *Result) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if r.Err != nil {
		return
	}
	granted := map[string]bool{}
	for _, g := range m.granted {
		granted[g.verb] = granted[g.verb] || g.ok
		if !g.ok && g.verb != "GETQUOTAROOT" && g.verb != "STATUS" && g.verb != "LOGOUT" {
			m.t.Errorf("success, though %s had no tagged OK", g.verb)
		}
	}
	if !granted["CAPABILITY"] || !granted["LOGIN"] && !granted["AUTHENTICATE"] || !granted["EXAMINE"] || !granted["LIST"] {
		m.t.Errorf("success after %+v", m.granted)
	}
}

// assertFit fails if a Result has something that is unfit for a log or label, or a secret.
func assertFit(t *testing.T, r *Result, secret string) {
	t.Helper()
	for _, line := range r.Transcript {
		if len(line.Text) > wire.MaxText || strings.Contains(line.Text, secret) {
			t.Errorf("transcript has %q", line.Text)
		}
	}
	for _, name := range learntNames(r) {
		if utf8.RuneCountInString(name) > MaxNameRunes || strings.Contains(name, secret) {
			t.Errorf("name %q", name)
		}
	}
	if len(r.Mailboxes) > MaxMailboxes+1 || r.Quota != nil && len(r.Quota.Roots) > MaxQuotaRoots || len(r.Notes) > 20 {
		t.Errorf("%d mailboxes, quota %+v, %d notes", len(r.Mailboxes), r.Quota, len(r.Notes))
	}
	if r.Err != nil && (r.Err.Text == "" || len(r.Err.Text) > wire.MaxText || strings.Contains(r.Err.Text, secret)) {
		t.Errorf("text %q", r.Err.Text)
	}
	assertPrintable(t, r)
	if r.Err != nil && r.Err.Reason == ReasonInternal {
		t.Errorf("an error of our own: %v", r.Err)
	}
}

// lines reads whole lines.
type lines struct {
	c    net.Conn
	rest []byte
}

func newLines(c net.Conn) *lines { return &lines{c: c} }

func (l *lines) next() (string, bool) {
	buf := make([]byte, 4096)
	for {
		if line, rest, found := bytes.Cut(l.rest, []byte("\r\n")); found {
			l.rest = rest
			return string(line), true
		}
		_ = l.c.SetReadDeadline(time.Now().Add(silence))
		n, err := l.c.Read(buf)
		if err != nil {
			return "", false
		}
		l.rest = append(l.rest, buf[:n]...)
	}
}
