package e2e

import (
	"bytes"
	"net/http"
	"strconv"
	"strings"
	"testing"

	"imap-exporter/internal/mailtest"
	"imap-exporter/internal/realtest"
	"imap-exporter/internal/realtest/program"
)

// A real browser shows the shipped configuration's accounts with their expected outcomes, updates them without a reload, can
// probe one at once, and requests nothing from other hosts.
func TestStatusPage(t *testing.T) {
	t.Parallel()
	url := start(t, program.Command(t, shipped, "--web.enable-lifecycle")).URL
	tab := realtest.Chromium(t)
	tab.Resize(1280, 900)
	tab.Open(url + "/")
	row := func(account, text string) string {
		return `[...document.querySelectorAll("#rows tr")].some((row) => row.textContent.includes("` + account + `") && row.textContent.includes("` + text + `"))`
	}
	for account, text := range map[string]string{
		"demo-rejected": "auth/rejected", "demo-quota": "93 %", "demo-certificate": "4\u00a0days", "demo-healthy": "ok", "demo-starttls": "demo-starttls:143",
	} {
		tab.Await(row(account, text)) // Without a reload.
	}
	tab.Open(url + "/accounts/demo-slow")
	before := realtest.Evaluate[int](tab, `document.querySelectorAll(".sparkline.tall rect.touch").length`)
	tab.Click("button.primary")
	tab.Await(`document.readyState === "complete" && !document.querySelector("button[aria-disabled]") && document.querySelectorAll(".sparkline.tall rect.touch").length > ` + strconv.Itoa(before))
	for _, phase := range []string{"resolve", "connect", "tls", "greeting", "capability", "auth", "select", "fetch", "status", "quota", "logout"} {
		if !realtest.Evaluate[bool](tab, `document.querySelector(".waterfall .ph-`+phase+`") !== null`) {
			t.Errorf("the waterfall has no %s", phase)
		}
	}
	tab.Open(url + "/accounts/demo-rejected")
	tab.Await(`document.querySelector(".transcript")?.textContent.includes("AUTHENTICATIONFAILED")`)
	for _, path := range []string{"/", "/accounts/demo-rejected", "/accounts/demo-healthy", "/config", "/config?format=yaml"} {
		status, page := get(t, http.MethodGet, url+path, "")
		if status != http.StatusOK {
			t.Fatalf("%s: status %d", path, status)
		}
		realtest.Capture(t, "page", page)
		assertNoLeak(t, path, page)
		if bytes.Contains(page, []byte(mailtest.DemoUser)) {
			t.Errorf("%s has the user name", path)
		}
	}
	for _, asked := range tab.Requests() {
		if !strings.HasPrefix(asked, url+"/") {
			t.Errorf("the browser asked for %s", asked)
		}
	}
	if complaints := tab.Complaints(); len(complaints) > 0 {
		t.Errorf("the browser complains: %q", complaints)
	}
}
