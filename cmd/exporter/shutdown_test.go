package main

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"

	"imap-exporter/internal/mailtest"
)

// Two hundred probes are under way when the exporter is told to stop, in front of servers that don't answer. It says
// LOGOUT where somebody may hear it, and ends in time, with nothing left; serve sees to that.
func TestShutdownUnderLoad(t *testing.T) {
	const logins, hanging = 140, 60
	var selecting, loggedOut atomic.Int64
	slow := startServer(t, mailtest.Options{NoRecord: true, Handle: map[string]mailtest.Handler{
		"EXAMINE": func(c *mailtest.Conn, _ mailtest.Command) error { // It never answers, and hears what comes next.
			selecting.Add(1)
			line, err := c.ReadLine()
			if strings.Contains(line, "LOGOUT") {
				loggedOut.Add(1)
			}
			return err
		},
	}})
	mute := startServer(t, mailtest.Options{NoRecord: true, Handle: map[string]mailtest.Handler{
		"GREETING": func(c *mailtest.Conn, _ mailtest.Command) error { return c.Hang() },
	}})
	var text strings.Builder
	text.WriteString("max_concurrent: 500\nmax_concurrent_per_server: 200\n" +
		"modules:\n  - {name: slow, interval: 5s, timeout: 5s, tls: none, auth: login, allow_plaintext_auth: true}\naccounts:\n")
	for i := range logins + hanging {
		server := slow
		if i >= logins {
			server = mute
		}
		fmt.Fprintf(&text, "  - {name: account-%d, server: %q, username: %s, password: %s, module: slow}\n",
			i, server.Addr(), mailtest.DemoUser, mailtest.DemoPassword)
	}
	file := filepath.Join(t.TempDir(), "config.yaml")
	if err := os.WriteFile(file, []byte(text.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if all, n := selecting.Load(), loggedOut.Load(); n != all || n < logins*8/10 {
			t.Errorf("LOGOUT on %d of %d living connections", n, all)
		}
	})
	url := serve(t, file).URL
	inFlight := regexp.MustCompile(`(?m)^imap_exporter_probes_in_flight (\d+)$`)
	if !await(func() bool {
		_, page, _ := fetch(url+"/metrics", "")
		n := 0
		if match := inFlight.FindStringSubmatch(page); match != nil {
			n, _ = strconv.Atoi(match[1])
		}
		return n > (logins+hanging)*9/10 // Some are always just about to start anew.
	}) {
		t.Fatal("hardly any probes are under way")
	}
}
