package main

import (
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"imap-exporter/internal/mailtest"
)

// An attendance counts how often somebody began a session while having another.
type attendance struct {
	mu                      sync.Mutex
	sessions, all, overlaps int
}

func (a *attendance) login(c *mailtest.Conn, cmd mailtest.Command) error {
	a.mu.Lock()
	a.all++
	if a.sessions++; a.sessions > 1 {
		a.overlaps++
	}
	a.mu.Unlock()
	return c.Default(cmd)
}

// examine never answers, and waits until the client has gone.
func (a *attendance) examine(c *mailtest.Conn, _ mailtest.Command) error {
	for {
		if _, err := c.ReadLine(); err != nil {
			a.mu.Lock()
			a.sessions--
			a.mu.Unlock()
			return err
		}
	}
}

// An account has one session at a time, though each one, with its leave-taking, takes longer than the interval, and whatever is
// reloaded meanwhile.
func TestOneSessionAtATime(t *testing.T) {
	var account attendance
	server := slowServer(t, mailtest.Options{NoRecord: true, Handle: map[string]mailtest.Handler{
		"LOGIN": account.login, "EXAMINE": account.examine,
	}})
	file := apartConfig(t, "300ms", "300ms", 1, server.Addr())
	a := startApart(t, file, nil)
	content, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	texts := [2]string{string(content), strings.ReplaceAll(string(content), "timeout: 300ms", "timeout: 290ms")}
	for i := range 30 {
		a.reload(t, file, texts[i%2])
		<-time.After(100 * time.Millisecond)
	}
	if n := sum(a.metrics(t), "imap_exporter_probes_skipped_total", `reason="overload"`); n == 0 {
		t.Error("no slot is skipped: the test has lost its point")
	}
	account.mu.Lock()
	defer account.mu.Unlock()
	if account.overlaps > 0 || account.all < 2 {
		t.Errorf("%d of %d sessions began while another one was open", account.overlaps, account.all)
	}
}
