package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptrace"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"imap-exporter/internal/mailtest"
)

// connections counts those that a server accepts; the server has no TLS.
func connections(count *atomic.Int64, handle map[string]mailtest.Handler) mailtest.Options {
	return mailtest.Options{Mode: mailtest.ModePlain, NoRecord: true, Handle: handle, Before: func(_ *mailtest.Conn, cmd mailtest.Command) error {
		if cmd.Verb == "GREETING" {
			count.Add(1)
		}
		return nil
	}}
}

// onDemand runs the program with accounts on a server that are only probed on demand, and with flags, which begin with a
// hyphen. It returns its URL.
func onDemand(t *testing.T, timeout string, server *mailtest.Server, accountsAndFlags ...string) string {
	t.Helper()
	var b strings.Builder
	fmt.Fprintf(&b, "modules:\n  - {name: default, interval: 0s, timeout: %s, tls: none, auth: login, allow_plaintext_auth: true}\n"+
		"  - {name: thorough, interval: 0s, tls: none, auth: login, allow_plaintext_auth: true, mailboxes: [\"*\"]}\n"+
		"  - {name: banner, tls: none, auth: none}\n"+
		"  - {name: anywhere, tls: none, auth: none, allow_any_target: true}\naccounts:\n", timeout)
	var flags []string
	for _, name := range accountsAndFlags {
		if strings.HasPrefix(name, "-") {
			flags = append(flags, name)
			continue
		}
		password := mailtest.DemoPassword
		if name == "wrong" {
			password = "canary-wrong-secret"
		}
		fmt.Fprintf(&b, "  - {name: %q, server: %q, username: %s, password: %s, probe_modules: [thorough, banner]}\n", name, server.Addr(), mailtest.DemoUser, password)
	}
	file := filepath.Join(t.TempDir(), "config.yaml")
	if err := os.WriteFile(file, []byte(b.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	return serve(t, file, flags...).URL
}

// scrapeProbe asks as Prometheus does, with a timeout in seconds.
func scrapeProbe(ctx context.Context, url, timeout string) (status int, page string, err error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return 0, "", err
	}
	r.Header.Set("X-Prometheus-Scrape-Timeout-Seconds", timeout)
	r.Close = true
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		return 0, "", err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	return response.StatusCode, string(body), err
}

// mustScrape expects metrics.
func mustScrape(t *testing.T, url, timeout string) string {
	t.Helper()
	status, page, err := scrapeProbe(t.Context(), url, timeout)
	if err != nil || status != http.StatusOK {
		t.Fatalf("%s: %v, status %d: %s", url, err, status, page)
	}
	return page
}

// Two hundred who ask for one account at a time get the Result of one login.
func TestProbeIsShared(t *testing.T) {
	const calls = 200
	var count atomic.Int64
	release := make(chan struct{})
	server := startServer(t, connections(&count, map[string]mailtest.Handler{"LOGIN": func(c *mailtest.Conn, cmd mailtest.Command) error {
		<-release
		return c.Default(cmd)
	}}))
	target := onDemand(t, "60s", server, "canary") + "/probe?target=canary"
	var written, done sync.WaitGroup
	pages := make([]string, calls)
	written.Add(calls)
	ctx := httptrace.WithClientTrace(t.Context(), &httptrace.ClientTrace{WroteRequest: func(httptrace.WroteRequestInfo) { written.Done() }})
	for i := range calls {
		done.Go(func() {
			status, page, err := scrapeProbe(ctx, target, "120")
			if err != nil || status != http.StatusOK {
				t.Errorf("%v, status %d: %s", err, status, page)
			}
			pages[i] = page
		})
	}
	written.Wait()
	<-time.After(time.Second) // Nothing tells when the last one has been read.
	close(release)
	done.Wait()
	if n := count.Load(); n != 1 {
		t.Errorf("%d connections", n)
	}
	for _, page := range pages {
		if page != pages[0] || !strings.Contains(page, `probe_success{account="canary",server="`+server.Addr()+`"} 1`) {
			t.Fatalf("the answers differ, or the probe failed:\n%s\n%s", pages[0], page)
		}
	}
}

// While logins are suspended after a rejected one, requests cause no login, and the response says so.
func TestProbeIsHeldBack(t *testing.T) {
	var count atomic.Int64
	server := startServer(t, connections(&count, nil))
	base := onDemand(t, "5s", server, "wrong", "good") + "/probe?target="
	at := func(account string) string { return `{account="` + account + `",server="` + server.Addr() + `"} ` }
	page := mustScrape(t, base+"wrong", "10")
	if !strings.Contains(page, "probe_success"+at("wrong")+"0") || !strings.Contains(page, `phase="auth",reason="rejected"`) {
		t.Fatalf("not rejected:\n%s", page)
	}
	asked := count.Load()
	page = mustScrape(t, base+"wrong", "120")
	for _, want := range []string{
		"probe_success" + at("wrong") + "0", "imap_probe_suspended" + at("wrong") + "1", "imap_probe_next_login_timestamp_seconds" + at("wrong"),
		`imap_probe_held_back_info{account="wrong",reason="backoff"`,
	} {
		if !strings.Contains(page, want) {
			t.Errorf("no %s in\n%s", want, page)
		}
	}
	if strings.Contains(page, "probe_duration_seconds") {
		t.Errorf("a probe that wasn't made has a duration:\n%s", page)
	}
	page = mustScrape(t, base+"good", "2")
	if !strings.Contains(page, `imap_probe_held_back_info{account="good",reason="quiet"`) || strings.Contains(page, "probe_success"+at("good")) {
		t.Errorf("of what is quiet, nothing is known:\n%s", page)
	}
	if count.Load() != asked {
		t.Error("the server was asked")
	}
	if status, page, _ := fetch(base+"wrong&debug=true", ""); status != http.StatusOK || !strings.Contains(page, "No probe was made: the server rejected the last login") {
		t.Errorf("status %d: %s", status, page)
	}
}

// A scrape that gives a probe less time than the module does gets an answer in time, and spoils no counter.
func TestProbeEndsBeforeTheScrape(t *testing.T) {
	var count atomic.Int64
	slow := atomic.Bool{}
	slow.Store(true)
	server := startServer(t, connections(&count, map[string]mailtest.Handler{"LOGIN": func(c *mailtest.Conn, cmd mailtest.Command) error {
		if slow.Load() {
			return c.Hang()
		}
		return c.Default(cmd)
	}}))
	base := onDemand(t, "50s", server, "canary")
	page := mustScrape(t, base+"/probe?target=canary", "2.5")
	for _, want := range []string{"probe_success{", `imap_probe_last_failure_info{account="canary",phase="auth",reason="timeout"`} {
		if !strings.Contains(page, want) {
			t.Errorf("no %s in\n%s", want, page)
		}
	}
	_, metrics, _ := fetch(base+"/metrics", "")
	total := `imap_probes_total{account="canary",server="` + server.Addr() + `"} `
	if !strings.Contains(metrics, total+"0") {
		t.Error("/metrics counts it")
	}
	slow.Store(false)
	mustScrape(t, base+"/probe?target=canary", "10")
	if _, metrics, _ = fetch(base+"/metrics", ""); !strings.Contains(metrics, total+"1") {
		t.Error("/metrics doesn't count what went well")
	}
}

// A module from the caller is for its page alone.
func TestProbeWithAModule(t *testing.T) {
	var count atomic.Int64
	server := startServer(t, connections(&count, nil))
	base := onDemand(t, "5s", server, "canary")
	if page := mustScrape(t, base+"/probe?target=canary&module=thorough", "10"); strings.Count(page, "imap_mailbox_messages{") < 2 {
		t.Errorf("not all mailboxes are counted:\n%s", page)
	}
	if _, metrics, _ := fetch(base+"/metrics", ""); strings.Contains(metrics, "imap_mailbox_messages{") {
		t.Error("/metrics has it")
	}
	if page := mustScrape(t, base+"/probe?target=canary&module=banner", "10"); strings.Contains(page, `phase="auth"`) || !strings.Contains(page, `phase="capability"`) {
		t.Errorf("the banner alone was wanted:\n%s", page)
	}
	before := count.Load()
	status, page, err := scrapeProbe(t.Context(), base+"/probe?target=canary&module=anywhere", "10")
	if err != nil || status != http.StatusForbidden || !strings.Contains(page, "module anywhere isn't among the account's probe_modules") || count.Load() != before {
		t.Errorf("a module that the account doesn't name: %v, status %d, %d connections: %s", err, status, count.Load()-before, page)
	}
}
