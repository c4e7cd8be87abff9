package web

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"imap-exporter/internal/schedule"
	"imap-exporter/probe"
)

// probed is a fixture of one account with a success, a failure, and a success after it.
func probed() (w *fixture, failed *probe.Result) {
	w = newFixture()
	failed = rejected("NO [AUTHENTICATIONFAILED] Authentication failed.")
	w.add(testAccount{Name: "canary", Server: "imap.example.org:993", Interval: time.Minute, NextRun: w.now.Add(time.Minute)}, success(100), failed, success(120))
	return w, failed
}

func TestAccountPage(t *testing.T) {
	w, failed := probed()
	w.Links = func() Links { return Links{"https://prometheus.example.org", "https://grafana.example.org/x"} }
	page := w.get(t, "/accounts/canary")
	assertHas(
		t, page, "<h1><bdi>canary</bdi></h1>", "120 ms", "every 1m", "TLS 1.3", "TLS_AES_128_GCM_SHA256", "IPv6 refused, then IPv4 connected",
		"89 days", `class="new" title="new at this stage">QUOTA<`, "1,843", "87 MiB", "93 MiB of 100 MiB", "T1 LOGIN ***",
		`<rect class="ph-auth" x="250" y="2" width="500" height="12"/>`, "100 ms", ">60.0 ms<", // The login, half of the last probe.
		fmt.Sprintf(`href="./../accounts/canary/probes/%d"`, failed.Start.UnixMilli()), "auth/rejected",
		`href="https://grafana.example.org/x/d/imap-account?var-account=canary"`, `href="https://prometheus.example.org/graph?g0.expr=imap_probe_last_phase_duration_seconds`,
		"--web.enable-lifecycle",
	)
	if strings.Contains(page, "Probe now") {
		t.Error("there is a button, though the lifecycle is not enabled")
	}
}

func TestAccountPageBeforeTheFirstProbe(t *testing.T) {
	w := newFixture()
	w.add(testAccount{Name: "new", Server: "imap.example.org:993"})
	assertHas(t, w.get(t, "/accounts/new"), "waiting", "none yet", "on demand")
}

func TestFailureIsExplained(t *testing.T) {
	w := newFixture()
	w.add(testAccount{Name: "canary", Suspended: true, NextLogin: w.now.Add(time.Hour)}, rejected("NO [AUTHENTICATIONFAILED] Wrong."))
	assertHas(t, w.get(t, "/accounts/canary"), "auth/rejected", "wrong, changed or expired password", "us; mail admin if many accounts at once",
		"NO [AUTHENTICATIONFAILED] Wrong.", "suspended", "in 59 min", `<details id="transcript" open>`)
}

func TestProbePage(t *testing.T) {
	w, failed := probed()
	path := fmt.Sprintf("/accounts/canary/probes/%d", failed.Start.UnixMilli())
	assertHas(t, w.get(t, path), "Older", "Newer", "auth/rejected", "NO [AUTHENTICATIONFAILED] Authentication failed.", `href="./../../../accounts/canary"`)

	answer := request(w.Options, http.MethodGet, path+"/transcript.txt", "")
	if got := answer.Header().Get("Content-Type"); got != "text/plain; charset=utf-8" {
		t.Errorf("the transcript is %q", got)
	}
	if got := answer.Header().Get("Content-Disposition"); !strings.HasPrefix(got, `attachment; filename="canary-20`) {
		t.Errorf("the transcript is shown as %q", got)
	}
	assertHas(t, answer.Body.String(), "# canary on imap.example.org:993", "    2.0 ms  C: T1 LOGIN ***\n", "   30.0 ms  S: NO [AUTHENTICATIONFAILED] Authentication failed.\n")
}

func TestEveryReasonIsExplained(t *testing.T) {
	e := loadExplanations()
	for _, reason := range probe.IMAP.Reasons {
		if x := e[reason]; len(x.Meaning) == 0 || len(x.Who) == 0 {
			t.Errorf("%s is not explained", reason)
		}
	}
}

func TestProbeNow(t *testing.T) {
	w, _ := probed()
	var asked []string
	answer := error(nil)
	w.Probe = func(_ context.Context, r ProbeRequest) (*probe.Result, error) {
		asked = append(asked, r.Account)
		return nil, answer
	}
	if got := w.post("/accounts/canary/probe"); got.Code != http.StatusForbidden || len(asked) != 0 {
		t.Errorf("status %d, %v probed, though the lifecycle is not enabled", got.Code, asked)
	}
	w.Reload = func(context.Context) (string, error) { return "", nil }
	assertHas(t, w.get(t, "/accounts/canary"), `<form action="./../accounts/canary/probe" method="post">`, "Probe now")
	for _, header := range [][]string{{"Sec-Fetch-Site", "cross-site"}, {"Sec-Fetch-Site", "same-site"}, {"Origin", "http://evil.example"}, {"Origin", "null"}} {
		if got := w.post("/accounts/canary/probe", header...); got.Code != http.StatusForbidden || len(asked) != 0 {
			t.Errorf("%v: status %d, %v probed", header, got.Code, asked)
		}
	}
	got := w.post("/accounts/canary/probe", "Sec-Fetch-Site", "same-origin")
	if got.Code != http.StatusSeeOther || len(asked) != 1 || asked[0] != "canary" {
		t.Errorf("status %d, %v probed", got.Code, asked)
	}
	if to := got.Header().Get("Location"); to != "/accounts/canary" {
		t.Errorf("it leads to %s", to)
	}
	for text, c := range map[string]struct {
		err    error
		status int
	}{
		"the server asked us to wait":    {&schedule.BlockedError{Until: time.Now(), Reason: schedule.Throttled}, http.StatusConflict},
		"The probe still waits or runs.": {context.DeadlineExceeded, http.StatusGatewayTimeout},
		"Not probed: no room.":           {errors.New("no room"), http.StatusServiceUnavailable},
	} {
		answer = c.err
		got := w.post("/accounts/canary/probe")
		if got.Code != c.status || !strings.Contains(got.Body.String(), text) {
			t.Errorf("%v: status %d, and %t for its text", c.err, got.Code, strings.Contains(got.Body.String(), text))
		}
	}
}

func TestDocumentation(t *testing.T) {
	w := newFixture()
	assertHas(t, w.get(t, "/docs/"), `href="./../docs/metrics"`, "Decisions", "IMAP in one page")
	page := w.get(t, "/docs/imap")
	assertHas(t, page, `<h2 id="the-phases">`, `<a href="#the-reasons">`, `<table tabindex="0">`, "<code>resolve</code>")
	page = w.get(t, "/docs/architecture")
	assertHas(t, page, `href="metrics"`, `href="decisions/0001-instrumented-connection"`)
	assertHas(t, w.get(t, "/docs/README"), `href="status-page"`, `href="SECURITY"`)
	assertHas(t, w.get(t, "/docs/security"), `href="SECURITY"`, `href="performance"`)
	for _, address := range []string{"/docs/runbooks/", "/docs/runbooks/README"} {
		assertHas(t, w.get(t, address), `href="../runbooks/ImapProbeStale"`, `href="../alerting"`)
	}
	for _, name := range []string{"imap", "architecture", "metrics", "configuration", "decisions/0001-instrumented-connection"} {
		page := w.get(t, "/docs/"+name)
		for _, unwanted := range []string{"<img", "raw HTML"} {
			if strings.Contains(page, unwanted) {
				t.Errorf("%s has %s", name, unwanted)
			}
		}
		if match := regexp.MustCompile(`href="[^:"]*\.(md|go|yaml)\b[^"]*"`).FindString(page); match != "" {
			t.Errorf("%s links to a file: %s", name, match)
		}
	}
}
