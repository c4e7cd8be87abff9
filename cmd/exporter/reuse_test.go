package main

import (
	"fmt"
	"net"
	"net/http"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"imap-exporter/internal/mailtest"
)

// Whoever asks /probe again and again, one request after another, gets the Result of one login, and later that of another.
func TestProbesInARowCostOneLogin(t *testing.T) {
	var count atomic.Int64
	server := startServer(t, connections(&count, nil))
	base := onDemand(t, "5s", server, "canary") + "/probe?target=canary"
	for _, module := range []string{"", "&module=thorough", "&module=banner"} {
		before, begun, n := count.Load(), time.Now(), 0
		var first string
		for ; n < 300 && time.Since(begun) < 4*time.Second; n++ {
			page := mustScrape(t, base+module, "10")
			if n == 0 {
				first = page
			}
			if page != first || !strings.Contains(page, "\nprobe_success{") {
				t.Fatalf("module %q, answer %d is another:\n%s\n%s", module, n, first, page)
			}
		}
		if got := count.Load() - before; got != 1 {
			t.Errorf("module %q: %d connections for %d requests in %s", module, got, n, time.Since(begun))
		}
	}
	if !await(func() bool { mustScrape(t, base, "10"); return count.Load() == 4 }) {
		t.Error("an old Result is never replaced")
	}
}

// Nor do timeouts that grow from request to request cost a login each, though whoever gives much more time gets a probe of it.
func TestTimeoutsInARowCostFewLogins(t *testing.T) {
	var count atomic.Int64
	server := startServer(t, connections(&count, map[string]mailtest.Handler{"LOGIN": func(c *mailtest.Conn, _ mailtest.Command) error {
		return c.Hang()
	}}))
	base := onDemand(t, "10s", server, "canary")
	for i := range 40 { // 0.1 s, then a little more each time.
		mustScrape(t, base+"/probe?target=canary", fmt.Sprintf("%.3f", 0.6+float64(i)*0.002))
	}
	if n := count.Load(); n != 1 {
		t.Errorf("%d connections for 40 timeouts that differ a little", n)
	}
	mustScrape(t, base+"/probe?target=canary", "1.5")
	if n := count.Load(); n != 2 {
		t.Errorf("%d connections: 1 s is much more than 0.1 s", n)
	}
}

// The button of a page asks the server again, but not more often than every few seconds, whoever presses it.
func TestProbeNowAsksAgain(t *testing.T) {
	var count atomic.Int64
	server := startServer(t, connections(&count, nil))
	base := onDemand(t, "5s", server, "canary", "--web.enable-lifecycle")
	press := func() {
		if status, page, err := request(http.MethodPost, base+"/accounts/canary/probe", ""); err != nil || status >= 400 {
			t.Fatalf("%v, status %d: %s", err, status, page)
		}
	}
	begun := time.Now()
	for range 50 {
		press()
	}
	// A probe is made every 3 s at most, and a busy machine may take longer for the presses.
	if n := count.Load(); n > 1+int64(time.Since(begun)/(3*time.Second)) {
		t.Errorf("%d connections for 50 presses of the button within %s", n, time.Since(begun))
	}
	begun = time.Now()
	before := count.Load()
	if !await(func() bool { press(); return count.Load() > before }) || time.Since(begun) > 4500*time.Millisecond {
		t.Errorf("the button asks again after %s", time.Since(begun))
	}
}

// Requests for servers that never answer leave room for the accounts, also in front of the schedule.
func TestSilentTargetsLeaveRoomForAccounts(t *testing.T) {
	var count atomic.Int64
	server := startServer(t, connections(&count, nil))
	silent, err := net.Listen("tcp4", "0.0.0.0:0") // On all addresses of loopback; it accepts nothing.
	if err != nil {
		t.Fatal(err)
	}
	defer silent.Close()
	port := silent.Addr().(*net.TCPAddr).Port
	base := onDemand(t, "5s", server, "canary")
	var requests sync.WaitGroup
	statuses := make(chan int, 300)
	for i := range 300 { // More than /probe serves at a time.
		requests.Go(func() {
			status, _, err := scrapeProbe(t.Context(), fmt.Sprintf("%s/probe?target=127.0.%d.%d:%d&module=anywhere", base, i/200, i%200+1, port), "4")
			if err == nil {
				statuses <- status
			}
		})
	}
	if !await(func() bool { return len(statuses) >= 40 }) {
		t.Errorf("%d requests were turned away", len(statuses))
	}
	for range 20 {
		begun := time.Now()
		if page := mustScrape(t, base+"/probe?target=canary", "2"); !strings.Contains(page, `probe_success{account="canary"`) || time.Since(begun) > time.Second {
			t.Errorf("after %s beside silent targets:\n%s", time.Since(begun), page)
		}
	}
	requests.Wait()
	close(statuses)
	for status := range statuses {
		if status != http.StatusOK && status != http.StatusServiceUnavailable {
			t.Errorf("status %d", status)
		}
	}
}

// A caller's module whose login the server rejects is suspended; the account's own probes, which log in otherwise, are not.
func TestRejectedModuleSpoilsNoAccount(t *testing.T) {
	server := startServer(t, mailtest.Options{Mode: mailtest.ModePlain, NoRecord: true, Handle: map[string]mailtest.Handler{
		"AUTHENTICATE": func(c *mailtest.Conn, cmd mailtest.Command) error {
			return c.NO(cmd.Tag, "[AUTHENTICATIONFAILED] No SCRAM here.")
		},
	}})
	file := filepath.Join(t.TempDir(), "config.yaml")
	write(t, file, fmt.Sprintf("modules:\n  - {name: default, interval: 1s, timeout: 1s, tls: none, auth: login, allow_plaintext_auth: true}\n"+
		"  - {name: scram, tls: none, auth: scram-sha-256, allow_plaintext_auth: true}\n"+
		"accounts:\n  - {name: canary, server: %q, username: %s, password: %s, probe_modules: [scram]}\n", server.Addr(), mailtest.DemoUser, mailtest.DemoPassword))
	base := serve(t, file).URL
	at := `{account="canary",server="` + server.Addr() + `"} `
	succeeds := func() bool {
		_, page, _ := fetch(base+"/metrics", "")
		return strings.Contains(page, "imap_probe_success"+at+"1") && strings.Contains(page, "imap_probe_suspended"+at+"0")
	}
	if !await(succeeds) {
		t.Fatal("the account's own probes fail")
	}
	if page := mustScrape(t, base+"/probe?target=canary&module=scram", "10"); !strings.Contains(page, `phase="auth",reason="rejected"`) {
		t.Fatalf("not rejected:\n%s", page)
	}
	if page := mustScrape(t, base+"/probe?target=canary&module=scram", "60"); !strings.Contains(page, `imap_probe_held_back_info{account="canary",reason="backoff"`) {
		t.Errorf("the module isn't suspended:\n%s", page)
	}
	if !succeeds() {
		t.Error("the account's own probes are suspended")
	}
}
