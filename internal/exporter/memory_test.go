package exporter

import (
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"imap-exporter/internal/account"
	"imap-exporter/internal/config"
	"imap-exporter/internal/mailtest"
	"imap-exporter/probe"
)

// memoryPerAccount is how much memory the history and the metrics of one account may take, whatever its server says: docs/security.md.
const memoryPerAccount = 2 << 20

// engineFor returns an engine with one account, at a server that speaks clear text.
func engineFor(t *testing.T, server *mailtest.Server) (e *engine, target *probe.Target) {
	t.Helper()
	target = &probe.Target{
		Account: "canary", Server: "imap.example.org:143", Address: server.Addr(), Timeout: 20 * time.Second,
		IPFamily: probe.IPAuto, TLSMode: probe.TLSNone, AllowPlaintextAuth: true, Auth: probe.AuthLogin, Username: mailtest.DemoUser,
		Secret: func(context.Context) (string, error) { return mailtest.DemoPassword, nil },
		SendID: true, Select: "INBOX", ReadOnly: true, Fetch: probe.FetchHeader, FetchBytes: 64 << 10,
		Mailboxes: []string{"INBOX", "*"}, Quota: true,
	}
	cfg := &config.Config{
		Log: config.Log{Level: "error", Format: "logfmt"}, MaxConcurrentPerServer: 1,
		Accounts: []config.Account{{Account: account.Account{Name: target.Account, Server: target.Server, Target: target}}},
	}
	stderr := newLogWriter(io.Discard)
	t.Cleanup(stderr.Close)
	e, err := newEngine(cfg, Options{Load: func() (*config.Config, error) { return cfg, nil }}, stderr)
	if err != nil {
		t.Fatal(err)
	}
	return e, target
}

// startServer starts a scripted server in clear text that keeps no record.
func startServer(t *testing.T, handle map[string]mailtest.Handler) *mailtest.Server {
	t.Helper()
	server, err := mailtest.Start(mailtest.Options{
		Mode: mailtest.ModePlain, NoRecord: true, Handle: handle,
		Data: mailtest.Data{Users: []*mailtest.User{mailtest.NewUser(time.Now())}},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { server.Close() })
	return server
}

// heapAfter returns how much the heap has grown by n probes, and how many of them succeeded.
func heapAfter(t *testing.T, e *engine, target *probe.Target, n int) (grown int64, ok int) {
	t.Helper()
	e.probe(t.Context(), target, true, target.Timeout)
	before := heap()
	for range n {
		if e.probe(t.Context(), target, true, target.Timeout).OK {
			ok++
		}
	}
	grown = int64(heap()) - int64(before)
	runtime.KeepAlive(e)
	return grown, ok
}

func heap() uint64 {
	runtime.GC()
	runtime.GC()
	var stats runtime.MemStats
	runtime.ReadMemStats(&stats)
	return stats.HeapAlloc
}

// 500 probes whose server announces capabilities that are as many and as long as may be, and never the same, and then far
// too many.
func TestCapabilitiesTakeNoMemory(t *testing.T) {
	for name, announce := range map[string]func(n int64) []string{
		"one of thousands is new": func(n int64) []string {
			line := strings.Repeat(" A", 8_000)
			return []string{line, line, line, fmt.Sprintf(" IMAP4rev1 X%d", n)}
		},
		"as many as may be": func(n int64) []string {
			return []string{" IMAP4rev1" + many(n)}
		},
		"blanks": func(n int64) []string {
			lines := make([]string, 8)
			for i := range lines {
				lines[i] = fmt.Sprintf(" IMAP4rev1 X%d%s", n*100+int64(i), strings.Repeat(" ", 15_000))
			}
			return lines
		},
	} {
		t.Run(name, func(t *testing.T) {
			var probes atomic.Int64
			server := startServer(t, map[string]mailtest.Handler{"CAPABILITY": func(c *mailtest.Conn, cmd mailtest.Command) error {
				for _, line := range announce(probes.Add(1)) {
					c.Raw("* CAPABILITY" + line + "\r\n")
				}
				return c.OK(cmd.Tag, "done")
			}})
			e, target := engineFor(t, server)
			grown, ok := heapAfter(t, e, target, 500)
			t.Logf("%d of 500 probes succeeded, %d KiB", ok, grown>>10)
			if grown > memoryPerAccount {
				t.Errorf("the heap has grown by %d KiB", grown>>10)
			}
		})
	}
}

// many is 290 names of 55 bytes in all, other ones for each n.
func many(n int64) string {
	var b strings.Builder
	for i := range 290 {
		fmt.Fprintf(&b, " X%051d", n*1000+int64(i))
	}
	return b.String()
}

// Whatever a server answers to any command, and however much, little of it is remembered.
func TestLargeAnswersTakeNoMemory(t *testing.T) {
	for _, verb := range []string{
		"GREETING", "CAPABILITY", "LOGIN", "ID", "EXAMINE", "FETCH", "UNSELECT", "LIST", "STATUS", "GETQUOTAROOT", "LOGOUT",
	} {
		t.Run(verb, func(t *testing.T) {
			random := rand.New(rand.NewPCG(1, 2)) // Only one connection is open at a time.
			server := startServer(t, map[string]mailtest.Handler{verb: func(c *mailtest.Conn, cmd mailtest.Command) error {
				if verb != "GREETING" { // Its first line is the greeting.
					flood(c, random)
					return c.Default(cmd)
				}
				c.Raw("* OK " + randomText(random, 15_000) + "\r\n")
				return nil
			}})
			e, target := engineFor(t, server)
			const probes = 30
			grown, ok := heapAfter(t, e, target, probes)
			t.Logf("%d of %d probes succeeded, %d KiB", ok, probes, grown>>10)
			if grown > memoryPerAccount {
				t.Errorf("the heap has grown by %d KiB", grown>>10)
			}
		})
	}
}

// flood sends up to half a megabyte of untagged responses, most of which mean something to some command.
func flood(c *mailtest.Conn, random *rand.Rand) {
	forms := []func() string{
		func() string { return "CAPABILITY IMAP4rev1 " + randomText(random, 8_000) },
		func() string { return fmt.Sprintf(`LIST () "/" "%s"`, randomText(random, 8_000)) },
		func() string { return fmt.Sprintf(`LIST (\HasNoChildren) "/" box%d`, random.Int64()) },
		func() string {
			name := randomText(random, 50_000)
			return fmt.Sprintf("LIST () \"/\" {%d}\r\n%s", len(name), name)
		},
		func() string {
			return fmt.Sprintf("STATUS INBOX (MESSAGES %d UIDNEXT %d)", random.Uint32(), random.Uint32())
		},
		func() string {
			return fmt.Sprintf(`QUOTA "%s" (STORAGE %d %d)`, randomText(random, 8_000), random.Uint32(), random.Uint32())
		},
		func() string {
			return fmt.Sprintf("%d FETCH (INTERNALDATE \"01-Jan-2024 00:00:00 +0%d00\")", 1+random.IntN(30), random.IntN(9))
		},
		func() string { return fmt.Sprintf("%d EXISTS", 1+random.IntN(30)) },
		func() string { return "NO [ALERT] " + randomText(random, 8_000) },
		func() string { return "X" + randomText(random, 8_000) },
	}
	form := forms[random.IntN(len(forms))]
	length := random.IntN(400_000)
	for sent := 0; sent < length; {
		if random.IntN(20) == 0 {
			form = forms[random.IntN(len(forms))]
		}
		line := "* " + form() + "\r\n"
		c.Raw(line)
		sent += len(line)
	}
}

// randomText is up to so many letters, blanks and other characters.
func randomText(random *rand.Rand, length int) string {
	const letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789+&-=[]/ \x1b\xff"
	b := make([]byte, 1+random.IntN(length))
	for i := range b {
		b[i] = letters[random.IntN(len(letters))]
	}
	return string(b)
}
