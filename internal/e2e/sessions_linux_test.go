package e2e

import (
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"imap-exporter/internal/mailtest"
)

// An overlapCounter counts how often a session began while another one was open.
type overlapCounter struct {
	mu                      sync.Mutex
	sessions, all, overlaps int
}

func (o *overlapCounter) login(c *mailtest.Conn, cmd mailtest.Command) error {
	o.mu.Lock()
	o.all++
	if o.sessions++; o.sessions > 1 {
		o.overlaps++
	}
	o.mu.Unlock()
	return c.Default(cmd)
}

// examine never answers, and waits until the client has gone.
func (o *overlapCounter) examine(c *mailtest.Conn, _ mailtest.Command) error {
	for {
		if _, err := c.ReadLine(); err != nil {
			o.mu.Lock()
			o.sessions--
			o.mu.Unlock()
			return err
		}
	}
}

// An account has one session at a time, even if each takes longer than the interval and the configuration is reloaded meanwhile.
func TestOneSessionAtATime(t *testing.T) { // Not in parallel: its times are short.
	var sessions overlapCounter
	server := startServer(t, mailtest.Options{NoRecord: true, Handle: map[string]mailtest.Handler{
		"LOGIN": sessions.login, "EXAMINE": sessions.examine,
	}})
	file := writeConfig(t, "300ms", "300ms", 1, server.Addr())
	e := startDebug(t, file)
	content, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	texts := [2]string{string(content), strings.ReplaceAll(string(content), "timeout: 300ms", "timeout: 290ms")}
	for i := range 30 {
		e.reload(t, file, texts[i%2])
		<-time.After(100 * time.Millisecond)
	}
	if n := sum(e.metrics(t), "imap_exporter_probes_skipped_total", `reason="overload"`); n == 0 {
		t.Error("no slot is skipped: the test has lost its point")
	}
	sessions.mu.Lock()
	defer sessions.mu.Unlock()
	if sessions.overlaps > 0 || sessions.all < 2 {
		t.Errorf("%d of %d sessions began while another one was open", sessions.overlaps, sessions.all)
	}
}
