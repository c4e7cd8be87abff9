package probe

import (
	"context"
	"crypto/sha256"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"imap-exporter/internal/mailtest"
	"imap-exporter/internal/realtest"
)

// tree returns the names and contents of all files of a Maildir, whose names have the flags in them. Dovecot's indexes are left
// out: they are a cache, which it writes at any time. Its lists of UIDs and keywords count.
func tree(t *testing.T, folder string) map[string]string {
	t.Helper()
	files := map[string]string{}
	err := filepath.WalkDir(folder, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || strings.HasPrefix(entry.Name(), "dovecot.index") || strings.HasPrefix(entry.Name(), "dovecot.list.index") {
			return err
		}
		content, err := os.ReadFile(path)
		files[path] = fmt.Sprintf("%x", sha256.Sum256(content))
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(files) < 8 { // Alice has as many messages.
		t.Fatalf("%s has %d files", folder, len(files))
	}
	return files
}

// differences returns the files that are new, missing or changed.
func differences(before, after map[string]string) (all []string) {
	for path, sum := range before {
		if after[path] != sum {
			all = append(all, "gone or changed: "+path)
		}
	}
	for path := range after {
		if before[path] == "" {
			all = append(all, "new: "+path)
		}
	}
	slices.Sort(all)
	return all
}

// TestLeavesNoTrace: a hundred probes of a Dovecot, a thousand in a soak, change no name, no flag and no byte of a Maildir,
// whatever they fetch and count. With read_only: false a single probe changes something.
func TestLeavesNoTrace(t *testing.T) {
	t.Parallel()
	server := realtest.Dovecot(t)
	target := realTarget(server, TLSNone) // TLS would take most of the time.
	target.Mailboxes = []string{"*"}
	target.SendID = true
	visit := func(fetch FetchSection) {
		visitor := *target
		visitor.Fetch = fetch
		succeed(t, &visitor)
	}
	visit(FetchFull) // Dovecot makes its indexes at the first access.
	before := tree(t, server.Maildir)
	for i := range footprintProbes {
		visit([]FetchSection{FetchHeader, FetchText, FetchFull, FetchNone}[i%4])
	}
	if changed := differences(before, tree(t, server.Maildir)); changed != nil {
		t.Errorf("%d probes left traces:\n%s", footprintProbes, strings.Join(changed, "\n"))
	}
	target.ReadOnly = false
	visit(FetchHeader)
	if changed := differences(before, tree(t, server.Maildir)); changed == nil {
		t.Error("SELECT left no trace: the test has lost its point")
	}
}

// TestThrottledNotRejected: on a server that lets two in at a time, probes of twenty accounts fail as throttled, and none as
// rejected.
func TestThrottledNotRejected(t *testing.T) {
	t.Parallel()
	target := realTarget(realtest.NarrowDovecot(t), TLSNone)
	var mu sync.Mutex
	ends := map[string]int{}
	var group sync.WaitGroup
	for range 20 {
		group.Go(func() {
			for range 10 {
				r := Run(t.Context(), target)
				end := "success"
				if r.Err != nil {
					end = fmt.Sprintf("%s/%s", r.Err.Phase, r.Err.Reason)
				}
				mu.Lock()
				ends[end]++
				mu.Unlock()
			}
		})
	}
	group.Wait()
	if ends["success"] == 0 || ends["auth/throttled"] == 0 || ends["success"]+ends["auth/throttled"] != 200 {
		t.Errorf("ended as %v, want some successes, and the rest throttled", ends)
	}
	t.Log(ends)
}

// With any configuration and any answers of the server, only commands that change nothing are sent.
func TestVerbs(t *testing.T) {
	t.Parallel()
	harmless := []string{
		"CAPABILITY", "STARTTLS", "LOGIN", "AUTHENTICATE", "ID", "EXAMINE", "FETCH", "UNSELECT", "LIST", "STATUS", "GETQUOTAROOT", "LOGOUT",
	}
	seen := map[string]bool{}
	check := func(t *testing.T, server *mailtest.Server, readOnly bool) {
		for _, conversation := range server.Conversations() {
			for _, cmd := range conversation.Commands {
				seen[cmd.Verb] = true
				if !slices.Contains(harmless, cmd.Verb) && (readOnly || cmd.Verb != "SELECT") {
					t.Errorf("sent %s", cmd.Verb)
				}
				if line := strings.ToUpper(cmd.Line); cmd.Verb == "FETCH" && strings.Contains(strings.ReplaceAll(line, "BODY.PEEK[", ""), "BODY") || strings.Contains(line, "RFC822") {
					t.Errorf("sent %s", line)
				}
			}
		}
	}
	for _, readOnly := range []bool{true, false} {
		for mode, tlsMode := range map[mailtest.Mode]TLSMode{
			mailtest.ModeImplicit: TLSImplicit, mailtest.ModeStartTLS: TLSStartTLS, mailtest.ModePlain: TLSNone,
		} {
			server, target := serve(t, mailtest.Options{Mode: mode})
			target.TLSMode, target.ReadOnly, target.SendID = tlsMode, readOnly, true
			target.Mailboxes = []string{"*", "INBOX"}
			for _, auth := range []AuthMethod{AuthAuto, AuthLogin, AuthPlain, AuthSCRAMSHA256, AuthXOAuth2, AuthOAuthBearer, AuthNone} {
				for _, fetch := range []FetchSection{FetchHeader, FetchText, FetchFull, FetchNone} {
					target.Auth, target.Fetch = auth, fetch
					succeed(t, target)
				}
			}
			check(t, server, readOnly)
		}
	}
	for _, verb := range harmless {
		for _, raw := range []string{"%s NO\r\n", "%s BAD\r\n", "* BYE\r\n"} {
			server, target := serve(t, mailtest.Options{Handle: map[string]mailtest.Handler{verb: answer(raw)}})
			target.Timeout = time.Second
			Run(t.Context(), target)
			check(t, server, true)
		}
	}
	for _, verb := range append(harmless, "SELECT") {
		if !seen[verb] {
			t.Errorf("never sent %s: the test has lost its point", verb)
		}
	}
}

// TestLogsOut: if a probe fails and the connection still works, LOGOUT is sent: after NO and BAD, when an answer doesn't come
// in time, and when the probe is canceled.
func TestLogsOut(t *testing.T) {
	silent := func(c *mailtest.Conn, _ mailtest.Command) error { _, err := c.ReadLine(); return err } // It reads the next command.
	for _, verb := range []string{"CAPABILITY", "LOGIN", "EXAMINE", "FETCH", "UNSELECT", "STATUS", "LIST", "GETQUOTAROOT"} {
		for name, c := range map[string]struct {
			handler mailtest.Handler
			cut     bool
		}{
			"NO": {handler: answer("%s NO\r\n")}, "BAD": {handler: answer("%s BAD\r\n")}, "silence": {handler: silent}, "cut": {silent, true},
		} {
			t.Run(verb+" "+name, func(t *testing.T) {
				t.Parallel()
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				handler := func(conn *mailtest.Conn, cmd mailtest.Command) error {
					if c.cut {
						cancel()
					}
					return c.handler(conn, cmd)
				}
				server, target := serve(t, mailtest.Options{Handle: map[string]mailtest.Handler{verb: handler}})
				target.Timeout, target.Mailboxes = time.Second, []string{"*"}
				if c.cut {
					target.Timeout = time.Minute
				}
				Run(ctx, target)
				v := ended(t, server)
				last := v.Commands[len(v.Commands)-1]
				heard := last.Verb == "LOGOUT"
				for _, line := range last.Replies {
					heard = heard || strings.HasSuffix(line, " LOGOUT")
				}
				if !heard {
					t.Errorf("no LOGOUT: %v %q", v.Verbs(), last.Replies)
				}
			})
		}
	}
}

// ended waits until the server's only conversation is over, and returns it.
func ended(t *testing.T, server *mailtest.Server) mailtest.Conversation {
	t.Helper()
	for end := time.Now().Add(time.Minute); ; {
		v := server.Conversations()[0]
		if !v.Open {
			return v
		}
		if time.Now().After(end) {
			t.Fatal("the connection is never closed")
		}
		<-time.After(10 * time.Millisecond)
	}
}
