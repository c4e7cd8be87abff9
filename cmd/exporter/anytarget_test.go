package main

import (
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"imap-exporter/internal/mailtest"
)

// evilTargets are ways to write a host, and a name of an account, that might be taken for it.
func evilTargets(evil, account string) []string {
	_, port, _ := net.SplitHostPort(evil)
	e := url.QueryEscape
	targets := []string{
		"target=" + e(evil), "account=" + e(evil), "target=127.0.0.1&module=default", "target=" + e("imap://"+evil), "target=" + e("imaps://"+evil+"/"),
		"target=" + e("user@"+evil), "target=" + e("user:pass@"+evil), "target=" + e(account+"@"+evil), "target=" + e(evil+"/"+account),
		"target=" + e(evil+"#"+account), "target=" + e(evil+"?"+account), "target=" + e(account+"\x00"+evil), "target=" + e(account+"\r\n"+evil),
		"target=" + e(account+" "+evil), "target=" + e(account+","+evil), "target=" + account + "&target=" + e(evil), "target=" + e(evil) + "&target=" + account,
		"target=" + account + "&account=" + e(evil), "account=" + e(evil) + "&target=" + account, "target=" + account + ";target=" + e(evil),
		"TARGET=" + e(evil), "target[]=" + e(evil), "target=" + account + "%00", "target=" + account + "%2e", "target=" + account + ".", "target=" + strings.ToUpper(account),
		"target=%20" + account, "target=" + account + "%09", "target=" + e("ｃanary"), "target=%25" + account, "target=../" + account, "target=", "target",
		"target=" + e("guest\x00anywhere\x00"+evil), "target=" + e("guest\x00\x00"+evil),
	}
	for _, host := range []string{"localhost", "LOCALHOST", "localhost.", "2130706433", "0x7f000001", "0177.0.0.1", "127.1", "127.0.0.1.", "[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "[::1]", "[::]", "0.0.0.0", "127.0.0.1%2e"} {
		targets = append(targets, "target="+e(host+":"+port))
	}
	return targets
}

// Whatever a caller writes: no packet goes to a host that it names, nor is an account probed under another name.
func TestProbeGoesNowhereElse(t *testing.T) {
	var atServer, atEvil atomic.Int64
	server := startServer(t, connections(&atServer, nil))
	evil, err := net.Listen("tcp", ":0")
	if err != nil {
		t.Fatal(err)
	}
	var accepting sync.WaitGroup
	accepting.Go(func() {
		for {
			conn, err := evil.Accept()
			if err != nil {
				return
			}
			atEvil.Add(1)
			conn.Close()
		}
	})
	t.Cleanup(func() {
		evil.Close()
		accepting.Wait()
	})
	base := onDemand(t, "2s", server, "canary") + "/probe?"
	_, port, _ := net.SplitHostPort(evil.Addr().String())
	targets := evilTargets("127.0.0.1:"+port, "canary")
	if len(targets) < 40 {
		t.Fatalf("only %d", len(targets))
	}
	for _, query := range targets {
		for _, module := range []string{"", "&module=banner", "&module=thorough", "&module=nosuch"} {
			status, page, err := scrapeProbe(t.Context(), base+query+module, "3")
			if err != nil || status != http.StatusNotFound && status != http.StatusBadRequest {
				t.Errorf("%s: %v, status %d: %s", query+module, err, status, page)
			}
		}
	}
	if atServer.Load() > 0 || atEvil.Load() > 0 {
		t.Errorf("%d connections to the account's server, %d elsewhere", atServer.Load(), atEvil.Load())
	}
	// And the other way round, so that this test can fail.
	mustScrape(t, base+"target=canary", "3")
	mustScrape(t, base+"target=127.0.0.1:"+port+"&module=anywhere", "3")
	if atServer.Load() == 0 || atEvil.Load() != 1 {
		t.Errorf("%d connections to the account's server, %d to what the module allows", atServer.Load(), atEvil.Load())
	}
}

// A server that is no account's is asked for its capabilities, and hears no credential.
func TestProbeAnyTarget(t *testing.T) {
	server := startServer(t, mailtest.Options{Mode: mailtest.ModePlain})
	base := onDemand(t, "2s", server, "canary")
	page := mustScrape(t, base+"/probe?module=anywhere&target="+server.Addr(), "5")
	for _, want := range []string{
		`probe_success{account="",server="` + server.Addr() + `"} 1`,
		`imap_capability_info{capability="IMAP4REV1",mode="none",server="` + server.Addr() + `",stage="before_auth"} 1`,
	} {
		if !strings.Contains(page, want) {
			t.Errorf("no %s in\n%s", want, page)
		}
	}
	for _, unwanted := range []string{"imap_account_info", "imap_mailbox", "imap_probe_interval"} {
		if strings.Contains(page, unwanted) {
			t.Errorf("there is %s", unwanted)
		}
	}
	if _, metrics, _ := fetch(base+"/metrics", ""); strings.Contains(metrics, `account=""`) {
		t.Error("/metrics has it")
	}
}
