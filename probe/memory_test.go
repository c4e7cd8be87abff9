package probe

import (
	"fmt"
	"maps"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"

	"imap-exporter/internal/mailtest"
)

// memoryOfAProbe is how much memory a probe may hold beside the message that it fetches, whatever the server has said: docs/security.md.
const memoryOfAProbe = 512 << 10

// A probe holds little while it waits, though the server has sent thousands of answers to a command.
func TestMemoryOfAProbe(t *testing.T) {
	name := strings.Repeat("x", 50)
	for verb, line := range map[string]string{
		"CAPABILITY":   "* X-CAPABILITY %[1]d " + name + "\r\n",
		"LOGIN":        "* OK [CAPABILITY IMAP4rev1 X%[1]d] " + name + "\r\n",
		"EXAMINE":      "* 24 EXISTS\r\n* OK [UIDNEXT %[1]d] " + name + "\r\n",
		"FETCH":        "* 24 FETCH (INTERNALDATE \"01-Jan-2024 00:00:00 +0000\" BODY[HEADER]<0> \"X-%[1]d\")\r\n",
		"LIST":         `* LIST () "/" ` + name + "%[1]d\r\n",
		"STATUS":       "* STATUS INBOX (MESSAGES 1 UNSEEN 1 UIDNEXT 1 UIDVALIDITY %[1]d)\r\n",
		"GETQUOTAROOT": "* QUOTA " + name + "%[1]d (STORAGE 1 2)\r\n",
	} {
		t.Run(verb, func(t *testing.T) {
			honest := memoryAtLogout(t, nil)
			lines := 9_000
			if strings.Count(line, "\n") > 1 {
				lines /= 2
			}
			flooded := memoryAtLogout(t, map[string]mailtest.Handler{verb: func(c *mailtest.Conn, cmd mailtest.Command) error {
				n := lines
				lines = 0 // Once is as much as may be.
				for i := range n {
					c.Raw(fmt.Sprintf(line, i))
					if i%100 == 0 {
						if err := c.Flush(); err != nil {
							return err
						}
					}
				}
				return c.Default(cmd)
			}})
			t.Logf("%d KiB more than usual", (flooded-honest)>>10)
			if flooded-honest > memoryOfAProbe {
				t.Errorf("a probe holds %d KiB more than usual", (flooded-honest)>>10)
			}
		})
	}
}

// memoryAtLogout probes, and returns the size of the heap when the probe waits for the answer to its LOGOUT.
func memoryAtLogout(t *testing.T, handle map[string]mailtest.Handler) int64 {
	t.Helper()
	var bytes atomic.Int64
	all := map[string]mailtest.Handler{"LOGOUT": func(c *mailtest.Conn, cmd mailtest.Command) error {
		runtime.GC()
		runtime.GC()
		var stats runtime.MemStats
		runtime.ReadMemStats(&stats)
		bytes.Store(int64(stats.HeapAlloc))
		return c.Default(cmd)
	}}
	maps.Copy(all, handle)
	_, target := serve(t, mailtest.Options{Mode: mailtest.ModePlain, NoRecord: true, Handle: all})
	target.Mailboxes = []string{"INBOX", "*"}
	Run(t.Context(), target)
	if bytes.Load() == 0 {
		t.Fatal("the probe hasn't logged out")
	}
	return bytes.Load()
}
