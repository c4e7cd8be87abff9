package probe

import (
	"bytes"
	"context"
	"crypto/tls"
	"fmt"
	"maps"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
	"unicode/utf8"

	"imap-exporter/internal/mailtest"
	"imap-exporter/internal/mailtest/hostile"
	"imap-exporter/internal/realtest/leak"
	"imap-exporter/internal/wire"
)

// What a probe of one hostile server may cost at most, including the server itself.
const (
	slack      = 250 * time.Millisecond // beyond the timeout
	allocation = 16 << 20               // in bytes, everything that is ever allocated, most of it garbage at once
	cpuTime    = 500 * time.Millisecond

	shortTimeout = 400 * time.Millisecond // for servers that let a probe time out
)

// allowed are the commands that a read-only probe sends.
var allowed = []string{
	"CAPABILITY", "STARTTLS", "LOGIN", "AUTHENTICATE", "ID", "EXAMINE", "FETCH", "UNSELECT", "LIST", "STATUS", "GETQUOTAROOT", "LOGOUT",
}

// TestHostileServers probes each server in the table of captured, broken and peculiar ones: the probe ends as the case says, on
// time, with little memory and CPU time, and sends nothing that it shouldn't. The cases run one after the other, so that the
// cost of each can be measured.
func TestHostileServers(t *testing.T) {
	servers, err := hostile.NewServers()
	if err != nil {
		t.Fatal(err)
	}
	defer servers.Close()
	names := map[string]bool{}
	for _, c := range servers.Cases() {
		name := c.Group + "/" + c.Name
		if names[name] {
			t.Errorf("%s is there twice", name)
		}
		names[name] = true
		t.Run(name, func(t *testing.T) {
			server, err := servers.Start(&c)
			if err != nil {
				t.Fatal(err)
			}
			defer server.Close()
			target := targetOf(servers, &c, server.Addr())
			wants := []string{c.Want}
			if c.Then != c.Want {
				wants = append(wants, c.Then)
			}
			probes := 0
			for _, want := range wants {
				r, n := bounded(t, target, c.Then == c.Want)
				assertOutcome(t, &c, r, want)
				probes += n
				if err := server.WaitIdle(t.Context()); err != nil {
					t.Fatal(err)
				}
			}
			assertSent(t, &c, server, probes)
		})
	}
	t.Logf("%d cases", len(names))
	if total, _ := servers.Elsewhere.Connections(); total != 0 {
		t.Errorf("%d connections to where a server sent us", total)
	}
}

// targetOf makes the target of a case.
func targetOf(servers *hostile.Servers, c *hostile.Case, address string) *Target {
	target := targetAt(address, &tls.Config{RootCAs: servers.Roots(), ServerName: "localhost", MinVersion: tls.VersionTLS12})
	target.Auth, target.SendID, target.Mailboxes = AuthMethod(c.Account.Auth), c.Account.SendID, c.Account.Mailboxes
	target.Secret = func(context.Context) (string, error) { return c.Account.Password, nil }
	if c.TimesOut() {
		target.Timeout = shortTimeout
	} else {
		target.Timeout = 10 * time.Second
	}
	switch c.Mode {
	case mailtest.ModeStartTLS:
		target.TLSMode = TLSStartTLS
	case mailtest.ModePlain:
		target.TLSMode, target.AllowPlaintextAuth = TLSNone, true
	case mailtest.ModeImplicit:
	}
	return target
}

// bounded probes, and fails the test if the probe takes more than it may. If it may be probed again, a result that noise on the
// machine may have spoiled is: probes is how often it was probed.
func bounded(t *testing.T, target *Target, again bool) (r *Result, probes int) {
	t.Helper()
	for {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		begin, cpu := time.Now(), used(t)
		r = Run(t.Context(), target)
		took, worked := time.Since(begin), used(t)-cpu
		runtime.ReadMemStats(&after)
		probes++
		late, busy := took > target.Timeout+slack, worked > cpuTime*slowdown
		switch {
		case (late || busy) && again && probes < 3:
			continue
		case late:
			t.Errorf("ended after %v, want at most %v", took, target.Timeout+slack)
		case busy:
			t.Errorf("it took %v of CPU time", worked)
		}
		if grown := after.TotalAlloc - before.TotalAlloc; grown > allocation {
			t.Errorf("%d bytes were allocated", grown)
		}
		return r, probes
	}
}

// used is the CPU time of this process.
func used(t *testing.T) time.Duration {
	t.Helper()
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		t.Fatal(err)
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}

func assertOutcome(t *testing.T, c *hostile.Case, r *Result, want string) {
	t.Helper()
	got := hostile.Success
	if r.Err != nil {
		got = string(r.Err.Phase) + "/" + string(r.Err.Reason)
		if r.Err.Text == "" || len(r.Err.Text) > 200 {
			t.Errorf("text %q", r.Err.Text)
		}
	}
	if got != want {
		logTranscript(t, r)
		t.Errorf("got %s (%v), want %s", got, r.Err, want)
	}
	if r.Err == nil {
		assertLearnt(t, c, r)
	} else if r.Err.Reason == ReasonTimeout {
		assertWaited(t, r)
	}
	if r.Err != nil && strings.HasPrefix(string(r.Err.Reason), "certificate_") && (r.TLS == nil || r.TLS.NotAfter.IsZero() || r.TLS.Version != "") {
		t.Errorf("TLS %+v, want the date though verification failed", r.TLS)
	}
	text := everythingOf(r)
	for _, form := range append(leak.InBase64(c.Account.Password), c.Account.Password) {
		if strings.Contains(text, form) {
			t.Errorf("the secret shows, as %q", form)
		}
	}
	if made := hostile.MadeUp(fmt.Sprint(r.Err, r.Notes, learntNames(r), slices.Collect(maps.Values(learnt(r))))); made != "" {
		t.Errorf("what the server made up is in %s", made)
	}
	for _, line := range r.Transcript {
		if len(line.Text) > wire.MaxText {
			t.Errorf("transcript has %q", line.Text)
		}
	}
	for _, name := range learntNames(r) {
		if utf8.RuneCountInString(name) > MaxNameRunes {
			t.Errorf("name %q", name)
		}
	}
	assertPrintable(t, r)
}

// assertWaited fails unless the probe took all of its timeout, and most of it in the phase that failed.
func assertWaited(t *testing.T, r *Result) {
	t.Helper()
	if r.Duration < shortTimeout {
		t.Errorf("it ended after %v, ahead of the timeout", r.Duration)
	}
	if d := took(t, r, r.Err.Phase); d < shortTimeout/2 {
		t.Errorf("phase %s took %v, want the time until it failed", r.Err.Phase, d)
	}
}

// assertLearnt fails unless the Result has the values of the case, and none that it rules out.
func assertLearnt(t *testing.T, c *hostile.Case, r *Result) {
	t.Helper()
	got := learnt(r)
	for name, want := range c.Values {
		if value, ok := got[name]; !ok || value != want {
			t.Errorf("%s is %v (%v), want %v", name, value, ok, want)
		}
	}
	for _, name := range c.Absent {
		if value, ok := got[name]; ok {
			t.Errorf("%s is %v, want none", name, value)
		}
	}
	if c.Group != hostile.Quirks {
		return
	}
	if c.Source == "" {
		t.Error("the case does not say where this was seen")
	}
	for _, p := range r.Phases {
		if !p.OK {
			t.Errorf("phase %s failed", p.Phase)
		}
	}
}

func unprintable(r rune) bool {
	return r < ' ' || r == 0x7f || r >= 0x80 && r < 0xa0 || r >= 0x2028 && r <= 0x202e || r >= 0x2066 && r <= 0x2069
}

// ourCommand matches a command under a tag that we made.
var ourCommand = regexp.MustCompile(`(?m)^[A-Z2-7]{8} ([A-Z]+)`)

// assertSent checks what was sent: one connection for each probe, no credential in clear text and no login where there must
// be none, only allowed commands, and none before the last one was answered.
func assertSent(t *testing.T, c *hostile.Case, server *mailtest.Server, probes int) {
	t.Helper()
	if total, most := server.Connections(); total != probes || most > 1 {
		t.Errorf("%d connections for %d probes, %d at once", total, probes, most)
	}
	server.Close() // Now everything is recorded.
	for _, v := range server.Conversations() {
		for _, form := range append(leak.InBase64(c.Account.Password), c.Account.Password) {
			if bytes.Contains(v.Wire, []byte(form)) {
				t.Errorf("the secret crossed the wire in clear text, as %q", form)
			}
		}
		var verbs []string
		for _, match := range ourCommand.FindAllSubmatch(v.Received, -1) {
			verbs = append(verbs, string(match[1]))
		}
		for _, verb := range verbs {
			switch {
			case !slices.Contains(allowed, verb), slices.Contains(c.Never, verb):
				t.Errorf("sent %s among %v", verb, verbs)
			case !c.MayLogIn() && (verb == "LOGIN" || verb == "AUTHENTICATE"):
				t.Errorf("a login was sent where none may be: %v", verbs)
			}
		}
		if c.Phase() == "tls" && c.Mode == mailtest.ModeImplicit && len(verbs) > 0 {
			t.Errorf("sent %v to a server that isn't who it should be", verbs)
		}
		if v.Pipelined {
			t.Error("a command was sent before the one ahead of it was answered")
		}
	}
}
