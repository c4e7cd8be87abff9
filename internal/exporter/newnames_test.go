package exporter

import (
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"imap-exporter/internal/account"
	"imap-exporter/internal/mailtest"
	"imap-exporter/probe"
)

// named is a Result with these mailboxes, and quota roots after a slash.
func named(start time.Time, names string) *probe.Result {
	r := &probe.Result{Account: "canary", Server: "imap.example.org:993", Start: start, Quota: &probe.Quota{Supported: true}}
	mailboxes, roots, _ := strings.Cut(names, "/")
	for name := range strings.FieldsSeq(mailboxes) {
		r.Mailboxes = append(r.Mailboxes, probe.Mailbox{Name: name})
	}
	for name := range strings.FieldsSeq(roots) {
		r.Quota.Roots = append(r.Quota.Roots, probe.QuotaRoot{Name: name})
	}
	return r
}

// namesOf is the opposite of named.
func namesOf(r *probe.Result) string {
	var names []string
	for _, m := range r.Mailboxes {
		names = append(names, m.Name)
	}
	if len(r.Quota.Roots) > 0 {
		names = append(names, "/")
	}
	for _, root := range r.Quota.Roots {
		names = append(names, root.Name)
	}
	return strings.Join(names, " ")
}

// numbered is so many names.
func numbered(prefix string, n int) string {
	names := make([]string, n)
	for i := range names {
		names[i] = fmt.Sprint(prefix, i)
	}
	return strings.Join(names, " ")
}

func TestNewNames(t *testing.T) {
	var l nameLimiter
	target := &probe.Target{Account: "canary", Server: "imap.example.org:993"}
	now := time.Unix(1_000_000, 0)
	limit := func(after time.Duration, names, want string) {
		t.Helper()
		now = now.Add(after)
		r := named(now, names)
		got := l.limit(target, r)
		if namesOf(got) != want {
			t.Errorf("of %q there are %q, want %q", names, namesOf(got), want)
		}
		left := len(strings.Fields(names)) - len(strings.Fields(want))
		if got.NamesLeftOut != left || (left > 0) != slices.Contains(got.Notes, newNamesNote) || namesOf(r) != names {
			t.Errorf("%d are left out, want %d; notes %q", got.NamesLeftOut, left, got.Notes)
		}
	}
	first := numbered("m", 100) + " / " + numbered("r", 16)
	limit(0, first, first)
	limit(time.Minute, first, first)
	limit(time.Minute, "m0 "+numbered("a", 20)+" / r0 x", "m0 "+numbered("a", 16)+" / r0") // 16 may be new at once,
	limit(time.Minute, "b c", "")                                                          // and no more soon;
	limit(time.Minute, first, first)                                                       // what is known stays.
	limit(30*time.Minute, numbered("c", 20), numbered("c", 8))                             // In half an hour 8 more,
	limit(24*time.Hour, numbered("d", 20), numbered("d", 16))                              // in a day 16 more.
	limit(0, numbered("a", 16), numbered("a", 16))
	limit(-time.Hour, "e", "") // A clock that is set back makes none.

	l.setAccounts([]account.Account{{Name: "canary", Server: target.Server}})
	limit(time.Hour, "e", "")
	if failed := named(now, "y z"); l.limit(target, failed) == failed {
		t.Error("new names are shown")
	} else if failed.Err = (&probe.Error{}); l.limit(target, failed) != failed {
		t.Error("a failed probe is changed")
	}
	target.Mailboxes = []string{"*"} // Another module, or another configuration, has names of its own.
	limit(0, numbered("f", 50), numbered("f", 50))
	limit(0, numbered("g", 50), numbered("g", 16))
	l.setAccounts([]account.Account{{Name: "canary", Server: "elsewhere:993"}})
	if len(l.known) != 0 {
		t.Error("an account that is gone, or elsewhere, is known")
	}
	target.Account = "" // It is no account's.
	limit(0, "a b", "")
}

// In a year of new names at each probe, an account's have 16 an hour, and take no more memory.
func TestNewNamesWithoutEnd(t *testing.T) {
	var l nameLimiter
	target := &probe.Target{Account: "canary", Server: "imap.example.org:993"}
	seen := map[string]bool{}
	start := time.Unix(1_000_000, 0)
	failed := named(start, "a") // Of the first successful probe there are all names, whatever failed before.
	failed.Err = &probe.Error{Phase: probe.PhaseStatus}
	l.limit(target, failed)
	const hours = 300
	for n := range hours * 12 {
		r := l.limit(target, named(start.Add(time.Duration(n)*5*time.Minute), numbered(fmt.Sprintf("m%d-", n), 30)))
		for _, m := range r.Mailboxes {
			seen[m.Name] = true
		}
	}
	if len(seen) < 30+16*(hours-1) || len(seen) > 30+16*(hours+1) {
		t.Errorf("%d names in %d hours", len(seen), hours)
	}
	if n := len(l.known[nameScope{account.Key{Account: "canary", Service: "imap"}, target.Server, ""}].names); n > maxKnownNames {
		t.Errorf("%d names are known", n)
	}
}

// A server renames its mailboxes and quota roots at each probe: /metrics has few series of them, and says how many it lacks.
func TestRenamingServer(t *testing.T) {
	var probes atomic.Int64
	server := startServer(t, map[string]mailtest.Handler{
		"LIST": func(c *mailtest.Conn, cmd mailtest.Command) error {
			n := probes.Add(1)
			for i := range 50 {
				c.Line(`* LIST () "/" box-%d-%d`, n, i)
			}
			return c.OK(cmd.Tag, "done")
		},
		"STATUS": func(c *mailtest.Conn, cmd mailtest.Command) error {
			c.Line("* STATUS %s (MESSAGES 1)", cmd.Args[0])
			return c.OK(cmd.Tag, "done")
		},
		"GETQUOTAROOT": func(c *mailtest.Conn, cmd mailtest.Command) error {
			c.Line("* QUOTA root-%d (STORAGE 1 2)", probes.Load())
			return c.OK(cmd.Tag, "done")
		},
	})
	e, target := engineFor(t, server)
	series := map[string]bool{}
	for range 10 {
		if out := e.probe(t.Context(), target, true, target.Timeout); !out.OK {
			t.Fatal(out.Report.(report).result.Err)
		}
		for line := range strings.Lines(metricsOf(t, e)) {
			if name, _, _ := strings.Cut(line, " "); strings.HasPrefix(line, "imap_mailbox_messages{") || strings.HasPrefix(line, "imap_quota_storage_limit") {
				series[name] = true
			}
		}
	}
	if len(series) > 51+1+newNames {
		t.Errorf("%d series of mailboxes and quota roots after 10 probes", len(series))
	}
	assertHas(t, metricsOf(t, e), `imap_names_left_out{account="canary",server="imap.example.org:143"} 51`)
	if last := e.history.Last(account.Key{Account: "canary", Service: "imap"}); !slices.Contains(last.Notes, newNamesNote) {
		t.Errorf("notes %q", last.Notes)
	}
}
